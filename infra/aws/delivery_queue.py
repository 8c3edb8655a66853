"""The queue between a bucket and its exporter, and the one for what could not be exported."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.feed import Feed
from infra.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config import documents
from nhi_evidence.config.documents import deny


class DeliveryQueue(Construct):
    """Takes notifications of one bucket, or of one topic, and from nobody else."""

    def __init__(self, scope: Construct, name: str, *, feed: Feed, numbers: Redelivery) -> None:
        super().__init__(scope, name)
        self.dead_letters = sqs.CfnQueue(
            self,
            "DeadLetters",
            queue_name=f"{feed.exporter}-dead",
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
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        self.policy = sqs.CfnQueuePolicy(
            self,
            "Policy",
            queues=[self.queue.ref],
            policy_document=documents.document(
                [_senders(feed), deny("PlainHttp", ["sqs:*"], feed.queue_arn, plain)]
            ),
        )
        sqs.CfnQueuePolicy(
            self,
            "DeadPolicy",
            queues=[self.dead_letters.ref],
            policy_document=documents.document(
                [deny("PlainHttp", ["sqs:*"], f"{feed.queue_arn}-dead", plain)]
            ),
        )


def _senders(feed: Feed) -> documents.Statement:
    """A notification is believed for where it comes from; the exporter then checks what it names.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    if feed.topic is not None:
        service, condition = "sns.amazonaws.com", {"ArnEquals": {"aws:SourceArn": feed.topic}}
    else:
        service = "s3.amazonaws.com"
        condition = {
            "ArnEquals": {"aws:SourceArn": feed.bucket_arn},
            "StringEquals": {"aws:SourceAccount": feed.owner},
        }
    return {
        "Sid": "Notifications",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sqs:SendMessage"],
        "Resource": feed.queue_arn,
        "Condition": condition,
    }
