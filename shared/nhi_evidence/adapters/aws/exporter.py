"""What an AWS execution environment builds once: settings, clients and the line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from nhi_evidence.adapters import environ
from nhi_evidence.adapters.aws import s3_notification, session
from nhi_evidence.adapters.aws.s3_source import S3Source, SourceBucket
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Locked, lock
from nhi_evidence.pipeline.scope import Scope


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of a function that exports delivered S3 files."""

    source: str
    source_buckets: tuple[SourceBucket, ...]
    bucket: str
    bucket_owner: str
    writer_role_arn: str
    external_id: str | None = None
    scope: Scope = Scope.NHI
    keep_source: bool = True


class Exporter(msgspec.Struct, frozen=True):
    """From a notified object to its locked evidence."""

    settings: Settings
    mapper: Mapper
    source: S3Source
    writer: S3EvidenceWriter

    def export(self, ref: s3_notification.ObjectRef, *, written: Mapping[str, str]) -> Locked:
        """Fetch, map and lock one object; `written` says who writes, and when.

        Raises `DeliveryRefusedError` when the object is not accepted, `SourceUnavailableError`
        when it cannot be read and `StoreUnavailableError` when a write is not confirmed.
        """
        return lock(
            self.mapper,
            self.source.fetch(ref),
            self.writer,
            keep_source=self.settings.keep_source,
            metadata=written,
        )


@cache
def aws_exporter() -> Exporter:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    mapper = Mapper(settings.source, scope=settings.scope)
    writer = session.role_client(
        settings.writer_role_arn,
        session_name=f"nhi-evidence-{settings.source}",
        external_id=settings.external_id,
    )
    return Exporter(
        settings,
        mapper,
        S3Source(session.own_client(), settings.source_buckets, mapper.source),
        S3EvidenceWriter(writer, settings.bucket, owner=settings.bucket_owner),
    )
