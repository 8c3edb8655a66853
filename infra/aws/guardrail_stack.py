"""The management account: organization policies around the evidence account. Opt-in."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws import plan
from infra.aws.guardrail_documents import (
    Protected,
    resource_control_policy,
    service_control_policies,
)
from infra.aws.guardrails import Guardrail
from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Guardrails


class GuardrailStack(Stack):
    """The service control policies and the resource control policy, attached to their targets.

    In the region AWS Organizations itself is run from: its endpoint is there alone.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        guardrails: Guardrails,
        management_account: str,
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(
                account=management_account,
                region=naming.organizations_region(config.evidence.buckets[0].region),
            ),
            description="nhi-evidence: what the organization forbids around the evidence account",
            termination_protection=True,
        )
        protected = _protected(config, guardrails)
        for policy_name, content in service_control_policies(protected).items():
            Guardrail(
                self,
                policy_name,
                kind="SERVICE_CONTROL_POLICY",
                policy_name=policy_name,
                meaning="What no principal of the evidence account may do",
                content=content,
                targets=guardrails.targets,
            )
        Guardrail(
            self,
            "ResourceControl",
            kind="RESOURCE_CONTROL_POLICY",
            policy_name="nhi-evidence-resources",
            meaning="Who may reach the buckets and roles of the evidence account",
            content=resource_control_policy(
                protected,
                organization=config.organization.id,
                auditors=[arn for one in config.auditors for arn in one.principals],
                web_identities=plan.web_identities(config),
            ),
            targets=guardrails.targets,
        )


def _protected(config: Config, guardrails: Guardrails) -> Protected:
    stores, account = config.evidence.buckets, config.evidence.account
    replicas = [one.replica for one in stores if one.replica is not None]
    return Protected(
        partition=naming.partition(stores[0].region),
        account=account,
        replica_accounts=tuple(one.account for one in replicas),
        buckets=(
            *(naming.bucket_arn(one.region, one.bucket) for one in stores),
            *(naming.bucket_arn(one.region, one.bucket) for one in replicas),
        ),
        sealers=tuple(
            naming.role_arn(one.region, account, naming.function(one.name, "sealer"))
            for one in stores
        ),
        pipeline_roles=guardrails.pipeline_roles,
        pipeline_principals=guardrails.pipeline_principals,
    )
