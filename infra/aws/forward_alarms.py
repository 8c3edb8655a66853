"""What can go wrong between new evidence and its subscriber (docs/operations.md)."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Alarm, largest, metric, own
from nhi_evidence.config.aws.subscription import Subscription, dead

SERVICE = "forward"
LAG = Duration.minutes(15)
"""New evidence that waits for longer is late for whoever watches."""
BEHIND = Duration.hours(4)
"""A subscriber that leaves a message for so long does not take them."""
_AT_ONCE = Duration.minutes(5)


class ForwardAlarms(Construct):
    """Evidence that is not handed on, is none inside, or is not taken by its subscriber."""

    def __init__(self, scope: Construct, name: str, *, what: Subscription, target: str) -> None:
        super().__init__(scope, name)
        self._what, self._target = what, target
        function, subscriber = what.forwarder, what.name
        self.alarms = [
            self._alarm(
                "dead-letters",
                "New evidence was not forwarded after every attempt; its messages wait for you.",
                {"count": _visible(dead(function))},
                statistic="Maximum",
            ),
            self._alarm(
                "lag",
                "New evidence waits for longer than a quarter of an hour to be forwarded.",
                {"age": _age(function), "tried": own("AgeOfOldestMessage", function, SERVICE)},
                statistic="Maximum",
                above=LAG.to_seconds(),
            ),
            self._alarm(
                "errors",
                "The function that forwards broke off in each of three hours.",
                {"runs": metric("AWS/Lambda", "Errors", {"FunctionName": function})},
                period=Duration.hours(1),
                periods=3,
            ),
            self._alarm(
                "unsound",
                "An object under a key of evidence is none inside: see what verify says of it.",
                {"objects": own("UnsoundObjects", function, SERVICE)},
            ),
            self._alarm(
                "refused",
                "A notification named what is not to be read: another bucket, key, or no version.",
                {"messages": own("RefusedMessages", function, SERVICE)},
            ),
            self._alarm(
                "subscriber-behind",
                "The subscriber has left lines in its queue for four hours.",
                {"age": _age(subscriber)},
                statistic="Maximum",
                above=BEHIND.to_seconds(),
            ),
            self._alarm(
                "subscriber-dead-letters",
                "The subscriber could not take lines after every attempt: they wait for you.",
                {"count": _visible(dead(subscriber))},
                statistic="Maximum",
            ),
        ]

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
            alarm_name=f"{self._what.forwarder}-{kind}",
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


def _age(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": queue})


def _visible(queue: str) -> cloudwatch.CfnAlarm.MetricProperty:
    return metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue})
