"""The queue between a bucket and its exporter, and its dead-letter queue."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config import documents
from nhi_evidence.config.aws import queues
from nhi_evidence.config.aws.feed import Feed


class DeliveryQueue(Construct):
    """Accepts notifications from one bucket, or from one topic, and from nobody else."""

    def __init__(self, scope: Construct, name: str, *, feed: Feed, numbers: Redelivery) -> None:
        super().__init__(scope, name)
        self.dead_letters = sqs.CfnQueue(
            self,
            "DeadLetters",
            queue_name=feed.dead_letters,
            message_retention_period=RETENTION_SECONDS,
            sqs_managed_sse_enabled=True,
            redrive_allow_policy={
                "redrivePermission": "byQueue",
                "sourceQueueArns": [feed.queue_arn],
            },
        )
        self.queue = sqs.CfnQueue(
            self,
            "Queue",
            queue_name=feed.exporter,
            message_retention_period=RETENTION_SECONDS,
            visibility_timeout=numbers.visibility,
            sqs_managed_sse_enabled=True,
            redrive_policy={
                "deadLetterTargetArn": self.dead_letters.attr_arn,
                "maxReceiveCount": numbers.max_receive_count,
            },
        )
        self.policy = sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[self.queue.ref],
            policy_document=documents.document(queues.delivery_queue(feed)),
        )
        sqs.CfnQueuePolicy(
            self,
            "DeadPolicy",
            queues=[self.dead_letters.ref],
            policy_document=documents.document(queues.encrypted(feed.dead_letters_arn)),
        )
