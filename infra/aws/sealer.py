"""The sealer: its function, what it may do, and the clock that starts it."""

from __future__ import annotations

from constructs import Construct

from infra.aws import acknowledged
from infra.aws.auditor_role import LISTS, READS, SETTINGS
from infra.aws.clock import Clock
from infra.aws.environment import variables
from infra.aws.signing_key import PUBLIC
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from infra.declaration import DeclarationError, Schedule
from nhi_evidence.adapters.aws.sealer import Settings
from nhi_evidence.config.documents import allow


class Sealer(Construct):
    """Seals one evidence bucket on the schedule its `deploy.toml` says.

    It reads everything and writes under `log/` alone. No concurrency is reserved for it: the
    protocol holds however many run (docs/decisions/0038-no-reserved-concurrency.md). The schedule
    is its retry, so neither EventBridge nor Lambda repeats a failed run.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bundle: Bundle,
        function_name: str,
        bucket_arn: str,
        key_arn: str,
        settings: Settings,
        architecture: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        trigger = bundle.declaration.trigger
        if not isinstance(trigger, Schedule):
            raise DeclarationError(f"{bundle.name}: a sealer runs on a schedule, not on {trigger}")
        self.staged = StagedFunction(
            self,
            "Seal",
            bundle=bundle,
            function_name=function_name,
            architecture=architecture,
            environment=variables(settings),
            permissions=[
                allow("Read", READS, f"{bucket_arn}/*"),
                allow("List", [*LISTS, *SETTINGS], bucket_arn),
                allow("Log", ["s3:PutObject", "s3:PutObjectRetention"], f"{bucket_arn}/log/v1/*"),
                allow("Sign", ["kms:Sign", *PUBLIC], key_arn),
            ],
        )
        acknowledged.prefixes(
            self.staged,
            [f"{bucket_arn}/*", f"{bucket_arn}/log/v1/*"],
            "The sealer reads every version, which is its work, and writes the log alone.",
        )
        Clock(self, "Clock", staged=self.staged, minutes=trigger.rate_minutes)
