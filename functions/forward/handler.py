"""AWS Lambda entry: SQS messages of new evidence objects in, failed message ids out.

A message succeeds when all its object's lines are in the subscriber's bucket, or when the object is
unsound, which retrying would not change: that is counted, and raises an alarm.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import forwarder, sqs_batch

logger = Logger(service="forward")
metrics = Metrics(namespace="nhi-evidence", service="forward")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: the partial batch response of SQS (`batchItemFailures`)."""
    metrics.add_dimension("function", context.function_name)
    answer = forwarder.aws_forwarder().forward(sqs_batch.read(event))
    report(answer)
    return {"batchItemFailures": [{"itemIdentifier": name} for name in answer.again]}


def report(answer: forwarder.Answer) -> None:
    """Log and count a run. Every metric has a value in every run, so that alarms see zero."""
    for forwarded in answer.forwarded:
        logger.info("forwarded", object=msgspec.to_builtins(forwarded))
    for message_id, error in answer.refused.items():
        logger.error("message refused", message_id=message_id, exc_info=error)
    for message_id, error in answer.failed.items():
        logger.error("not forwarded", message_id=message_id, exc_info=error)
    for uri, error in answer.unsound.items():
        logger.error("unsound", uri=uri, exc_info=error)
    count("ObjectsForwarded", len(answer.forwarded))
    count("RecordsForwarded", sum(one.records for one in answer.forwarded))
    count("PartsCreated", sum(one.created for one in answer.forwarded))
    count("UnsoundObjects", len(answer.unsound))
    count("RefusedMessages", len(answer.refused))
    count("FailedMessages", len(answer.failed))
    metrics.add_metric("AgeOfOldestMessage", MetricUnit.Seconds, answer.age(clock.now()))


def count(name: str, value: int) -> None:
    """Add to a metric."""
    metrics.add_metric(name, MetricUnit.Count, value)
