"""AWS Lambda entry: SQS messages of S3 notifications in, failed message ids out.

A message succeeds only when every object it names is locked. An object that may not be read,
cannot be read or cannot be locked fails its message alone; SQS delivers it again, and past the
redrive limit moves it to the dead-letter queue, where an operator finds it. Never a drop.
"""

from __future__ import annotations

from functools import cache
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

from nhi_evidence.adapters import aws_session, clock, environ, s3_notification
from nhi_evidence.adapters.s3_source import S3Source, SourceBucket
from nhi_evidence.adapters.s3_store import S3EvidenceWriter
from nhi_evidence.errors import DeliveryRefusedError
from nhi_evidence.export import Mapper
from nhi_evidence.lock import Locked, lock
from nhi_evidence.scope import Scope

logger = Logger(service="aws_export")
metrics = Metrics(namespace="nhi-evidence", service="aws_export")
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of this function."""

    source: str
    source_buckets: tuple[SourceBucket, ...]
    bucket: str
    bucket_owner: str
    writer_role_arn: str
    external_id: str | None = None
    scope: Scope = Scope.NHI
    keep_source: bool = True


class Line(msgspec.Struct, frozen=True):
    """What one execution environment builds once, on first use."""

    settings: Settings
    mapper: Mapper
    source: S3Source
    writer: S3EvidenceWriter


@cache
def line() -> Line:
    """Read the settings and build the clients. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    mapper = Mapper(settings.source, scope=settings.scope)
    writer = aws_session.role_client(
        settings.writer_role_arn,
        session_name=f"aws_export-{settings.source}",
        external_id=settings.external_id,
    )
    return Line(
        settings,
        mapper,
        S3Source(aws_session.source_client(), settings.source_buckets, mapper.source),
        S3EvidenceWriter(writer, settings.bucket, owner=settings.bucket_owner),
    )


def export_message(record: SQSRecord, lambda_context: LambdaContext) -> list[Locked]:
    """Lock every object one SQS message names. Raises what keeps one from being locked."""
    written = {
        "writer": lambda_context.invoked_function_arn,
        "writer-request-id": lambda_context.aws_request_id,
        "written-at": clock.utc_now(),
    }
    try:
        here = line()
        return [_export(here, ref, written) for ref in s3_notification.objects(record.body)]
    except Exception as error:
        refused = isinstance(error, DeliveryRefusedError)
        metric = "RefusedMessages" if refused else "FailedMessages"
        metrics.add_metric(metric, MetricUnit.Count, 1)
        logger.exception("message not locked", message_id=record.message_id, refused=refused)
        raise


def _export(here: Line, ref: s3_notification.ObjectRef, written: dict[str, str]) -> Locked:
    done = lock(
        here.mapper,
        here.source.fetch(ref),
        here.writer,
        keep_source=here.settings.keep_source,
        metadata=written,
    )
    _report(done)
    return done


def _report(done: Locked) -> None:
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
    return process_partial_response(
        event=event, record_handler=export_message, processor=processor, context=context
    )
