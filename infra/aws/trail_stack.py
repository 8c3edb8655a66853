"""The management account: a new organization trail."""

from __future__ import annotations

from constructs import Construct

from infra.aws.organization_trail import OrganizationTrail
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence.config import Config
from nhi_evidence.config.tables import Trail


class TrailStack(ProtectedStack):
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
            account=management_account,
            region=trail.region,
            description=f"organization trail into {trail.bucket}",
        )
        OrganizationTrail(self, "Organization", config=config, trail=trail)
