"""AWS Lambda entry: a schedule in, plans for coming hours and this hour's probes out.

Whether a probe was recorded is read from the sealed evidence elsewhere; whatever must alert
somebody is a metric.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters.aws.canary import Done, probe_all

logger = Logger(service="canary")
metrics = Metrics(namespace="nhi-evidence", service="canary")

RESERVE_MS = 30_000
"""Time reserved at the end of a run, for the call in progress."""


def report(done: Done) -> None:
    """Log and count a run. Every metric has a value in every run, so that alarms see zero."""
    log = logger.warning if done.unexpected or done.unanswered or done.skipped else logger.info
    log("probed", run=msgspec.to_builtins(done))
    metrics.add_metric("Planned", MetricUnit.Count, len(done.planned))
    metrics.add_metric("Calls", MetricUnit.Count, done.calls)
    metrics.add_metric("Unexpected", MetricUnit.Count, len(done.unexpected))
    metrics.add_metric("Unanswered", MetricUnit.Count, len(done.unanswered) + done.skipped)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: what this run planned and called, as JSON."""
    metrics.add_dimension("function", context.function_name)
    try:
        done = probe_all(lambda: context.get_remaining_time_in_millis() < RESERVE_MS)
    except Exception as error:
        logger.error("not probed", exc_info=error)
        metrics.add_metric("FailedRuns", MetricUnit.Count, 1)
        raise
    report(done)
    metrics.add_metric("FailedRuns", MetricUnit.Count, 0)
    return msgspec.to_builtins(done)
