"""What can go wrong between a bucket and the evidence account (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, largest_above, metric, own
from infra.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config.aws.feed import Feed

LAG = Duration.hours(1)
"""A file that waits longer than this is late; CloudTrail itself takes up to fifteen minutes."""

SERVICE = "aws_export"

Make = Callable[..., Alarm]
"""`largest_above` for one exporter and target."""


class ExporterAlarms(Construct):
    """Dead letters, lag, failures, imminent loss, refusals, rejections and silence.

    SQS leaves a message that was received more than three times out of its age metric. So the
    function reports the age of what it could not lock, which is retried within the hour.
    `keep_days` is how long the source keeps its files, if known; `silence_hours` is how long the
    source may be silent, if there is a limit.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        feed: Feed,
        numbers: Redelivery,
        keep_days: int | None,
        silence_hours: int | None,
        target: str,
    ) -> None:
        super().__init__(scope, name)
        alarm = partial(largest_above, self, named=feed.exporter, target=target)
        kept = RETENTION_SECONDS if keep_days is None else keep_days * 86_400
        self.alarms: list[Alarm | Absence] = [
            *_dead_letters(alarm, feed, numbers),
            *_delays_and_failures(alarm, feed, numbers, kept),
            *_bad_input(alarm, feed),
        ]
        if silence_hours is not None:
            silence = Absence(
                self,
                "silence",
                alarm_name=f"{feed.exporter}-silence",
                meaning=f"No file of {feed.source} has been exported for {silence_hours} hours.",
                metric=own("ObjectsCreated", feed.exporter, SERVICE),
                # Lambda polls the queue from deployment on, so SQS reports its metrics.
                alive=metric(
                    "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": feed.exporter}
                ),
                hours=silence_hours,
                target=target,
            )
            self.alarms.append(silence)


def _dead_letters(alarm: Make, feed: Feed, numbers: Redelivery) -> Iterator[Alarm]:
    """Make the alarms of the dead-letter queue."""
    dead = {"QueueName": f"{feed.exporter}-dead"}
    yield alarm(
        "dead-letters",
        "Files were given up after every attempt; their messages wait in the dead-letter queue.",
        {"count": metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead)},
        statistic="Maximum",
    )
    yield alarm(
        "dead-letters-old",
        "Half the time is gone after which SQS deletes the message of the oldest file given up.",
        {"age": metric("AWS/SQS", "ApproximateAgeOfOldestMessage", dead)},
        statistic="Maximum",
        above=numbers.left_for_redrive // 2,
    )


def _delays_and_failures(
    alarm: Make, feed: Feed, numbers: Redelivery, kept: int
) -> Iterator[Alarm]:
    """Make the alarms of files that wait; the source keeps them for `kept` seconds."""
    age = metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": feed.exporter})
    tried = own("AgeOfOldestMessage", feed.exporter, SERVICE)
    ages = {"age": age, "tried": tried}
    yield alarm(
        "lag",
        "The oldest file has waited longer than an hour to become evidence.",
        ages,
        statistic="Maximum",
        period=Duration.hours(1),
        above=LAG.to_seconds(),
    )
    yield alarm(
        "failing",
        "Files could not be locked in two consecutive hours; they are retried.",
        {"messages": own("FailedMessages", feed.exporter, SERVICE)},
        period=Duration.hours(1),
        periods=2,
    )
    yield alarm(
        "errors",
        "The exporter itself failed in three consecutive hours: a file may crash it.",
        {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": feed.exporter})},
        period=Duration.hours(1),
        periods=3,
    )
    yield alarm(
        "loss",
        "Half the time is gone after which the queue or the source deletes the oldest file.",
        ages,
        statistic="Maximum",
        period=Duration.hours(1),
        above=min(RETENTION_SECONDS, kept) // 2,
    )
    yield alarm(
        "giving-up",
        "A file has failed for half the time after which it is given up.",
        {"tried": tried},
        statistic="Maximum",
        above=numbers.gives_up_after // 2,
        period=Duration.hours(1),
    )


def _bad_input(alarm: Make, feed: Feed) -> Iterator[Alarm]:
    """Make the alarms of notifications and files that the exporter refuses or rejects."""
    yield alarm(
        "refused",
        "A notification named a bucket, prefix or account that is not configured.",
        {"messages": own("RefusedMessages", feed.exporter, SERVICE)},
    )
    yield alarm(
        "rejected",
        "A file could not be decoded, or a record broke the mapper; it was locked as received.",
        {
            "deliveries": own("RejectedDeliveries", feed.exporter, SERVICE),
            "unmapped": own("UnmappedUnits", feed.exporter, SERVICE),
        },
    )
