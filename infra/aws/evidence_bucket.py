"""The locked bucket: COMPLIANCE by default, SSE-S3, private, expiring after its locks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config.documents import Statement

EXPIRING = ("ev/", "op/")
"""What ends with its lock. `log/` does not: the leaves outlive what they name."""

REQUEST_METRICS = "evidence"
"""Id of the filter that counts every request; the object-rate alarm reads it."""


class EvidenceBucket(Construct):
    """A bucket whose objects nobody can change or delete before their retention ends.

    `retention_days` is the lock of every new version; `grace_days` later it expires. `statements`
    is the bucket's policy. S3 counts the requests of all, and of each of `sources`. `replicate` is
    its replication configuration, if it has a replica.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bucket: str,
        retention_days: int,
        grace_days: int,
        archive_after_days: int | None,
        statements: list[Statement],
        sources: Sequence[str] = (),
        replicate: s3.CfnBucket.ReplicationConfigurationProperty | None = None,
    ) -> None:
        super().__init__(scope, name)
        made = PrivateBucket(
            self,
            "Private",
            bucket=bucket,
            statements=statements,
            object_lock_enabled=True,
            object_lock_configuration=s3.CfnBucket.ObjectLockConfigurationProperty(
                object_lock_enabled="Enabled",
                rule=s3.CfnBucket.ObjectLockRuleProperty(
                    default_retention=s3.CfnBucket.DefaultRetentionProperty(
                        mode="COMPLIANCE", days=retention_days
                    )
                ),
            ),
            lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(
                rules=_lifecycle(retention_days + grace_days, archive_after_days)
            ),
            metrics_configurations=[
                s3.CfnBucket.MetricsConfigurationProperty(id=REQUEST_METRICS),
                *(
                    s3.CfnBucket.MetricsConfigurationProperty(id=one, prefix=f"ev/v1/{one}/")
                    for one in sources
                ),
            ],
            replication_configuration=replicate,
        )
        self.resource, self.policy = made.resource, made.policy


def _lifecycle(expire_days: int, archive_after_days: int | None) -> list[Any]:
    """Expire what its lock no longer holds; remove the markers expiry leaves."""
    rules = []
    for prefix in EXPIRING:
        rules.append(
            s3.CfnBucket.RuleProperty(
                id=f"expire-{prefix.rstrip('/')}",
                status="Enabled",
                prefix=prefix,
                expiration_in_days=expire_days,
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                    noncurrent_days=1
                ),
                transitions=[
                    s3.CfnBucket.TransitionProperty(
                        storage_class="GLACIER_IR", transition_in_days=archive_after_days
                    )
                ]
                if archive_after_days is not None
                else None,
            )
        )
        rules.append(
            s3.CfnBucket.RuleProperty(
                id=f"markers-{prefix.rstrip('/')}",
                status="Enabled",
                prefix=prefix,
                expired_object_delete_marker=True,
            )
        )
    return rules
