"""One page that shows whether evidence flows, is sealed, and what it grows by."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import NAMESPACE
from infra.aws.evidence_bucket import REQUEST_METRICS

_WIDTH = 12


class Dashboard(Construct):
    """A dashboard of these exporters, functions and buckets, by the names they are deployed under.

    `alarms` are the ARNs of everything that can be raised here.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        dashboard_name: str,
        exporters: Sequence[str] = (),
        sealers: Sequence[str] = (),
        reconcilers: Sequence[str] = (),
        covering: Sequence[str] = (),
        probing: Sequence[str] = (),
        forwarders: Sequence[tuple[str, str]] = (),
        buckets: Sequence[str] = (),
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, name)
        page = cloudwatch.Dashboard(self, "Page", dashboard_name=dashboard_name)
        page.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=4)
        )
        for function in exporters:
            names = ("RecordsSeen", "RecordsKept", "RecordsRejected", "ObjectsCreated")
            page.add_widgets(
                _graph(
                    f"{function}: records", [_ours(one, function, "aws_export") for one in names]
                ),
                _graph(
                    f"{function}: waiting",
                    [_queue("ApproximateAgeOfOldestMessage", function)],
                    [_queue("ApproximateNumberOfMessagesVisible", f"{function}-dead")],
                ),
            )
        for function in sealers:
            names = ("Added", "Checkpoints", "Signatures", "FailedRuns")
            page.add_widgets(
                _graph(f"{function}: epochs", [_ours(one, function, "seal") for one in names]),
                _graph(f"{function}: size", [_ours("LogSize", function, "seal", "Maximum")]),
            )
        for function in reconcilers:
            names = ("Statements", "Unprovable", "Missing", "Unbacked")
            page.add_widgets(
                _graph(
                    f"{function}: completeness",
                    [_ours(one, function, "reconcile") for one in names],
                ),
            )
        for function in covering:
            names = ("Gap", "Unknown", "Lost", "Refused")
            page.add_widgets(
                _graph(
                    f"{function}: what is recorded",
                    [_ours(one, function, "coverage") for one in names],
                ),
            )
        for function in probing:
            names = ("Planned", "Calls", "Unexpected", "Unanswered")
            page.add_widgets(
                _graph(f"{function}: probes", [_ours(one, function, "canary") for one in names]),
            )
        for function, subscriber in forwarders:
            names = ("ObjectsForwarded", "RecordsForwarded", "PartsCreated", "UnsoundObjects")
            page.add_widgets(
                _graph(
                    f"{function}: forwarded", [_ours(one, function, "forward") for one in names]
                ),
                _graph(
                    f"{function}: waiting",
                    [
                        _queue("ApproximateAgeOfOldestMessage", one)
                        for one in (function, subscriber)
                    ],
                ),
            )
        for bucket in buckets:
            page.add_widgets(
                _graph(f"{bucket}: objects put", [_requests(bucket)]),
            )


def _graph(
    title: str,
    left: list[cloudwatch.IMetric],
    right: list[cloudwatch.IMetric] | None = None,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=left, right=right or [], width=_WIDTH)


def _ours(name: str, function: str, service: str, statistic: str = "Sum") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service, "function": function},
        statistic=statistic,
        period=Duration.minutes(5),
    )


def _queue(name: str, queue: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=name,
        dimensions_map={"QueueName": queue},
        statistic="Maximum",
        period=Duration.minutes(5),
    )


def _requests(bucket: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name="PutRequests",
        dimensions_map={"BucketName": bucket, "FilterId": REQUEST_METRICS},
        statistic="Sum",
        period=Duration.minutes(5),
    )
