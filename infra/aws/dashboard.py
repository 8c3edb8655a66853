"""One page that shows whether evidence flows, is sealed, and what it grows by."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import NAMESPACE
from infra.aws.evidence_bucket import REQUEST_METRICS

_WIDTH = 12


_EXPORTED = (
    *("records", "aws_export"),
    *("RecordsSeen", "RecordsKept", "RecordsRejected", "ObjectsCreated"),
)
_SEALED = ("epochs", "seal", "Added", "Checkpoints", "Signatures", "FailedRuns")
_RECONCILED = ("completeness", "reconcile", "Statements", "Unprovable", "Missing", "Unbacked")
_COVERED = ("what is recorded", "coverage", "Gap", "Unknown", "Lost", "Refused")
_PROBED = ("probes", "canary", "Planned", "Calls", "Unexpected", "Unanswered")
_FORWARDED = (
    *("forwarded", "forward"),
    *("ObjectsForwarded", "RecordsForwarded", "PartsCreated", "UnsoundObjects"),
)
"""Of each kind of function: the title of its graph, its service, and the metrics it counts."""


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
            page.add_widgets(
                _counts(function, *_EXPORTED),
                _graph(
                    f"{function}: waiting",
                    [_queue("ApproximateAgeOfOldestMessage", function)],
                    [_queue("ApproximateNumberOfMessagesVisible", f"{function}-dead")],
                ),
            )
        for function in sealers:
            page.add_widgets(
                _counts(function, *_SEALED),
                _graph(f"{function}: size", [_ours("LogSize", function, "seal", "Maximum")]),
            )
        for functions, row in (
            (reconcilers, _RECONCILED),
            (covering, _COVERED),
            (probing, _PROBED),
        ):
            for function in functions:
                page.add_widgets(_counts(function, *row))
        for function, subscriber in forwarders:
            page.add_widgets(
                _counts(function, *_FORWARDED),
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


def _counts(function: str, title: str, service: str, *names: str) -> cloudwatch.GraphWidget:
    return _graph(f"{function}: {title}", [_ours(name, function, service) for name in names])


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
