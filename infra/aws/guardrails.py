"""The guardrails as policies of the organization, attached where the configuration says."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from nhi_evidence.config.aws.guardrail_documents import LONGEST_DOCUMENT
from nhi_evidence.config.aws.guardrail_plan import PolicyPlan
from nhi_evidence.errors import SettingsError


class Guardrail(Construct):
    """One organization policy. Raises `SettingsError` when it is longer than AWS allows."""

    def __init__(
        self, scope: Construct, name: str, *, plan: PolicyPlan, targets: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        length = len(msgspec.json.encode(plan.content))
        if length > LONGEST_DOCUMENT:
            raise SettingsError(
                f"{plan.name} has {length} characters, more than {LONGEST_DOCUMENT}: "
                "attach guardrails for fewer buckets, auditors or tenants"
            )
        organizations.CfnPolicy(
            self,
            "Policy",
            name=plan.name,
            description=plan.meaning,
            type=plan.kind,
            content=plan.content,
            target_ids=list(targets),
        )
