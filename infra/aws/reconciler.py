"""The function that reconciles, its permissions and its schedule."""

from __future__ import annotations

from constructs import Construct

from infra.aws import acknowledged
from infra.aws.clock import Clock
from infra.aws.environment import variables
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from nhi_evidence.adapters.aws.reconciler import Settings
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import roles


class Reconciler(Construct):
    """States the completeness of one evidence bucket on the schedule in its `deploy.toml`.

    It reads everything, asks CloudTrail for its public keys, and writes by assuming the one role
    that may put under `op/v1/recon`.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: EvidenceBucket,
        bundle: Bundle,
        function_name: str,
        settings: Settings,
        architecture: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        self.staged = StagedFunction(
            self,
            "Reconcile",
            bundle=bundle,
            function_name=function_name,
            architecture=architecture,
            environment=variables(settings),
            role=lambda log_group: roles.reconciler(config, store, log_group=log_group),
        )
        acknowledged.prefixes(
            self.staged,
            [
                f"{naming.bucket_arn(store.region, store.bucket)}/*",
                roles.keys_arn(config, store),
                "*",
            ],
            "Its job is to read every version; it also reads the public half of the log's key, "
            "whose own policy names it, and CloudTrail's public keys, an action without "
            "resources.",
        )
        Clock(self, "Clock", staged=self.staged, minutes=bundle.declaration.rate_minutes)
