"""Have an existing bucket notify the queue, besides whatever it notifies already."""

from __future__ import annotations

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.delivery_queue import DeliveryQueue
from nhi_evidence.config.aws.feed import Feed


class BucketNotifications(Construct):
    """Notifications of created objects from an existing bucket of the same account.

    CloudFormation cannot change a bucket it did not create. CDK's own custom resource can, and
    keeps the existing notifications.
    """

    def __init__(self, scope: Construct, name: str, *, feed: Feed, delivery: DeliveryQueue) -> None:
        super().__init__(scope, name)
        bucket = s3.Bucket.from_bucket_name(self, "Bucket", feed.bucket)
        queue = sqs.Queue.from_queue_arn(self, "Queue", feed.queue_arn)
        bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.SqsDestination(queue),
            *([s3.NotificationKeyFilter(prefix=feed.prefix)] if feed.prefix else []),
        )
        # S3 tests the destination before it accepts it.
        bucket.node.add_dependency(delivery.policy)
