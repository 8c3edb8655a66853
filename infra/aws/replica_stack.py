"""The replica's account: a second locked bucket that only replication writes to."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from infra.aws.evidence_bucket import EvidenceBucket
from nhi_evidence import config as configuration
from nhi_evidence.config import Config, naming
from nhi_evidence.config.bucket_policy import replica_policy
from nhi_evidence.config.tables import Replica


class ReplicaStack(Stack):
    """The replica of one evidence bucket: the same lock, the same expiry, its own owner."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        store: configuration.EvidenceBucket,
        replica: Replica,
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(account=replica.account, region=replica.region),
            description=f"nhi-evidence: locked replica {replica.bucket} of {store.bucket}",
            termination_protection=True,
        )
        self.bucket = EvidenceBucket(
            self,
            "Replica",
            bucket=replica.bucket,
            retention_days=store.retention_days,
            grace_days=store.grace_days,
            archive_after_days=store.archive_after_days,
            statements=replica_policy(
                naming.bucket_arn(replica.region, replica.bucket),
                organization=config.organization.id,
                replication_role=naming.role_arn(
                    store.region, config.evidence.account, naming.replication(store.name)
                ),
            ),
        )
