"""The evidence account: the function that announces probes before their hour, then makes them."""

from __future__ import annotations

from constructs import Construct

from infra.aws import acknowledged
from infra.aws.clock import Clock
from infra.aws.environment import variables
from infra.aws.protected_stack import ProtectedStack
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from nhi_evidence.adapters.aws.function_settings import canary_settings
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import canary_roles
from nhi_evidence.config.tables import Canaries


class CanaryStack(ProtectedStack):
    """Function, role and schedule of the canaries of one evidence bucket.

    The role it writes plans with belongs to the evidence stack, the canaries to the probed
    accounts.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: EvidenceBucket,
        canaries: Canaries,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            account=config.evidence.account,
            region=store.region,
            description=f"probes whether calls arrive in {store.bucket}",
        )
        self.function_name = naming.function(store.id, naming.CANARY)
        self.reconciler = naming.function(store.id, naming.OPERATORS["recon"])
        self.staged = StagedFunction(
            self,
            "Canary",
            bundle=bundle,
            function_name=self.function_name,
            architecture=architecture,
            environment=variables(canary_settings(config, store, canaries)),
            role=lambda log_group: canary_roles.runner(config, store, log_group=log_group),
        )
        if canaries.google is not None or canaries.entra is not None:
            acknowledged.prefixes(
                self.staged,
                ["*"],
                (
                    "It identifies itself to other clouds with a token; the action that issues it "
                    "has no resource."
                ),
            )
        Clock(self, "Clock", staged=self.staged, minutes=bundle.declaration.rate_minutes)
