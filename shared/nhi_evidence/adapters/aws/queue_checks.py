"""Checks of a function's queues: who may send, how often it retries, where it gives up to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Judged, NotThereError
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.checks import Check, differing
from nhi_evidence.config.aws import queues
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config.documents import Statement

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_REDRIVE = "find the cause in the consumer's log, fix it, then redrive (docs/operations.md)"
_CHANGED = f"somebody changed it; CloudTrail says who (SetQueueAttributes). Then {DEPLOY}"
_EMPTY = '{"Statement": []}'


def exporter_queues(
    checks_of: AwsChecks, sqs: SQSClient, feed: Feed, numbers: Redelivery
) -> Iterator[Check]:
    """Yield the checks of a feed's queue and its dead-letter queue."""
    plan = QueuePlan(
        name=feed.exporter,
        arn=feed.queue_arn,
        dead_letters=feed.dead_letters,
        dead_letters_arn=feed.dead_letters_arn,
        policy=queues.delivery_queue(feed),
        dead_policy=queues.encrypted(feed.dead_letters_arn),
        visibility=numbers.visibility,
        receives=numbers.max_receive_count,
    )
    yield from both(checks_of, sqs, plan)


class QueuePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and its dead-letter queue, as the stacks write them."""

    name: str
    arn: str
    dead_letters: str
    dead_letters_arn: str
    policy: list[Statement]
    dead_policy: list[Statement]
    visibility: int
    """Visibility timeout, in seconds."""
    receives: int
    """Number of receives before a message is given up."""


def both(checks_of: AwsChecks, sqs: SQSClient, plan: QueuePlan) -> Iterator[Check]:
    """Yield the checks of a queue and its dead-letter queue."""
    name, dead = plan.name, plan.dead_letters
    yield from checks_of.look(
        f"queue {name}",
        lambda: _attributes(sqs, name),
        lambda answer: (True, f"{answer['ApproximateNumberOfMessages']} waiting"),
        DEPLOY,
    )
    yield from _given_up(checks_of, sqs, dead, _REDRIVE)
    yield from _compared(checks_of, sqs, name, plan.policy, _delivery(plan))
    yield from _compared(checks_of, sqs, dead, plan.dead_policy, _dead(plan))


def dead_letters(
    checks_of: AwsChecks, sqs: SQSClient, name: str, *, policy: list[Statement]
) -> Iterator[Check]:
    """Yield the checks of a queue for what a rule could not deliver; no queue gives up to it."""
    yield from _given_up(checks_of, sqs, name, "each says why; docs/operations.md says what to do")
    settings = {**_COMMON, "gives up to": "none"}
    yield from _compared(checks_of, sqs, name, policy, settings)


def _attributes(sqs: SQSClient, queue: str) -> dict[str, str]:
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {str(attribute): value for attribute, value in answer["Attributes"].items()}


def _given_up(
    checks_of: AwsChecks, sqs: SQSClient, queue: str, remediation: str
) -> Iterator[Check]:
    yield from checks_of.look(
        f"queue {queue}",
        lambda: int(_attributes(sqs, queue)["ApproximateNumberOfMessages"]),
        lambda n: (n == 0, f"{n} given up"),
        remediation,
    )


def _compared(
    checks_of: AwsChecks,
    sqs: SQSClient,
    queue: str,
    policy: list[Statement],
    settings: Mapping[str, str],
) -> Iterator[Check]:
    yield from checks_of.compare(
        f"queue {queue}, who may send",
        lambda: _attributes(sqs, queue),
        lambda answer: judged(json.loads(answer.get("Policy", _EMPTY)), policy),
        _CHANGED,
    )
    yield from checks_of.compare(
        f"queue {queue}, settings",
        lambda: _attributes(sqs, queue),
        lambda answer: differing(settings, _settings(answer)),
        _CHANGED,
    )


def topic_subscription(checks_of: AwsChecks, sns: Any, feed: Feed) -> Iterator[Check]:
    """Yield the check of the subscription that passes a topic's notifications to the queue."""
    if feed.topic is None:
        return

    def ask() -> dict[str, str]:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=feed.topic)
        for subscription in (one for page in pages for one in page["Subscriptions"]):
            if subscription.get("Endpoint") == feed.queue_arn:
                arn = subscription["SubscriptionArn"]
                answer = sns.get_subscription_attributes(SubscriptionArn=arn)
                return {str(attribute): value for attribute, value in answer["Attributes"].items()}
        raise NotThereError("the queue is not subscribed")

    yield from checks_of.compare(
        f"subscription of {feed.exporter} to {feed.topic}",
        ask,
        _subscribed,
        f"files of {feed.bucket} are not announced to the exporter; then replay. {DEPLOY}",
    )


def _subscribed(attributes: Mapping[str, str]) -> Judged:
    wanted = {"filter": "none", "raw": "false", "confirmed": "yes"}
    pending = attributes.get("PendingConfirmation", "false") == "true"
    return differing(
        wanted,
        {
            "filter": attributes.get("FilterPolicy", "none"),
            "raw": attributes.get("RawMessageDelivery", "false"),
            "confirmed": "no" if pending else "yes",
        },
    )


def _delivery(plan: QueuePlan) -> dict[str, str]:
    return {
        **_COMMON,
        "visibility timeout": f"{plan.visibility} s",
        "gives up to": plan.dead_letters_arn,
        "receives before that": str(plan.receives),
    }


def _dead(plan: QueuePlan) -> dict[str, str]:
    return {**_COMMON, "gives up to": "none", "dead letters of": plan.arn}


_COMMON = {
    "retention": f"{RETENTION_SECONDS} s",
    "delay": "0 s",
    "encryption": "SQS's own key",
}


def _settings(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return what SQS states about a queue, in the words of the plans above."""
    redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
    allowed = json.loads(attributes.get("RedriveAllowPolicy", "{}"))
    own = attributes.get("SqsManagedSseEnabled") == "true"
    sources = allowed.get("sourceQueueArns", ())
    return {
        "retention": f"{attributes.get('MessageRetentionPeriod')} s",
        "delay": f"{attributes.get('DelaySeconds', '0')} s",
        "encryption": "SQS's own key" if own else attributes.get("KmsMasterKeyId", "none"),
        "visibility timeout": f"{attributes.get('VisibilityTimeout')} s",
        "gives up to": str(redrive.get("deadLetterTargetArn", "none")),
        "receives before that": str(redrive.get("maxReceiveCount", "none")),
        "dead letters of": ", ".join(sources) or str(allowed.get("redrivePermission", "any")),
    }
