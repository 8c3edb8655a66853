"""The check of a role: who may assume it, and everything that grants it permissions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Judged, or_none
from nhi_evidence.adapters.aws.policy_differences import differences
from nhi_evidence.checks import Check
from nhi_evidence.config.aws.roles import RolePlan

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_CHANGED = f"somebody changed it; CloudTrail says who (iam.amazonaws.com). Then {DEPLOY}"


def role(checks_of: AwsChecks, iam: IAMClient, plan: RolePlan) -> Iterator[Check]:
    """Yield the check of one role: its trust, its policy, and that it has no other policy."""
    yield from checks_of.compare(
        f"role {plan.name}",
        lambda: _answer(iam, plan),
        lambda deployed: _judged(deployed, plan),
        _CHANGED,
    )


def _answer(iam: IAMClient, plan: RolePlan) -> dict[str, Any]:
    name = plan.name
    return {
        "role": iam.get_role(RoleName=name)["Role"],
        "policy": or_none(
            lambda: iam.get_role_policy(RoleName=name, PolicyName=plan.policy_name)[
                "PolicyDocument"
            ],
            "NoSuchEntity",
        ),
        "inline": [
            one
            for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
            for one in page["PolicyNames"]
        ],
        "attached": [
            one["PolicyName"]
            for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
            for one in page["AttachedPolicies"]
        ],
    }


def _judged(deployed: dict[str, Any], plan: RolePlan) -> Judged:
    trust = differences(deployed["role"]["AssumeRolePolicyDocument"], plan.trust)
    actual = deployed["policy"]
    policy = "not there" if actual is None else differences(actual, plan.policy)
    others = sorted({*deployed["inline"]} - {plan.policy_name}) + sorted(deployed["attached"])
    faults = [
        *([f"trust {trust}"] if trust else []),
        *([f"policy {plan.policy_name} {policy}"] if policy else []),
        *([f"more policies: {', '.join(others)}"] if others else []),
    ]
    trusted = f"trust and policy {plan.policy_name}, as deployed"
    return not faults, "; ".join(faults) or trusted
