"""One way to make an alarm: what it means is its description, and who is told is one topic."""

from __future__ import annotations

from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

NAMESPACE = "nhi-evidence"

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


class Alarm(Construct):
    """An alarm on a formula over metrics, each taken over `period` by `statistic`.

    In `expression` the metrics go by their names in `metrics`; the name of one is a formula. The
    alarm is raised when the result is above `above` (or below `below`) in one period, and taken
    back when it no longer is. `missing` says what a period without any data means.
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
        target: str,
        missing: Missing,
        statistic: str = "Sum",
        above: float | None = None,
        below: float | None = None,
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
        cloudwatch.CfnAlarm(
            self,
            "Alarm",
            alarm_name=alarm_name,
            alarm_description=meaning,
            metrics=queries if expression in metrics else [*queries, result],
            comparison_operator="GreaterThanThreshold"
            if above is not None
            else "LessThanThreshold",
            threshold=above if above is not None else below,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            treat_missing_data=missing,
            alarm_actions=[target],
            ok_actions=[target],
        )
