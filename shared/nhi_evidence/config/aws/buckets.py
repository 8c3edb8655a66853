"""Every bucket that the stacks make: its policy, its lock, and when its objects expire."""

from __future__ import annotations

import msgspec

from nhi_evidence.config import Config, EvidenceBucket, naming
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.bucket_policy import (
    deny_outsiders,
    evidence_policy,
    replica_policy,
    transport,
)
from nhi_evidence.config.documents import Statement
from nhi_evidence.config.tables import Athena, Replica, Trail

EXPIRING = ("ev/", "op/")
"""What expires after its lock. `log/` does not: leaves outlive what they name."""

CLOUDTRAIL = "cloudtrail.amazonaws.com"


class LifecycleRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of a bucket's lifecycle; days count from when an object was written."""

    id: str
    prefix: str = ""
    """Empty: the whole bucket."""
    expire_days: int | None = None
    noncurrent_days: int | None = None
    """Days from when a version stops being current until it expires."""
    archive_days: int | None = None
    """Days until an object moves to Glacier Instant Retrieval."""
    markers: bool = False
    """Whether delete markers without any version under them are removed."""


class BucketPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One bucket. All are versioned, encrypted by S3 and not public."""

    name: str
    account: str
    region: str
    statements: list[Statement]
    lifecycle: list[LifecycleRule]
    lock_days: int | None = None
    """Default retention in COMPLIANCE mode; None: no Object Lock."""


def evidence_bucket(config: Config, store: EvidenceBucket) -> BucketPlan:
    """Return the plan of an evidence bucket."""
    account = config.evidence.account
    sealer = naming.function(store.id, "sealer")
    return BucketPlan(
        name=store.bucket,
        account=account,
        region=store.region,
        lock_days=store.retention_days,
        statements=evidence_policy(
            naming.bucket_arn(store.region, store.bucket),
            organization=config.organization.id,
            sealer=naming.role_arn(store.region, account, sealer),
            retention_days=store.retention_days,
            grace_days=store.grace_days,
            legal_role=config.evidence.legal_role,
        ),
        lifecycle=_expiry_after_lock(store),
    )


def replica_bucket(config: Config, store: EvidenceBucket, replica: Replica) -> BucketPlan:
    """Return the plan of an evidence bucket's replica: same lock and expiry, different owner."""
    return BucketPlan(
        name=replica.bucket,
        account=replica.account,
        region=replica.region,
        lock_days=store.retention_days,
        statements=replica_policy(
            naming.bucket_arn(replica.region, replica.bucket),
            organization=config.organization.id,
            replication_role=naming.role_arn(
                store.region, config.evidence.account, naming.replication(store.id)
            ),
        ),
        lifecycle=_expiry_after_lock(store),
    )


ANSWERS_DAYS = 30
"""How long Athena's results are kept: they are not evidence, and can be queried again."""


def answers_bucket(config: Config, store: EvidenceBucket, athena: Athena) -> BucketPlan:
    """Return the plan of the bucket for Athena's results."""
    bucket = naming.bucket_arn(store.region, athena.results)
    return BucketPlan(
        name=athena.results,
        account=config.evidence.account,
        region=store.region,
        statements=[*transport(bucket), deny_outsiders(bucket, config.organization.id)],
        lifecycle=[LifecycleRule(id="expire", expire_days=ANSWERS_DAYS, noncurrent_days=1)],
    )


def trail_bucket(config: Config, trail: Trail, feed: Feed) -> BucketPlan:
    """Return the plan of a new trail's bucket. Raises `ValueError` without a management account."""
    rules = []
    if trail.keep_days is not None:
        rules.append(LifecycleRule(id="expire", expire_days=trail.keep_days, noncurrent_days=1))
    return BucketPlan(
        name=trail.bucket,
        account=feed.account,
        region=trail.region,
        statements=[*transport(feed.bucket_arn), *_deliveries(config, trail)],
        lifecycle=rules,
    )


def streamed_bucket(feed: Feed) -> BucketPlan:
    """Return the plan of a bucket for streams. Only roles of its account may write to it."""
    return BucketPlan(
        name=feed.bucket,
        account=feed.account,
        region=feed.region,
        statements=transport(feed.bucket_arn),
        lifecycle=[],
    )


def _expiry_after_lock(store: EvidenceBucket) -> list[LifecycleRule]:
    """Return rules that expire objects after lock and grace, and remove the markers this leaves."""
    rules = []
    for prefix in EXPIRING:
        name = prefix.rstrip("/")
        rules += [
            LifecycleRule(
                id=f"expire-{name}",
                prefix=prefix,
                expire_days=store.retention_days + store.grace_days,
                noncurrent_days=1,
                archive_days=store.archive_after_days,
            ),
            LifecycleRule(id=f"markers-{name}", prefix=prefix, markers=True),
        ]
    return rules


def _deliveries(config: Config, trail: Trail) -> list[Statement]:
    """Return what CloudTrail itself needs, for this trail only.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    management = config.organization.management_account
    if management is None:
        raise ValueError(f"the new trail {trail.name} has no management account to belong to")
    bucket = naming.bucket_arn(trail.region, trail.bucket)
    service = {"Service": CLOUDTRAIL}
    name = naming.trail(config.id, trail.name)
    this_trail = {"aws:SourceArn": naming.trail_arn(trail.region, management, name)}
    statements: list[Statement] = [
        {
            "Sid": "TrailAcl",
            "Effect": "Allow",
            "Principal": service,
            "Action": ["s3:GetBucketAcl"],
            "Resource": bucket,
            "Condition": {"StringEquals": this_trail},
        }
    ]
    folders = {"TrailFiles": management, "TrailFilesOfOrganization": config.organization.id}
    for sid, folder in folders.items():
        statements.append(
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": service,
                "Action": ["s3:PutObject"],
                "Resource": f"{bucket}/{trail.prefix}AWSLogs/{folder}/*",
                "Condition": {
                    "StringEquals": {**this_trail, "s3:x-amz-acl": "bucket-owner-full-control"}
                },
            }
        )
    return statements
