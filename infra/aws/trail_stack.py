"""The management account: a new organization trail."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws.organization_trail import OrganizationTrail
from nhi_evidence.config import Config
from nhi_evidence.config.tables import Trail


class TrailStack(Stack):
    """One trail, deployed after the bucket it delivers to."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        trail: Trail,
        management_account: str,
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(account=management_account, region=trail.region),
            description=f"nhi-evidence: organization trail into {trail.bucket}",
            termination_protection=True,
        )
        OrganizationTrail(self, "Organization", config=config, trail=trail)
