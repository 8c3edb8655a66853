"""The policies of queues and topics: who may send, and from where."""

from __future__ import annotations

from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.documents import Condition, Statement, deny

ALARM_SENDERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")

_PLAIN = {"Bool": {"aws:SecureTransport": "false"}}


def delivery_queue(feed: Feed) -> list[Statement]:
    """Return the policy of a feed's queue: only notifications of its bucket or topic.

    A notification is trusted because of its sender; the exporter then checks what it names.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    return [_senders(feed), *encrypted(feed.queue_arn)]


def encrypted(queue: str) -> list[Statement]:
    """Return the deny of every request without TLS to the queue with this ARN."""
    return [deny("PlainHttp", ["sqs:*"], queue, _PLAIN)]


def of_bucket(queue: str, bucket: str, owner: str) -> list[Statement]:
    """Return the policy of a queue: only notifications of the bucket with this ARN."""
    return [_notifications(queue, *_bucket(bucket, owner)), *encrypted(queue)]


def alarm_topic(topic: str, account: str) -> list[Statement]:
    """Return the policy of the topic with this ARN, to which alarms of `account` are sent."""
    alarms: Statement = {
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": {"Service": list(ALARM_SENDERS)},
        "Action": ["sns:Publish"],
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return [alarms, deny("PlainHttp", ["sns:Publish"], topic, _PLAIN)]


def _senders(feed: Feed) -> Statement:
    if feed.topic is None:
        return _notifications(feed.queue_arn, *_bucket(feed.bucket_arn, feed.owner))
    topic: Condition = {"ArnEquals": {"aws:SourceArn": feed.topic}}
    return _notifications(feed.queue_arn, "sns.amazonaws.com", topic)


def _bucket(bucket: str, owner: str) -> tuple[str, Condition]:
    condition: Condition = {
        "ArnEquals": {"aws:SourceArn": bucket},
        "StringEquals": {"aws:SourceAccount": owner},
    }
    return "s3.amazonaws.com", condition


def _notifications(queue: str, service: str, condition: Condition) -> Statement:
    return {
        "Sid": "Notifications",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sqs:SendMessage"],
        "Resource": queue,
        "Condition": dict(condition),
    }
