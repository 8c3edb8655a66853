"""One page that shows whether evidence flows and is sealed, and how fast it grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import NAMESPACE
from infra.aws.evidence_bucket import REQUEST_METRICS
from infra.aws.watched import Watched

_WIDTH = 12


_EXPORTED = (
    *("records", "aws_export"),
    *("RecordsSeen", "RecordsKept", "RecordsRejected", "ObjectsCreated"),
)
_SEALED = ("epochs", "seal", "Added", "Checkpoints", "Signatures", "FailedRuns")
_RECONCILED = ("completeness", "reconcile", "Statements", "Unproven", "Missing", "Unbacked")
_COVERED = ("what is recorded", "coverage", "Gap", "Unknown", "Lost", "Refused")
_PROBED = ("probes", "canary", "Planned", "Calls", "Unexpected", "Unanswered")
_FORWARDED = (
    *("forwarded", "forward"),
    *("ObjectsForwarded", "RecordsForwarded", "PartsCreated", "UnsoundObjects"),
)
"""For each kind of function: the title of its graph, its service, and its metrics."""


class Dashboard(Construct):
    """A dashboard of everything that is watched.

    `alarms` are all alarms of the same account and region.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        dashboard_name: str,
        watched: Watched,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, name)
        page = cloudwatch.Dashboard(self, "Page", dashboard_name=dashboard_name)
        page.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=4)
        )
        for row in _rows(watched):
            page.add_widgets(*row)


def _rows(watched: Watched) -> Iterator[list[cloudwatch.GraphWidget]]:
    """Yield the graphs of each function and bucket, a row each."""
    for feed, _, _ in () if watched.exports is None else watched.exports.feeds:
        yield [
            _counts(feed.exporter, *_EXPORTED),
            _graph(
                f"{feed.exporter}: waiting",
                [_queue("ApproximateAgeOfOldestMessage", feed.exporter)],
                [_queue("ApproximateNumberOfMessagesVisible", f"{feed.exporter}-dead")],
            ),
        ]
    for seal in watched.seals:
        function = seal.function_name
        yield [
            _counts(function, *_SEALED),
            _graph(f"{function}: size", [_ours("LogSize", function, "seal", "Maximum")]),
        ]
    for reconcile in watched.reconciles:
        yield [_counts(reconcile.function_name, *_RECONCILED)]
    for coverage in watched.covering:
        yield [_counts(coverage.function_name, *_COVERED)]
    for probe in watched.probing:
        yield [_counts(probe.function_name, *_PROBED)]
    for forward in watched.forwards:
        forwarder, subscriber = forward.what.forwarder, forward.what.name
        yield [
            _counts(forwarder, *_FORWARDED),
            _graph(
                f"{forwarder}: waiting",
                [
                    _queue("ApproximateAgeOfOldestMessage", queue)
                    for queue in (forwarder, subscriber)
                ],
            ),
        ]
    for store in watched.buckets:
        yield [_graph(f"{store.bucket}: objects put", [_requests(store.bucket)])]


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
