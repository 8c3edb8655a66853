"""The locked bucket: COMPLIANCE by default, SSE-S3, private, expiring after its locks."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config.aws.buckets import BucketPlan

REQUEST_METRICS = "evidence"
"""Id of the filter that counts every request; the object-rate alarm reads it."""


class EvidenceBucket(Construct):
    """A bucket whose objects nobody can change or delete before their retention ends.

    S3 counts the bucket's requests. `replicate` is its replication configuration, if it has a
    replica; `notify` says what is notified of new objects, if there is a subscriber.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: BucketPlan,
        replicate: s3.CfnBucket.ReplicationConfigurationProperty | None = None,
        notify: s3.CfnBucket.NotificationConfigurationProperty | None = None,
    ) -> None:
        super().__init__(scope, name)
        private = PrivateBucket(
            self,
            "Private",
            plan=plan,
            metrics_configurations=[s3.CfnBucket.MetricsConfigurationProperty(id=REQUEST_METRICS)],
            replication_configuration=replicate,
            notification_configuration=notify,
        )
        self.resource, self.policy = private.resource, private.policy
