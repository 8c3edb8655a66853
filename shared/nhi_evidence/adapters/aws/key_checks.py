"""Checks of the keys that sign a log: their state, policies and grants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Judged
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.checks import Check
from nhi_evidence.config.aws.key_policy import KeyPlan

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def key(checks_of: AwsChecks, kms: KMSClient, plan: KeyPlan) -> Iterator[Check]:
    """Yield the checks of one key, found by its alias."""
    alias = f"alias/{plan.alias}"
    yield from checks_of.look(
        f"signing key {alias}",
        lambda: kms.describe_key(KeyId=alias)["KeyMetadata"],
        lambda metadata: (
            metadata["KeyState"] == "Enabled" and metadata.get("KeySpec") == plan.spec,
            f"{metadata['KeyState']}, {metadata.get('KeySpec')}",
        ),
        f"the log cannot be signed; enable the key, or cancel its deletion. It must be {plan.spec}",
    )
    yield from checks_of.compare(
        f"policy of {alias}",
        lambda: kms.get_key_policy(KeyId=_id(kms, alias), PolicyName="default"),
        lambda answer: judged(json.loads(answer["Policy"]), plan.statements),
        f"somebody changed who may sign; CloudTrail says who (PutKeyPolicy). Then {DEPLOY}",
    )
    yield from checks_of.compare(
        f"grants of {alias}",
        lambda: [
            one
            for page in kms.get_paginator("list_grants").paginate(KeyId=_id(kms, alias))
            for one in page["Grants"]
        ],
        _none,
        "a grant may sign regardless of the policy: revoke it (kms:RevokeGrant), and treat what "
        "was signed since as doubtful",
    )


def arns(kms: KMSClient, plans: tuple[KeyPlan, ...]) -> list[str]:
    """Return the ARNs of keys, found by their aliases. Raises `ClientError` if one is missing."""
    return [
        str(kms.describe_key(KeyId=f"alias/{one.alias}")["KeyMetadata"]["Arn"]) for one in plans
    ]


def _id(kms: KMSClient, alias: str) -> str:
    """Return the id of a key: calls about policies and grants do not accept an alias."""
    return str(kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"])


def _none(grants: list[dict[str, Any]]) -> Judged:
    grantees = [str(one.get("GranteePrincipal")) for one in grants]
    return not grantees, ", ".join(grantees) or "none"
