"""The bucket of a new organization trail, in the log-archive account."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.feed import Feed
from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config import Config, naming
from nhi_evidence.config.bucket_policy import transport
from nhi_evidence.config.documents import Statement
from nhi_evidence.config.tables import Trail

CLOUDTRAIL = "cloudtrail.amazonaws.com"


class TrailBucket(Construct):
    """A bucket that takes the files of one trail and notifies that trail's exporter of each.

    Files expire after the trail's `keep_days`, or never. Raises `ValueError` for a configuration
    without a management account, to which the trail belongs.
    """

    def __init__(
        self, scope: Construct, name: str, *, config: Config, trail: Trail, feed: Feed
    ) -> None:
        super().__init__(scope, name)
        made = PrivateBucket(
            self,
            "Private",
            bucket=trail.bucket,
            statements=[*transport(feed.bucket_arn), *_deliveries(config, trail)],
            lifecycle_configuration=None if trail.keep_days is None else _expiry(trail.keep_days),
            notification_configuration=_notifications(feed),
        )
        self.resource = made.resource


def _deliveries(config: Config, trail: Trail) -> list[Statement]:
    """What CloudTrail itself needs, for this trail alone.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    management = config.organization.management_account
    if management is None:
        raise ValueError(f"the new trail {trail.name} has no management account to belong to")
    bucket = naming.bucket_arn(trail.region, trail.bucket)
    service = {"Service": CLOUDTRAIL}
    this_trail = {"aws:SourceArn": naming.trail_arn(trail.region, management, trail.name)}
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


def _notifications(feed: Feed) -> s3.CfnBucket.NotificationConfigurationProperty:
    prefix = s3.CfnBucket.FilterRuleProperty(name="prefix", value=feed.prefix)
    return s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(
                event="s3:ObjectCreated:*",
                queue=feed.queue_arn,
                filter=s3.CfnBucket.NotificationFilterProperty(
                    s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[prefix])
                ),
            )
        ]
    )


def _expiry(days: int) -> s3.CfnBucket.LifecycleConfigurationProperty:
    return s3.CfnBucket.LifecycleConfigurationProperty(
        rules=[
            s3.CfnBucket.RuleProperty(
                id="expire",
                status="Enabled",
                expiration_in_days=days,
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                    noncurrent_days=1
                ),
            )
        ]
    )
