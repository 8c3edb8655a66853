"""AWS Lambda entry: SQS messages of S3 notifications in, failed message ids out.

A message succeeds only when every object it names is locked. Otherwise that message alone fails:
SQS delivers it again, and past the redrive limit moves it to the dead-letter queue.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.adapters.aws.exporter import aws_exporter
from nhi_evidence.errors import DeliveryRefusedError
from nhi_evidence.pipeline.lock import Locked

logger = Logger(service="aws_export")
metrics = Metrics(namespace="nhi-evidence", service="aws_export")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def export_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Lock every object one SQS message names. Raises what keeps one from being locked."""
    written = {
        "writer": lambda_context.invoked_function_arn,
        "writer-request-id": lambda_context.aws_request_id,
        "written-at": clock.utc_now(),
    }
    try:
        exporter = aws_exporter()
        for ref in s3_notification.objects(record.body):
            report(exporter.export(ref, written=written))
    except Exception as error:
        refused = isinstance(error, DeliveryRefusedError)
        metric = "RefusedMessages" if refused else "FailedMessages"
        metrics.add_metric(metric, MetricUnit.Count, 1)
        logger.exception("message not locked", message_id=record.message_id, refused=refused)
        raise


def report(done: Locked) -> None:
    """Log and count what became of one object."""
    logger.info("locked", unit=msgspec.to_builtins(done))
    metrics.add_metric("RecordsSeen", MetricUnit.Count, done.seen)
    metrics.add_metric("RecordsKept", MetricUnit.Count, done.kept)
    metrics.add_metric("RecordsRejected", MetricUnit.Count, done.rejected)
    metrics.add_metric("RecordsOutOfScope", MetricUnit.Count, sum(done.out_of_scope.values()))
    metrics.add_metric("ObjectsCreated", MetricUnit.Count, done.created)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Lambda handler: the partial batch response of SQS (`batchItemFailures`)."""
    metrics.add_dimension("function", context.function_name)
    return process_partial_response(
        event=event, record_handler=export_message, processor=processor, context=context
    )
