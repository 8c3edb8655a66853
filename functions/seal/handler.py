"""AWS Lambda entry: a schedule in, what was sealed out.

Any run finishes what another one left unfinished, so a failed invocation needs no repair: the
schedule is the retry. Whatever must alert somebody is a metric.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters.aws.sealer import seal
from nhi_evidence.errors import LogError
from nhi_evidence.evidence import flags
from nhi_evidence.evidence.seal import Sealed

logger = Logger(service="seal")
metrics = Metrics(namespace="nhi-evidence", service="seal")


def report(done: Sealed) -> None:
    """Log and count one epoch.

    Every metric has a value in every run, so that alarms see zero, except those by source: the
    sealer knows no configuration, so a source without new evidence has none.
    """
    log = logger.error if done.void else logger.info
    log("sealed", epoch=msgspec.to_builtins(done))
    metrics.add_metric("Epoch", MetricUnit.Count, done.epoch)
    metrics.add_metric("LogSize", MetricUnit.Count, done.size)
    metrics.add_metric("Added", MetricUnit.Count, done.added)
    metrics.add_metric("Signatures", MetricUnit.Count, done.signatures)
    metrics.add_metric("Checkpoints", MetricUnit.Count, done.checkpoints)
    metrics.add_metric("VoidPlans", MetricUnit.Count, len(done.void))
    for flag in flags.ALL:
        name = "Flagged" + flag.title().replace("_", "")
        metrics.add_metric(name, MetricUnit.Count, done.flags.get(flag, 0))
    counted = {"Sealed": done.sources, "Mapped": done.mapped, "Rejected": done.rejected}
    for what, by_source in counted.items():
        for source, count in by_source.items():
            name = what + source.title().replace("_", "")
            metrics.add_metric(name, MetricUnit.Count, count)


def conclude(error: Exception | None) -> None:
    """Count whether the run failed, and whether the log contradicts itself."""
    contradicts = isinstance(error, LogError)
    if error is not None:
        logger.error("not sealed", contradicts=contradicts, exc_info=error)
    metrics.add_metric("FailedRuns", MetricUnit.Count, int(error is not None))
    metrics.add_metric("LogContradictions", MetricUnit.Count, int(contradicts))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(_event: dict[str, Any], context: LambdaContext) -> list[Any]:
    """Lambda handler: the epochs of this run, as JSON."""
    metrics.add_dimension("function", context.function_name)
    epochs: list[Any] = []
    try:
        for done in seal(context.get_remaining_time_in_millis):
            report(done)
            epochs.append(msgspec.to_builtins(done))
    except Exception as error:
        conclude(error)
        raise
    conclude(None)
    return epochs
