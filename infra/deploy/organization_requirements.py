"""What the organization has to be: the right one, and one that admits CloudTrail and policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from infra.deploy.access import Access
from infra.deploy.asking import Asking, Judgment
from infra.deploy.assembly import Stack
from infra.deploy.clients import Organizations
from infra.deploy.requirement import Requirement, Standing
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.trusts import unknown_writers

_CLOUDTRAIL = "cloudtrail.amazonaws.com"
_POLICY_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def requirements(access: Access, config: Config, stacks: Sequence[Stack]) -> Iterator[Requirement]:
    """Yield what these stacks require of the organization itself."""
    for stack in stacks[:1]:
        yield from _right(access, config, stack)
    management = [one for one in stacks if one.account == config.organization.management_account]
    for stack in management[:1]:
        client = access.client("organizations", stack, naming.organizations_region(stack.region))
        if client is None:
            continue
        if any(trail.kind == "new" for trail in config.trails):
            yield from _trusted(Asking(f"organization {config.organization.id}"), client)
        if config.guardrails is not None:
            yield from _policies(Asking(f"organization {config.organization.id}"), client)
    if config.guardrails is not None and management:
        yield from _identities(config)


def _right(access: Access, config: Config, stack: Stack) -> Iterator[Requirement]:
    client = access.client("organizations", stack, naming.organizations_region(stack.region))
    if client is None:
        return
    wanted = config.organization.id
    yield from Asking(f"organization {wanted}").ask(
        f"whether {stack.account} is in it",
        lambda: client.describe_organization()["Organization"]["Id"],
        lambda actual: (
            (Standing.OK, f"{stack.account} is in it")
            if actual == wanted
            else (
                Standing.MISSING,
                f'{stack.account} is in {actual}, and outsiders may not write: set id = "{actual}"',
            )
        ),
        (Standing.MISSING, f"{stack.account} is in no organization"),
    )


def _trusted(asking: Asking, organizations: Organizations) -> Iterator[Requirement]:
    def judge(pages: Any) -> Judgment:
        trusted = {
            one["ServicePrincipal"] for page in pages for one in page["EnabledServicePrincipals"]
        }
        if _CLOUDTRAIL in trusted:
            return Standing.OK, "trusts CloudTrail"
        return Standing.MISSING, (
            "has no trusted access for CloudTrail: aws organizations enable-aws-service-access "
            f"--service-principal {_CLOUDTRAIL}"
        )

    yield from asking.ask(
        "whether it trusts CloudTrail",
        lambda: list(
            organizations.get_paginator("list_aws_service_access_for_organization").paginate()
        ),
        judge,
        (Standing.MISSING, "is not that of the management account"),
    )


def _policies(asking: Asking, organizations: Organizations) -> Iterator[Requirement]:
    def judge(roots: Any) -> Judgment:
        root = roots[0]
        enabled = {one["Type"] for one in root.get("PolicyTypes", ()) if one["Status"] == "ENABLED"}
        off = [one for one in _POLICY_TYPES if one not in enabled]
        if not off:
            return Standing.OK, "has both types of policies switched on"
        commands = "; ".join(
            f"aws organizations enable-policy-type --root-id {root['Id']} --policy-type {one}"
            for one in off
        )
        return Standing.MISSING, f"{', '.join(off)} off: {commands}"

    yield from asking.ask(
        "whether both types of policies are on",
        lambda: [
            root
            for page in organizations.get_paginator("list_roots").paginate()
            for root in page["Roots"]
        ],
        judge,
        (Standing.MISSING, "is not that of the management account"),
    )


def _identities(config: Config) -> Iterator[Requirement]:
    for table, key in unknown_writers(config):
        yield Requirement(
            "guardrails",
            Standing.NOTE,
            f"[{table}] has no {key} yet, so the guardrails refuse its tokens: deploy them again "
            "when it is known",
        )
