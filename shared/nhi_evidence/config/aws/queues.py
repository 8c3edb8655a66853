"""The policies of queues and topics: who may send, and from where."""

from __future__ import annotations

from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.documents import Statement, deny

ALARM_TOPIC = "nhi-evidence-alarms"
"""Name of the topic alarms are sent to where the configuration names none."""

ALARM_SENDERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")

_PLAIN = {"Bool": {"aws:SecureTransport": "false"}}


def delivery_queue(feed: Feed) -> list[Statement]:
    """Return the policy of a feed's queue: notifications of its bucket or topic, and no others.

    A notification is believed for where it comes from; the exporter then checks what it names.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    return [_senders(feed), deny("PlainHttp", ["sqs:*"], feed.queue_arn, _PLAIN)]


def dead_letters(feed: Feed) -> list[Statement]:
    """Return the policy of a feed's dead-letter queue."""
    return [deny("PlainHttp", ["sqs:*"], feed.dead_letters_arn, _PLAIN)]


def alarm_topic(topic: str, account: str) -> list[Statement]:
    """Return the policy of the topic of this ARN, which alarms of `account` are sent to."""
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
