"""The management account: organization policies around the evidence account. Opt-in."""

from __future__ import annotations

from constructs import Construct

from infra.aws.guardrails import Guardrail
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.guardrail_plan import PolicyPlan, policies
from nhi_evidence.config.tables import Guardrails


class GuardrailStack(ProtectedStack):
    """The service control policies and the resource control policy, attached to their targets.

    It goes to the region of the only AWS Organizations endpoint.
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
            account=management_account,
            region=naming.organizations_region(config.evidence.buckets[0].region),
            description="what the organization forbids around the evidence account",
        )
        for policy in policies(config):
            Guardrail(self, _ids(policy), plan=policy, targets=guardrails.targets)


def _ids(plan: PolicyPlan) -> str:
    return plan.name if plan.kind == "SERVICE_CONTROL_POLICY" else "ResourceControl"
