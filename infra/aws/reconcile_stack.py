"""The evidence account: the function that states the completeness of one evidence bucket."""

from __future__ import annotations

from constructs import Construct

from infra.aws.protected_stack import ProtectedStack
from infra.aws.reconciler import Reconciler
from infra.bundle import Bundle
from nhi_evidence import config as configuration
from nhi_evidence.adapters.aws.function_settings import reconciler_settings
from nhi_evidence.config import Config, naming


class ReconcileStack(ProtectedStack):
    """Function, role and schedule; the role it writes with belongs to the evidence stack."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        account, region = config.evidence.account, store.region
        super().__init__(
            scope,
            name,
            account=account,
            region=region,
            description=f"states the completeness of {store.bucket}",
        )
        self.function_name = naming.function(store.id, naming.OPERATORS["recon"])
        Reconciler(
            self,
            "Reconciler",
            config=config,
            store=store,
            bundle=bundle,
            function_name=self.function_name,
            architecture=architecture,
            settings=reconciler_settings(config, store),
        )
