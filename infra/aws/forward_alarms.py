"""What can go wrong between new evidence and its subscriber (docs/operations.md)."""

from __future__ import annotations

from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import largest_above, metric, own
from nhi_evidence.config.aws.subscription import Subscription, dead

SERVICE = "forward"
LAG = Duration.minutes(15)
"""New evidence that waits for longer is late for whoever watches."""
BEHIND = Duration.hours(4)
"""A subscriber that leaves a message for so long does not take them."""


class ForwardAlarms(Construct):
    """Evidence that is not handed on, is none inside, or is not taken by its subscriber."""

    def __init__(self, scope: Construct, name: str, *, what: Subscription, target: str) -> None:
        super().__init__(scope, name)
        function, subscriber = what.forwarder, what.name
        alarm = partial(largest_above, self, named=function, target=target)
        self.alarms = [
            alarm(
                "dead-letters",
                "New evidence was not forwarded after every attempt; its messages wait for you.",
                {"count": _visible(dead(function))},
                statistic="Maximum",
            ),
            alarm(
                "lag",
                "New evidence waits for longer than a quarter of an hour to be forwarded.",
                {"age": _age(function), "tried": own("AgeOfOldestMessage", function, SERVICE)},
                statistic="Maximum",
                above=LAG.to_seconds(),
            ),
            alarm(
                "errors",
                "The function that forwards broke off in each of three hours.",
                {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": function})},
                period=Duration.hours(1),
                periods=3,
            ),
            alarm(
                "unsound",
                "An object under a key of evidence is none inside: see what verify says of it.",
                {"objects": own("UnsoundObjects", function, SERVICE)},
            ),
            alarm(
                "refused",
                "A notification named what is not to be read: another bucket, key, or no version.",
                {"messages": own("RefusedMessages", function, SERVICE)},
            ),
            alarm(
                "subscriber-behind",
                "The subscriber has left lines in its queue for four hours.",
                {"age": _age(subscriber)},
                statistic="Maximum",
                above=BEHIND.to_seconds(),
            ),
            alarm(
                "subscriber-dead-letters",
                "The subscriber could not take lines after every attempt: they wait for you.",
                {"count": _visible(dead(subscriber))},
                statistic="Maximum",
            ),
        ]


def _age(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue})


def _visible(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
