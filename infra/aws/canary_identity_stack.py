"""An account that is probed: the harmless role whose calls are the probes, and nothing else."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws.planned_role import PlannedRole
from nhi_evidence.config import Config, EvidenceBucket
from nhi_evidence.config.aws import canary_roles


class CanaryIdentityStack(Stack):
    """One role, which the function of one evidence bucket may take."""

    def __init__(
        self, scope: Construct, name: str, *, config: Config, store: EvidenceBucket, account: str
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(account=account, region=store.region),
            description="nhi-evidence: a harmless identity whose calls show what is recorded",
            termination_protection=True,
        )
        PlannedRole(
            self,
            "Canary",
            plan=canary_roles.identity(config, store),
            wide=["*"],
            reason="It lists the names of the account's buckets, which AWS confines to no "
            "resource; what is in them it reads nowhere.",
        )
