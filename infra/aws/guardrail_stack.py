"""The management account: organization policies around the evidence account. Opt-in."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws import plan
from infra.aws.guardrail_documents import resource_control_policy, service_control_policy
from infra.aws.guardrails import Guardrail
from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Guardrails


class GuardrailStack(Stack):
    """The service control policy and the resource control policy, attached to their targets."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        guardrails: Guardrails,
        management_account: str,
    ) -> None:
        region = config.evidence.buckets[0].region
        super().__init__(
            scope,
            name,
            env=Environment(account=management_account, region=region),
            description="nhi-evidence: what the organization forbids around the evidence account",
            termination_protection=True,
        )
        partition, account = naming.partition(region), config.evidence.account
        buckets = [naming.bucket_arn(one.region, one.bucket) for one in config.evidence.buckets]
        Guardrail(
            self,
            "ServiceControl",
            kind="SERVICE_CONTROL_POLICY",
            policy_name="nhi-evidence-principals",
            meaning="What no principal of the evidence account may change",
            content=service_control_policy(
                partition=partition,
                account=account,
                pipeline_role=guardrails.pipeline_role,
                buckets=buckets,
            ),
            targets=guardrails.targets,
        )
        Guardrail(
            self,
            "ResourceControl",
            kind="RESOURCE_CONTROL_POLICY",
            policy_name="nhi-evidence-resources",
            meaning="Who may reach the buckets and roles of the evidence account",
            content=resource_control_policy(
                partition=partition,
                account=account,
                organization=config.organization.id,
                buckets=buckets,
                auditors=[arn for one in config.auditors for arn in one.principals],
                web_identities=plan.web_identities(config),
            ),
            targets=guardrails.targets,
        )
