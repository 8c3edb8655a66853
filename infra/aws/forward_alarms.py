"""What can go wrong between new evidence and its subscriber (docs/operations.md)."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, largest_above, metric, own
from nhi_evidence.config.aws.subscription import Subscription, dead

SERVICE = "forward"
LAG = Duration.minutes(15)
"""New evidence that waits longer is late for whoever monitors it."""
BEHIND = Duration.hours(4)
"""A subscriber that leaves a message this long is not reading."""


class ForwardAlarms(Construct):
    """Evidence is not forwarded, an object is not evidence, or the subscriber does not read.

    `silence_hours` is how long all sources together may be silent, if there is a limit. What never
    reaches the queue waits nowhere, so nothing else would show it.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        what: Subscription,
        silence_hours: int | None,
        target: str,
    ) -> None:
        super().__init__(scope, name)
        function, subscriber = what.forwarder, what.name
        alarm = partial(largest_above, self, named=function, target=target)
        self.alarms: list[Alarm | Absence] = [
            alarm(
                "dead-letters",
                (
                    "New evidence was not forwarded after every attempt; its messages wait in "
                    "the dead-letter queue."
                ),
                {"count": _visible(dead(function))},
                statistic="Maximum",
            ),
            alarm(
                "lag",
                "New evidence has waited longer than a quarter of an hour to be forwarded.",
                {"age": _age(function), "tried": own("AgeOfOldestMessage", function, SERVICE)},
                statistic="Maximum",
                above=LAG.to_seconds(),
            ),
            alarm(
                "errors",
                "The forwarding function failed in three consecutive hours.",
                {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": function})},
                period=Duration.hours(1),
                periods=3,
            ),
            alarm(
                "unsound",
                "An object under an evidence key is not evidence: see what verify says about it.",
                {"objects": own("UnsoundObjects", function, SERVICE)},
            ),
            alarm(
                "refused",
                (
                    "A notification named something that must not be read: another bucket or "
                    "key, or no version."
                ),
                {"messages": own("RefusedMessages", function, SERVICE)},
            ),
            alarm(
                "subscriber-behind",
                "The subscriber has left messages in its queue for four hours.",
                {"age": _age(subscriber)},
                statistic="Maximum",
                above=BEHIND.to_seconds(),
            ),
            alarm(
                "subscriber-dead-letters",
                (
                    "The subscriber failed to read lines in every attempt; their messages wait "
                    "in the dead-letter queue."
                ),
                {"count": _visible(dead(subscriber))},
                statistic="Maximum",
            ),
        ]
        if silence_hours is not None:
            self.alarms.append(
                Absence(
                    self,
                    "silence",
                    alarm_name=f"{function}-silence",
                    meaning=f"No new evidence has been forwarded for {silence_hours} hours.",
                    metric=own("ObjectsForwarded", function, SERVICE),
                    # Lambda polls the queue from deployment on, so SQS reports its metrics.
                    alive=_visible(function),
                    hours=silence_hours,
                    target=target,
                )
            )


def _age(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue})


def _visible(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
