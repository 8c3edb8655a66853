"""Checks of the organization's policies in the management account, against what stacks write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.policy_differences import differences
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.guardrail_plan import PolicyPlan, policies

_CHANGED = f"somebody changed it; CloudTrail of the management account says who. Then {DEPLOY}"


def checks(config: Config, clients: Clients) -> Iterator[Check]:
    """Yield the checks of every organization policy that the configuration requires."""
    region = naming.organizations_region(config.evidence.buckets[0].region)
    organizations = clients.client("organizations", region)
    checks_of = AwsChecks(f"management account {config.organization.management_account}")
    targets = () if config.guardrails is None else config.guardrails.targets
    for plan in policies(config):
        yield from checks_of.compare(
            f"organization policy {plan.name}",
            lambda plan=plan: _answer(organizations, plan),  # type: ignore[misc]
            lambda actual, plan=plan: _judged(actual, plan, targets),  # type: ignore[misc]
            _CHANGED,
        )


def _answer(organizations: Any, plan: PolicyPlan) -> dict[str, Any]:
    pages = organizations.get_paginator("list_policies").paginate(Filter=plan.kind)
    ids = [one["Id"] for page in pages for one in page["Policies"] if one["Name"] == plan.name]
    if not ids:
        raise ClientError({"Error": {"Code": "PolicyNotFoundException"}}, "ListPolicies")
    attached = organizations.get_paginator("list_targets_for_policy").paginate(PolicyId=ids[0])
    return {
        "content": json.loads(organizations.describe_policy(PolicyId=ids[0])["Policy"]["Content"]),
        "targets": {one["TargetId"] for page in attached for one in page["Targets"]},
    }


def _judged(actual: dict[str, Any], plan: PolicyPlan, targets: tuple[str, ...]) -> Judged:
    changed = differences(actual["content"], plan.content["Statement"])
    detached = sorted(set(targets) - actual["targets"])
    faults = [
        *([changed] if changed else []),
        *([f"not attached to {', '.join(detached)}"] if detached else []),
    ]
    count = len(plan.content["Statement"])
    return not faults, "; ".join(faults) or f"{count} statements, as deployed"
