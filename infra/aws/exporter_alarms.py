"""What can go wrong between a bucket and the evidence account (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Alarm, metric, own
from infra.aws.feed import Feed
from infra.aws.redelivery import RETENTION_SECONDS

LAG = Duration.hours(1)
"""A file that waits longer than this is late; CloudTrail itself takes up to fifteen minutes."""

SERVICE = "aws_export"


class ExporterAlarms(Construct):
    """Dead letters, lag, loss drawing near, refused messages and silence of one exporter.

    `keep_days` is how long the source keeps its files, where that is known.
    """

    def __init__(
        self, scope: Construct, name: str, *, feed: Feed, keep_days: int | None, target: str
    ) -> None:
        super().__init__(scope, name)
        kept = RETENTION_SECONDS if keep_days is None else keep_days * 86_400
        half = Duration.seconds(min(RETENTION_SECONDS, kept) // 2)
        queue = {"QueueName": feed.exporter}
        age = metric("AWS/SQS", "ApproximateAgeOfOldestMessage", queue)
        dead = metric(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": f"{feed.exporter}-dead"},
        )
        self.alarms = [
            Alarm(
                self,
                "DeadLetters",
                alarm_name=f"{feed.exporter}-dead-letters",
                meaning="Files were given up after every attempt; their messages wait for you.",
                metrics={"dead": dead},
                expression="dead",
                statistic="Maximum",
                period=Duration.minutes(5),
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Lag",
                alarm_name=f"{feed.exporter}-lag",
                meaning="The oldest file waits for longer than an hour to become evidence.",
                metrics={"age": age},
                expression="age",
                statistic="Maximum",
                period=Duration.minutes(5),
                above=LAG.to_seconds(),
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Loss",
                alarm_name=f"{feed.exporter}-loss",
                meaning="Half the time is gone after which queue or source forget the oldest file.",
                metrics={"age": age},
                expression="age",
                statistic="Maximum",
                period=Duration.minutes(5),
                above=half.to_seconds(),
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Refused",
                alarm_name=f"{feed.exporter}-refused",
                meaning="A notification named a bucket, prefix or account that is not configured.",
                metrics={"refused": own("RefusedMessages", feed.exporter, SERVICE)},
                expression="refused",
                period=Duration.minutes(5),
                above=0,
                missing="notBreaching",
                target=target,
            ),
            Alarm(
                self,
                "Silence",
                alarm_name=f"{feed.exporter}-silence",
                meaning="No file was seen for three hours; CloudTrail sends digests every hour.",
                metrics={"created": own("ObjectsCreated", feed.exporter, SERVICE)},
                expression="created",
                period=Duration.hours(3),
                below=1,
                missing="breaching",
                target=target,
            ),
        ]
