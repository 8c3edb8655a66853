"""A role as planned: who may assume it, and its one policy."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws import acknowledged
from nhi_evidence.config import documents
from nhi_evidence.config.aws.roles import RolePlan


class PlannedRole(Construct):
    """One role. Sessions last an hour, so a stolen one is of use no longer.

    `wide` are the resources of its policy that end in a wildcard, and `reason` says why.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: RolePlan,
        wide: Sequence[str] = (),
        reason: str = "",
    ) -> None:
        super().__init__(scope, name)
        self.resource = iam.CfnRole(
            self,
            "Role",
            role_name=plan.name,
            assume_role_policy_document=documents.document(plan.trust),
            max_session_duration=Duration.hours(1).to_seconds(),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name=plan.policy_name,
                    policy_document=documents.document(plan.policy),
                )
            ],
        )
        if wide:
            acknowledged.prefixes(self, wide, reason)
