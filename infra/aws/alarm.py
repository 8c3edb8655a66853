"""One way to make an alarm: what it means is its description, and who is told is one topic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws import acknowledged

NAMESPACE = "nhi-evidence"
AT_ONCE = Duration.minutes(5)
"""The period of an alarm that waits for nothing."""

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
    """Return the formula of the largest of several; one without data counts for nothing.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    if len(names := list(metrics)) == 1:
        return names[0]
    return f"MAX([{', '.join(f'FILL({one}, 0)' for one in names)}])"


class Alarm(Construct):
    """An alarm on a formula over metrics, each taken over `period` by `statistic`.

    In `expression` the metrics go by their names in `metrics`; the name of one is a formula. The
    alarm is raised when the result is above `above` (or below `below`) in `datapoints` of the last
    `periods` (by default in all of them), and taken back when it no longer is. `missing` says what
    a period without any data means. Without a `target` nobody is told: it is a part of another.
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
    """Return the alarm `<named>-<kind>`: the largest of some metrics is above a bound.

    A period without any data is taken for a quiet one.
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
    """An alarm on something that does not come, which does not fire before it could have come.

    `metric` is what is missed for `hours` in a row, also if it never came. An alarm that takes no
    data for a fault would be raised by the deployment itself; so `alive`, a metric that is there
    from the deployment on whatever becomes of the other, must have been there as long. Should it
    vanish later, the alarm stays as it is.
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
                meaning=f"Part of {alarm_name}: nothing came.",
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
                meaning=f"Part of {alarm_name}: deployed for as long as that takes.",
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
                f"Half of {alarm_name}, which tells; a half alone is no news.",
            )
            both.add_resource_dependency(part.resource)
