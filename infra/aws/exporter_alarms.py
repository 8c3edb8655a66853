"""What can go wrong between a bucket and the evidence account (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, largest, metric, own
from infra.aws.redelivery import RETENTION_SECONDS, Redelivery
from nhi_evidence.config.aws.feed import Feed

LAG = Duration.hours(1)
"""A file that waits longer than this is late; CloudTrail itself takes up to fifteen minutes."""

SERVICE = "aws_export"
_AT_ONCE = Duration.minutes(5)


class ExporterAlarms(Construct):
    """Dead letters, lag, failures, loss drawing near, refusals, rejections and silence.

    SQS takes a message that was received more than three times out of its age metric. So the
    function states the age of what it could not lock, which is tried again within the hour.
    `keep_days` is how long the source keeps its files, where that is known; `silence_hours` how
    long it may be silent, where it never is for longer.
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
        self._feed, self._target = feed, target
        kept = RETENTION_SECONDS if keep_days is None else keep_days * 86_400
        queue, dead = {"QueueName": feed.exporter}, {"QueueName": f"{feed.exporter}-dead"}
        age = metric("AWS/SQS", "ApproximateAgeOfOldestMessage", queue)
        failed = {"messages": own("FailedMessages", feed.exporter, SERVICE)}
        tried = own("AgeOfOldestMessage", feed.exporter, SERVICE)
        ages = {"age": age, "tried": tried}
        errors = {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": feed.exporter})}
        self.alarms: list[Alarm | Absence] = [
            self._alarm(
                "dead-letters",
                "Files were given up after every attempt; their messages wait for you.",
                {"count": metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", dead)},
                statistic="Maximum",
            ),
            self._alarm(
                "dead-letters-old",
                "Half the time is gone after which SQS forgets the oldest file given up.",
                {"age": metric("AWS/SQS", "ApproximateAgeOfOldestMessage", dead)},
                statistic="Maximum",
                above=numbers.left_for_redrive // 2,
            ),
            self._alarm(
                "lag",
                "The oldest file waits for longer than an hour to become evidence.",
                ages,
                statistic="Maximum",
                period=Duration.hours(1),
                above=LAG.to_seconds(),
            ),
            self._alarm(
                "failing",
                "Files could not be locked in two hours in a row; they are tried again.",
                failed,
                period=Duration.hours(1),
                periods=2,
            ),
            self._alarm(
                "errors",
                "The exporter itself broke off in each of three hours: a file may kill it.",
                errors,
                period=Duration.hours(1),
                periods=3,
            ),
            self._alarm(
                "loss",
                "Half the time is gone after which queue or source forget the oldest file.",
                ages,
                statistic="Maximum",
                period=Duration.hours(1),
                above=min(RETENTION_SECONDS, kept) // 2,
            ),
            self._alarm(
                "giving-up",
                "A file was tried in vain for half the time after which it is given up.",
                {"tried": tried},
                statistic="Maximum",
                above=numbers.gives_up_after // 2,
                period=Duration.hours(1),
            ),
            self._alarm(
                "refused",
                "A notification named a bucket, prefix or account that is not configured.",
                {"messages": own("RefusedMessages", feed.exporter, SERVICE)},
            ),
            self._alarm(
                "rejected",
                "A file could not be decoded, or a record broke the mapper: locked as it came.",
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
                meaning=f"No file of {feed.source} was exported for {silence_hours} hours.",
                metric=own("ObjectsCreated", feed.exporter, SERVICE),
                # Lambda polls the queue from the first day on, so SQS reports on it.
                alive=metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue),
                hours=silence_hours,
                target=target,
            )
            self.alarms.append(silence)

    def _alarm(
        self,
        kind: str,
        meaning: str,
        watched: dict[str, cloudwatch.CfnAlarm.MetricProperty],
        *,
        statistic: str = "Sum",
        above: float = 0,
        period: Duration = _AT_ONCE,
        periods: int = 1,
    ) -> Alarm:
        return Alarm(
            self,
            kind,
            alarm_name=f"{self._feed.exporter}-{kind}",
            meaning=meaning,
            metrics=watched,
            expression=largest(watched),
            statistic=statistic,
            period=period,
            periods=periods,
            above=above,
            missing="notBreaching",
            target=self._target,
        )
