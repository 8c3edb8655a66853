"""AWS Lambda entry: SQS messages of S3 notifications in, failed message ids out.

A message succeeds only when every object it names is locked. Otherwise only that message fails: SQS
delivers it again, and beyond the redrive limit moves it to the dead-letter queue.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import exporter, sqs_batch
from nhi_evidence.pipeline.lock import Outcome

logger = Logger(service="aws_export")
metrics = Metrics(namespace="nhi-evidence", service="aws_export")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: the partial batch response of SQS (`batchItemFailures`)."""
    metrics.add_dimension("function", context.function_name)
    written = {
        "writer": context.invoked_function_arn,
        "writer-request-id": context.aws_request_id,
        "written-at": clock.utc_now(),
    }
    time_is_up = exporter.deadline(context.get_remaining_time_in_millis)
    answer = exporter.aws_exporter().export(
        sqs_batch.read(event),
        exporter.Invocation(context.aws_request_id, written, time_is_up, report),
    )
    report_messages(answer)
    return {"batchItemFailures": [{"itemIdentifier": name} for name in answer.failed]}


def report(outcome: Outcome) -> None:
    """Log and count what became of one group of units."""
    for locked in outcome.objects:
        logger.info("locked", object=msgspec.to_builtins(locked))
        count("RecordsSeen", locked.records)
        count("RecordsKept", locked.kept)
        count("RecordsRejected", locked.rejected)
        count("RecordsOutOfScope", sum(locked.out_of_scope.values()))
        count("RejectedDeliveries", locked.rejected_deliveries)
        count("ObjectsCreated", locked.created)
    count("UnitsLocked", len(outcome.locked))
    count("UnmappedUnits", len(outcome.unmapped))
    for unit, error in outcome.unmapped.items():
        logger.error("unmapped", unit=unit, exc_info=error)
    for unit, error in outcome.failed.items():
        logger.error("not locked", unit=unit, exc_info=error)
    if outcome.unreached:
        logger.warning("not reached", units=len(outcome.unreached))


def report_messages(answer: exporter.Answer) -> None:
    """Log and count the messages that must be delivered again."""
    for message_id, error in {**answer.unreadable, **answer.refused}.items():
        refused = message_id in answer.refused
        logger.error("message failed", message_id=message_id, refused=refused, exc_info=error)
    if answer.undeleted is not None:
        logger.warning("messages not deleted ahead of the answer", exc_info=answer.undeleted)
    count("RefusedMessages", len(answer.refused))
    count("FailedMessages", len(answer.failed) - len(answer.refused) - len(answer.unreached))
    count("UnreachedMessages", len(answer.unreached))
    metrics.add_metric("AgeOfOldestMessage", MetricUnit.Seconds, answer.age(clock.now()))


def count(name: str, value: int) -> None:
    """Add to a metric."""
    metrics.add_metric(name, MetricUnit.Count, int(value))
