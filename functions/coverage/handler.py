"""AWS Lambda entry: a schedule in, readings of settings and the verdicts on them out.

What the event says decides nothing. A run depends on the previous one only to tell what was lost
since. Whatever must alert somebody is a metric.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters.aws.collector import Done, collect

logger = Logger(service="coverage")
metrics = Metrics(namespace="nhi-evidence", service="coverage")

RESERVE_MS = 240_000
"""Time reserved at the end of a run: for accounts in progress, and for writing afterwards."""


def report(done: Done) -> None:
    """Log and count a run. Every metric has a value in every run, so that alarms see zero."""
    log = logger.warning if done.lost or done.unreadable or done.problems else logger.info
    log("read", run=msgspec.to_builtins(done))
    metrics.add_metric("Stated", MetricUnit.Count, 1)
    metrics.add_metric("Lost", MetricUnit.Count, len(done.lost))
    metrics.add_metric("Unreadable", MetricUnit.Count, len(done.unreadable))
    metrics.add_metric("Refused", MetricUnit.Count, done.refused)
    metrics.add_metric("Promised", MetricUnit.Count, len(done.promised))
    metrics.add_metric("Problems", MetricUnit.Count, len(done.problems))
    for verdict in ("GAP", "UNKNOWN"):
        metrics.add_metric(verdict.title(), MetricUnit.Count, done.verdicts.get(verdict, 0))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: this run's answers and statements, as JSON."""
    metrics.add_dimension("function", context.function_name)
    try:
        done = collect(lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
    except Exception as error:
        logger.error("not read", exc_info=error)
        metrics.add_metric("FailedRuns", MetricUnit.Count, 1)
        raise
    report(done)
    metrics.add_metric("FailedRuns", MetricUnit.Count, 0)
    return msgspec.to_builtins(done)
