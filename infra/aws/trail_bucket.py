"""The bucket of a new organization trail, in the log-archive account."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config import Config
from nhi_evidence.config.aws.buckets import trail_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.tables import Trail


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
            plan=trail_bucket(config, trail, feed),
            notification_configuration=_notifications(feed),
        )
        self.resource = made.resource


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
