"""The evidence account: the function that reads settings and states what is recorded under them."""

from __future__ import annotations

from constructs import Construct

from infra.aws import acknowledged
from infra.aws.clock import Clock
from infra.aws.environment import variables
from infra.aws.protected_stack import ProtectedStack
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from nhi_evidence.adapters.aws.function_settings import coverage_settings
from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws import coverage_roles
from nhi_evidence.errors import SettingsError

MOST_ENVIRONMENT_BYTES = 4096
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class CoverageStack(ProtectedStack):
    """Function, role and schedule of one evidence bucket.

    The roles it writes with belong to the evidence stack, those it reads with to the accounts it
    reads.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: EvidenceBucket,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            account=config.evidence.account,
            region=store.region,
            description=f"reads what is recorded, for {store.bucket}",
        )
        environment = variables(coverage_settings(config, store))
        size = sum(len(key) + len(value) for key, value in environment.items())
        if size > MOST_ENVIRONMENT_BYTES:
            raise SettingsError(
                f"coverage: its sources and accounts take {size} bytes of the function's "
                f"environment, but AWS allows {MOST_ENVIRONMENT_BYTES}: name fewer accounts"
            )
        self.function_name = naming.function(store.id, naming.OPERATORS["coverage"])
        self.staged = StagedFunction(
            self,
            "Coverage",
            bundle=bundle,
            function_name=self.function_name,
            architecture=architecture,
            environment=environment,
            role=lambda log_group: coverage_roles.collector(config, store, log_group=log_group),
        )
        bucket = naming.bucket_arn(store.region, store.bucket)
        acknowledged.prefixes(
            self.staged,
            [
                *(f"{bucket}/op/v1/{kind}/*" for kind in coverage_roles.KINDS),
                *(f"{bucket}/{each}" for each in coverage_roles.stated_elsewhere(config, store)[1]),
                "*",
            ],
            "It reads what it stated in other hours, and it identifies itself to other clouds "
            "with a token, an action without resources.",
        )
        Clock(self, "Clock", staged=self.staged, minutes=bundle.declaration.rate_minutes)
