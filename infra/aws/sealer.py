"""The sealer: its function, its permissions and its schedule."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from infra.aws import acknowledged
from infra.aws.clock import Clock
from infra.aws.environment import variables
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from nhi_evidence.adapters.aws.function_settings import sealer_settings
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import roles


class Sealer(Construct):
    """Seals one evidence bucket with the keys of these ARNs, as scheduled in its `deploy.toml`.

    It reads everything and writes only under `log/`. No concurrency is reserved for it: the
    protocol is correct however many run (docs/decisions/0038-no-reserved-concurrency.md). The next
    tick is the retry, so neither EventBridge nor Lambda repeats a failed run.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: EvidenceBucket,
        bundle: Bundle,
        keys: Sequence[str],
        architecture: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        function_name = naming.function(store.id, "sealer")
        bucket_arn = naming.bucket_arn(store.region, store.bucket)
        self.staged = StagedFunction(
            self,
            "Seal",
            bundle=bundle,
            function_name=function_name,
            architecture=architecture,
            environment=variables(sealer_settings(config, store, keys)),
            role=lambda log_group: roles.sealer(store, keys=keys, log_group=log_group),
        )
        acknowledged.prefixes(
            self.staged,
            [f"{bucket_arn}/*", f"{bucket_arn}/log/v1/*"],
            "The sealer's job is to read every version; it writes only the log.",
        )
        Clock(self, "Clock", staged=self.staged, minutes=bundle.declaration.rate_minutes)
