"""What can go wrong between a log and its files (docs/operations.md)."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import largest_above, metric
from nhi_evidence.config.aws.streams import BUFFER_SECONDS, StreamPlan

LATE = BUFFER_SECONDS + Duration.minutes(15).to_seconds()
"""Seconds after which a record still in Firehose is late; the buffering interval is included."""


class StreamAlarms(Construct):
    """Records that are not delivered, are throttled, or could not be put by a rule.

    A subscription's own failures are metrics in the account of its log group (`AWS/Logs
    DeliveryErrors`), which no alarm here can read.
    """

    def __init__(self, scope: Construct, name: str, *, plan: StreamPlan, target: str) -> None:
        super().__init__(scope, name)
        alarm = partial(largest_above, self, named=plan.name, target=target)
        of_stream = {"DeliveryStreamName": plan.name}
        age = metric("AWS/Firehose", "DeliveryToS3.DataFreshness", of_stream)
        turned_away = metric("AWS/Firehose", "ThrottledRecords", of_stream)
        self.alarms = [
            alarm(
                "late",
                (
                    "Firehose has held a record for longer than it buffers: it cannot write to "
                    "the bucket."
                ),
                {"age": age},
                statistic="Maximum",
                above=LATE,
            ),
            alarm(
                "throttled",
                "Firehose throttled records: request a higher quota for the stream.",
                {"records": turned_away},
            ),
        ]
        if plan.stream.bus is not None:
            queue = {"QueueName": plan.dead_letters}
            self.alarms.append(
                alarm(
                    "dead-letters",
                    (
                        "Events were given up after a day of attempts; they wait in the "
                        "dead-letter queue."
                    ),
                    {"count": metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", queue)},
                    statistic="Maximum",
                )
            )
