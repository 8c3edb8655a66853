"""AWS Lambda entry: a schedule in, statements on completeness out.

Each run looks for the hours that lack a statement, so the next one does what a run leaves undone.
Whatever must alert somebody is a metric.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters.aws.reconciler import Done, reconcile

logger = Logger(service="reconcile")
metrics = Metrics(namespace="nhi-evidence", service="reconcile")


RESERVE_MS = 180_000
"""Time reserved at the end of a run: for an hour of evidence being read for canaries."""


def report(done: Done) -> None:
    """Log and count a run. Every metric has a value in every run, so that alarms see zero."""
    is_well = not (
        done.incomplete
        or done.unproven
        or done.unsound
        or done.problems
        or done.canaries.broken
        or done.canaries.problems
    )
    log = logger.info if is_well else logger.warning
    log("reconciled", run=msgspec.to_builtins(done))
    metrics.add_metric("Statements", MetricUnit.Count, done.statements)
    metrics.add_metric("Incomplete", MetricUnit.Count, done.incomplete)
    metrics.add_metric("Missing", MetricUnit.Count, done.missing)
    metrics.add_metric("Unbacked", MetricUnit.Count, done.unbacked)
    metrics.add_metric("Unproven", MetricUnit.Count, done.unproven)
    metrics.add_metric("Unprovable", MetricUnit.Count, done.verdicts.get("unprovable", 0))
    metrics.add_metric("Unsound", MetricUnit.Count, len(done.unsound))
    metrics.add_metric("CanariesWeighed", MetricUnit.Count, sum(done.canaries.results.values()))
    metrics.add_metric("CanariesBroken", MetricUnit.Count, done.canaries.broken)
    metrics.add_metric(
        "Problems", MetricUnit.Count, len(done.problems) + len(done.canaries.problems)
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: what this run stated, as JSON."""
    metrics.add_dimension("function", context.function_name)
    try:
        done = reconcile(lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
    except Exception as error:
        logger.error("not reconciled", exc_info=error)
        metrics.add_metric("FailedRuns", MetricUnit.Count, 1)
        raise
    report(done)
    metrics.add_metric("FailedRuns", MetricUnit.Count, 0)
    return msgspec.to_builtins(done)
