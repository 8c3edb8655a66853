"""The replica's account: a second locked bucket that only replication writes to."""

from __future__ import annotations

from constructs import Construct

from infra.aws.evidence_bucket import EvidenceBucket
from infra.aws.protected_stack import ProtectedStack
from nhi_evidence import config as configuration
from nhi_evidence.config import Config
from nhi_evidence.config.aws.buckets import replica_bucket
from nhi_evidence.config.tables import Replica


class ReplicaStack(ProtectedStack):
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
            account=replica.account,
            region=replica.region,
            description=f"locked replica {replica.bucket} of {store.bucket}",
        )
        self.bucket = EvidenceBucket(self, "Replica", plan=replica_bucket(config, store, replica))
