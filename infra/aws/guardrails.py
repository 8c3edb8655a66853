"""The guardrails as policies of the organization, attached where the configuration says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from infra.aws.guardrail_documents import LONGEST_DOCUMENT
from nhi_evidence.errors import SettingsError


class Guardrail(Construct):
    """One organization policy. Raises `SettingsError` when it is longer than AWS takes.

    `kind` is `SERVICE_CONTROL_POLICY` or `RESOURCE_CONTROL_POLICY`.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        kind: str,
        policy_name: str,
        meaning: str,
        content: dict[str, Any],
        targets: Sequence[str],
    ) -> None:
        super().__init__(scope, name)
        length = len(msgspec.json.encode(content))
        if length > LONGEST_DOCUMENT:
            raise SettingsError(
                f"{policy_name} has {length} characters, more than {LONGEST_DOCUMENT}: "
                "attach guardrails for fewer buckets, auditors or tenants"
            )
        organizations.CfnPolicy(
            self,
            "Policy",
            name=policy_name,
            description=meaning,
            type=kind,
            content=content,
            target_ids=list(targets),
        )
