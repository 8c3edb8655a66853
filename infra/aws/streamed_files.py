"""Logs that reach S3 through Firehose: a bucket of their own, and a stream into it for each log."""

from __future__ import annotations

from aws_cdk import CfnOutput
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.aws.delivery_stream import DeliveryStream
from infra.aws.event_rule import EventRule
from infra.aws.log_destination import LogDestination
from infra.aws.notified_queue import notifications
from infra.aws.private_bucket import PrivateBucket
from nhi_evidence.config.aws.buckets import streamed_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.streams import StreamPlan


class StreamedFiles(Construct):
    """The bucket of a source, which notifies its exporter, and everything that fills it."""

    def __init__(
        self, scope: Construct, name: str, *, feed: Feed, plans: tuple[StreamPlan, ...]
    ) -> None:
        super().__init__(scope, name)
        self.bucket: s3.CfnBucket = PrivateBucket(
            self,
            "Private",
            plan=streamed_bucket(feed),
            notification_configuration=notifications(feed.queue_arn, feed.prefix),
        ).resource
        for plan in plans:
            delivery = DeliveryStream(self, plan.stream.name, plan=plan)
            delivery.resource.add_resource_dependency(self.bucket)
            if plan.stream.bus is not None:
                EventRule(self, f"{plan.stream.name}-events", plan=plan, stream=delivery.resource)
                continue
            destination = LogDestination(
                self, f"{plan.stream.name}-logs", plan=plan, stream=delivery.resource
            )
            CfnOutput(
                self,
                f"{plan.stream.name}-destination",
                value=destination.arn,
                description="The destination that log groups of the named accounts subscribe to",
            )
