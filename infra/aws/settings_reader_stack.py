"""An account whose settings are read: the role that reads them, and nothing else."""

from __future__ import annotations

from constructs import Construct

from infra.aws.planned_role import PlannedRole
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence.config import Config
from nhi_evidence.config.aws import coverage_roles


class SettingsReaderStack(ProtectedStack):
    """One role for each evidence bucket, which the function of that bucket may assume."""

    def __init__(self, scope: Construct, name: str, *, config: Config, account: str) -> None:
        super().__init__(
            scope,
            name,
            account=account,
            region=config.evidence.buckets[0].region,
            description="lets logging settings be read, and nothing else",
        )
        for store in config.evidence.buckets:
            planned = coverage_roles.settings_reader(config, store, account)
            stated = [one["Resource"] for one in planned.policy]
            resources = [
                one for each in stated for one in ([each] if isinstance(each, str) else each)
            ]
            PlannedRole(
                self,
                store.name,
                plan=planned,
                wide=[one for one in resources if "*" in one],
                reason="It reads the settings of every trail, rule, cluster and gateway of the "
                "account, future ones included; it reads no data.",
            )
