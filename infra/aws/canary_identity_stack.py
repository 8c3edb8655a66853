"""A probed account: the harmless role whose calls are the probes, and nothing else."""

from __future__ import annotations

from constructs import Construct

from infra.aws.planned_role import PlannedRole
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence.config import Config, EvidenceBucket
from nhi_evidence.config.aws import canary_roles


class CanaryIdentityStack(ProtectedStack):
    """One role, which the canary function of one evidence bucket may assume."""

    def __init__(
        self, scope: Construct, name: str, *, config: Config, store: EvidenceBucket, account: str
    ) -> None:
        super().__init__(
            scope,
            name,
            account=account,
            region=store.region,
            description="a harmless identity whose calls show what is recorded",
        )
        PlannedRole(
            self,
            "Canary",
            plan=canary_roles.identity(config, store),
            wide=["*"],
            reason="It lists the names of the account's buckets, an action that IAM cannot "
            "restrict to a resource; it reads nothing in them.",
        )
