"""From a bucket's notifications to its exporter, which writes into another account."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws import acknowledged
from infra.aws.delivery_queue import DeliveryQueue
from infra.aws.environment import variables
from infra.aws.redelivery import redelivery
from infra.aws.staged_function import StagedFunction
from infra.bundle import Bundle
from infra.declaration import DeclarationError, Sqs
from nhi_evidence.adapters.aws.exporter import Settings
from nhi_evidence.config import Config
from nhi_evidence.config.aws import roles
from nhi_evidence.config.aws.feed import Feed


class FileExporter(Construct):
    """Queue, dead letters and function of one feed.

    The function may read the feed's prefix, assume its writer role and consume its own queue.
    `window` is the batching window in seconds, in place of the declared one.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        feed: Feed,
        bundle: Bundle,
        settings: Settings,
        window: int | None = None,
        architecture: str | None = None,
    ) -> None:
        super().__init__(scope, name)
        trigger = bundle.declaration.trigger
        if not isinstance(trigger, Sqs):
            raise DeclarationError(
                f"{bundle.name}: files arrive through SQS, not through {trigger}"
            )
        numbers = redelivery(bundle.declaration, window)
        self.feed = feed
        self.delivery = DeliveryQueue(self, "Delivery", feed=feed, numbers=numbers)
        self.staged = StagedFunction(
            self,
            "Export",
            bundle=bundle,
            function_name=feed.exporter,
            architecture=architecture,
            environment=variables(settings),
            role=lambda log_group: roles.exporter(config, feed, log_group=log_group),
        )
        acknowledged.prefixes(
            self.staged,
            [f"{feed.bucket_arn}/{feed.prefix}*"],
            "The exporter reads the files under the configured prefix, and nothing else.",
        )
        lambda_.CfnEventSourceMapping(
            self,
            "Messages",
            event_source_arn=self.delivery.queue.attr_arn,
            function_name=self.staged.function.function_name,
            batch_size=numbers.batch_size,
            maximum_batching_window_in_seconds=numbers.window,
            function_response_types=["ReportBatchItemFailures"]
            if trigger.report_batch_item_failures
            else None,
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=trigger.maximum_concurrency
            ),
        )
        if feed.topic is not None:
            subscription = sns.CfnSubscription(
                self,
                "Subscription",
                topic_arn=feed.topic,
                protocol="sqs",
                endpoint=self.delivery.queue.attr_arn,
                region=feed.topic.split(":")[3],
            )
            subscription.add_resource_dependency(self.delivery.policy)
