"""What can go wrong between a bucket and the evidence account (docs/operations.md)."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, largest_above, metric, own
from infra.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config.aws.feed import Feed

LAG = Duration.hours(1)
"""A file that waits longer than this is late; CloudTrail itself takes up to fifteen minutes."""

SERVICE = "aws_export"


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
        queue, dead = {"QueueName": feed.exporter}, {"QueueName": f"{feed.exporter}-dead"}
        age = metric("AWS/SQS", "ApproximateAgeOfOldestMessage", queue)
        failed = {"messages": own("FailedMessages", feed.exporter, SERVICE)}
        tried = own("AgeOfOldestMessage", feed.exporter, SERVICE)
        ages = {"age": age, "tried": tried}
        errors = {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": feed.exporter})}
        self.alarms: list[Alarm | Absence] = [
            alarm(
                "dead-letters",
                (
                    "Files were given up after every attempt; their messages wait in the "
                    "dead-letter queue."
                ),
                {"count": metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead)},
                statistic="Maximum",
            ),
            alarm(
                "dead-letters-old",
                (
                    "Half the time is gone after which SQS deletes the message of the oldest "
                    "file given up."
                ),
                {"age": metric("AWS/SQS", "ApproximateAgeOfOldestMessage", dead)},
                statistic="Maximum",
                above=numbers.left_for_redrive // 2,
            ),
            alarm(
                "lag",
                "The oldest file has waited longer than an hour to become evidence.",
                ages,
                statistic="Maximum",
                period=Duration.hours(1),
                above=LAG.to_seconds(),
            ),
            alarm(
                "failing",
                "Files could not be locked in two consecutive hours; they are retried.",
                failed,
                period=Duration.hours(1),
                periods=2,
            ),
            alarm(
                "errors",
                "The exporter itself failed in three consecutive hours: a file may crash it.",
                errors,
                period=Duration.hours(1),
                periods=3,
            ),
            alarm(
                "loss",
                (
                    "Half the time is gone after which the queue or the source deletes the "
                    "oldest file."
                ),
                ages,
                statistic="Maximum",
                period=Duration.hours(1),
                above=min(RETENTION_SECONDS, kept) // 2,
            ),
            alarm(
                "giving-up",
                "A file has failed for half the time after which it is given up.",
                {"tried": tried},
                statistic="Maximum",
                above=numbers.gives_up_after // 2,
                period=Duration.hours(1),
            ),
            alarm(
                "refused",
                "A notification named a bucket, prefix or account that is not configured.",
                {"messages": own("RefusedMessages", feed.exporter, SERVICE)},
            ),
            alarm(
                "rejected",
                (
                    "A file could not be decoded, or a record broke the mapper; it was locked as "
                    "received."
                ),
                {
                    "deliveries": own("RejectedDeliveries", feed.exporter, SERVICE),
                    "unmapped": own("UnmappedUnits", feed.exporter, SERVICE),
                },
            ),
        ]
        if silence_hours is not None:
            silence = Absence(
                self,
                "silence",
                alarm_name=f"{feed.exporter}-silence",
                meaning=f"No file of {feed.source} has been exported for {silence_hours} hours.",
                metric=own("ObjectsCreated", feed.exporter, SERVICE),
                # Lambda polls the queue from deployment on, so SQS reports its metrics.
                alive=metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue),
                hours=silence_hours,
                target=target,
            )
            self.alarms.append(silence)
