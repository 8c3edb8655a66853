"""Alarms of the evidence account's scheduled functions: on their counts, and on silence."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from constructs import Construct

from infra.aws.alarm import Absence, Alarm, metric, own
from nhi_evidence.config import naming


def any_in_an_hour(
    scope: Construct,
    table: Sequence[tuple[str, str, str]],
    *,
    function: str,
    service: str,
    target: str,
) -> list[Alarm | Absence]:
    """Make an alarm for each row (metric, short name, meaning) that fires on any occurrence."""
    return [
        Alarm(
            scope,
            metric_name,
            alarm_name=f"{function}-{short}",
            meaning=meaning,
            metrics={short: own(metric_name, function, service)},
            expression=short,
            period=Duration.hours(1),
            above=0,
            missing="notBreaching",
            target=target,
        )
        for metric_name, short, meaning in table
    ]


def silent(
    scope: Construct, metric_name: str, meaning: str, *, function: str, service: str, target: str
) -> Absence:
    """Make the alarm on four hours without a metric that every run of the function emits."""
    return Absence(
        scope,
        "Silent",
        alarm_name=f"{function}-silent",
        meaning=meaning,
        metric=own(metric_name, function, service),
        alive=metric("AWS/Events", "TriggeredRules", {"RuleName": naming.clock(function)}),
        hours=4,
        target=target,
    )
