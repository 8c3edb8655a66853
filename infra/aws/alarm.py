"""How alarms are made: the description says what an alarm means, and one topic is notified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws import acknowledged

NAMESPACE = "nhi-evidence"
AT_ONCE = Duration.minutes(5)
"""The period of an alarm that should fire without delay."""

Missing = Literal["breaching", "notBreaching", "ignore"]

Query = cloudwatch.CfnAlarm.MetricDataQueryProperty


def metric(
    namespace: str, name: str, dimensions: dict[str, str] | None = None
) -> cloudwatch.CfnAlarm.MetricProperty:
    """Return one metric of this account and region."""
    return cloudwatch.CfnAlarm.MetricProperty(
        namespace=namespace,
        metric_name=name,
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value)
            for key, value in sorted((dimensions or {}).items())
        ],
    )


def own(name: str, function: str, service: str) -> cloudwatch.CfnAlarm.MetricProperty:
    """Return a metric that one of our functions emits."""
    return metric(NAMESPACE, name, {"service": service, "function": function})


def largest(metrics: Iterable[str]) -> str:
    """Return a formula for the largest metric; of several, one without data counts as 0.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    if len(names := list(metrics)) == 1:
        return names[0]
    return f"MAX([{', '.join(f'FILL({one}, 0)' for one in names)}])"


class Alarm(Construct):
    """An alarm on a formula over metrics, each aggregated over `period` by `statistic`.

    `expression` refers to metrics by their keys in `metrics`; a key alone is a formula. The alarm
    fires when the result is above `above` (or below `below`) in `datapoints` of the last `periods`
    (by default in all of them), and clears when it no longer is. `missing` says how a period
    without data is treated. Without a `target` nobody is notified: the alarm is part of a composite
    one.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        alarm_name: str,
        meaning: str,
        metrics: dict[str, cloudwatch.CfnAlarm.MetricProperty],
        expression: str,
        period: Duration,
        target: str | None,
        missing: Missing,
        statistic: str = "Sum",
        above: float | None = None,
        below: float | None = None,
        periods: int = 1,
        datapoints: int | None = None,
    ) -> None:
        super().__init__(scope, name)
        if (above is None) == (below is None):
            raise ValueError(f"{alarm_name}: give one bound, above or below")
        self.name = alarm_name
        queries = [
            Query(
                id=key,
                return_data=expression == key,
                metric_stat=cloudwatch.CfnAlarm.MetricStatProperty(
                    metric=one, period=period.to_seconds(), stat=statistic
                ),
            )
            for key, one in metrics.items()
        ]
        result = Query(id="result", expression=expression, label=alarm_name, return_data=True)
        actions = None if target is None else [target]
        self.resource = cloudwatch.CfnAlarm(
            self,
            "Alarm",
            alarm_name=alarm_name,
            alarm_description=meaning,
            metrics=queries if expression in metrics else [*queries, result],
            comparison_operator="GreaterThanThreshold"
            if above is not None
            else "LessThanThreshold",
            threshold=above if above is not None else below,
            evaluation_periods=periods,
            datapoints_to_alarm=periods if datapoints is None else datapoints,
            treat_missing_data=missing,
            alarm_actions=actions,
            ok_actions=actions,
        )


def largest_above(
    scope: Construct,
    kind: str,
    meaning: str,
    watched: dict[str, cloudwatch.CfnAlarm.MetricProperty],
    *,
    named: str,
    target: str,
    statistic: str = "Sum",
    above: float = 0,
    period: Duration = AT_ONCE,
    periods: int = 1,
) -> Alarm:
    """Make the alarm `<named>-<kind>`, which fires when the largest metric is above a bound.

    A period without data does not breach.
    """
    return Alarm(
        scope,
        kind,
        alarm_name=f"{named}-{kind}",
        meaning=meaning,
        metrics=watched,
        expression=largest(watched),
        statistic=statistic,
        period=period,
        periods=periods,
        above=above,
        missing="notBreaching",
        target=target,
    )


class Absence(Construct):
    """An alarm on a metric that stops or never starts, silent until data could have arrived.

    `metric` has to be missing for `hours` in a row, even if it never appeared. An alarm that treats
    missing data as breaching would fire on deployment itself; so `alive`, a metric that is emitted
    from deployment on whatever happens to the other, must have been present for as long. If it
    vanishes later, the alarm keeps its state.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        alarm_name: str,
        meaning: str,
        metric: cloudwatch.CfnAlarm.MetricProperty,
        alive: cloudwatch.CfnAlarm.MetricProperty,
        hours: int,
        target: str,
    ) -> None:
        super().__init__(scope, name)
        self.name = alarm_name
        parts = [
            Alarm(
                self,
                "Absent",
                alarm_name=f"{alarm_name}-absent",
                meaning=f"Part of {alarm_name}: no data arrived.",
                metrics={"count": metric},
                expression="count",
                period=Duration.hours(1),
                periods=hours,
                below=1,
                missing="breaching",
                target=None,
            ),
            Alarm(
                self,
                "Alive",
                alarm_name=f"{alarm_name}-alive",
                meaning=f"Part of {alarm_name}: deployed long enough for data to have arrived.",
                metrics={"alive": alive},
                expression="alive",
                statistic="SampleCount",
                period=Duration.hours(1),
                periods=hours,
                above=0,
                missing="ignore",
                target=None,
            ),
        ]
        rule = " AND ".join(f'ALARM("{part.name}")' for part in parts)
        both = cloudwatch.CfnCompositeAlarm(
            self,
            "Alarm",
            alarm_name=alarm_name,
            alarm_description=meaning,
            alarm_rule=rule,
            alarm_actions=[target],
            ok_actions=[target],
        )
        for part in parts:
            acknowledged.rule(
                part,
                f"{acknowledged.NIST}CloudWatchAlarmAction",
                f"Half of {alarm_name}, which notifies; one half alone means nothing.",
            )
            both.add_resource_dependency(part.resource)
