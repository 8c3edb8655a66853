"""The organization policies that a configuration requires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.guardrail_documents import (
    Protected,
    resource_control_policy,
    service_control_policies,
)
from nhi_evidence.config.aws.trusts import web_identities
from nhi_evidence.config.aws.web_trust import SENTINEL, entra_issuer
from nhi_evidence.config.tables import Guardrails


class PolicyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One organization policy."""

    name: str
    kind: str
    """`SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`."""
    meaning: str
    content: dict[str, Any]


def policies(config: Config) -> tuple[PolicyPlan, ...]:
    """Return the organization policies; none without guardrails in the configuration."""
    if config.guardrails is None:
        return ()
    protected = _protected(config, config.guardrails)
    controls = [
        PolicyPlan(
            name=naming.guardrail(config.id, word),
            kind="SERVICE_CONTROL_POLICY",
            meaning="What no principal of the evidence account may do",
            content=content,
        )
        for word, content in service_control_policies(protected).items()
    ]
    resources = PolicyPlan(
        name=naming.guardrail(config.id, "resources"),
        kind="RESOURCE_CONTROL_POLICY",
        meaning="Who may reach the buckets and roles of the evidence account",
        content=resource_control_policy(
            protected,
            organization=config.organization.id,
            auditors=[
                *(arn for one in config.auditors for arn in one.principals),
                *(arn for one in config.subscribers for arn in one.principals),
            ],
            web_identities={**web_identities(config), **_sentinel(config)},
        ),
    )
    return (*controls, resources)


def _sentinel(config: Config) -> dict[str, str]:
    """Return the audience of Sentinel's tokens, whose subject is not documented."""
    known = {}
    for store in config.evidence.buckets:
        subscriber = config.subscriber(store.name)
        if subscriber is not None and subscriber.sentinel is not None:
            tenant, audience = SENTINEL[naming.partition(store.region)]
            known[f"{entra_issuer(tenant)}:aud"] = audience
    return known


def _protected(config: Config, guardrails: Guardrails) -> Protected:
    stores, account = config.evidence.buckets, config.evidence.account
    replicas = [one.replica for one in stores if one.replica is not None]
    accounts = {account, *(one.account for one in replicas)}
    return Protected(
        partition=naming.partition(stores[0].region),
        account=account,
        replica_accounts=tuple(one.account for one in replicas),
        buckets=(
            *(naming.bucket_arn(one.region, one.bucket) for one in stores),
            *(naming.bucket_arn(one.region, one.bucket) for one in replicas),
        ),
        copies=tuple(_copies(config)),
        topics=tuple(one for one in config.alarms.topics if one.split(":")[4] in accounts),
        sealers=tuple(
            naming.role_arn(one.region, account, naming.function(one.id, "sealer"))
            for one in stores
        ),
        pipeline_roles=guardrails.pipeline_roles,
        pipeline_principals=guardrails.pipeline_principals,
    )


def _copies(config: Config) -> Iterator[str]:
    """Yield the ARNs of the buckets for what is read of the evidence elsewhere."""
    for store in config.evidence.buckets:
        subscriber = config.subscriber(store.name)
        if subscriber is not None:
            yield naming.bucket_arn(store.region, subscriber.bucket)
        if store.athena is not None:
            yield naming.bucket_arn(store.region, store.athena.results)
