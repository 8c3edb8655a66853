"""What a Cloud Run instance builds once: settings, clients and the pipeline."""

from __future__ import annotations

import os
from functools import cache

import msgspec

from nhi_evidence.adapters import clock, environ, web_identity
from nhi_evidence.adapters.gcp import cloud_event, identity
from nhi_evidence.adapters.gcp.access import AccessToken
from nhi_evidence.adapters.gcp.cloud_event import CloudEvent
from nhi_evidence.adapters.gcp.gcs_source import GcsSource, SourceBucket
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.errors import DeliveryRefusedError, SettingsError
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of a function that exports Google Cloud's audit logs."""

    bucket: str
    bucket_region: str
    bucket_owner: str
    writer_role_arn: str
    audience: str
    """Audience of the ID token used to assume the writer role."""
    keep_out_of_scope_raw: bool
    """Whether the raw text of out-of-scope records is kept: a question of privacy."""
    source: str = "gcp_audit"
    source_buckets: tuple[SourceBucket, ...] = ()
    """Buckets whose finished objects are read."""
    announcing_topics: tuple[str, ...] = ()
    """Topics whose messages announce finished objects of those buckets."""
    source_topics: tuple[str, ...] = ()
    """Topics whose messages are accepted, as `projects/<project>/topics/<topic>`."""
    scope: Scope = Scope.NHI
    project: str | None = None
    """The function's project, which ties its log lines to requests."""


class Exporter(msgspec.Struct, frozen=True):
    """Turns an event into locked evidence of what it names or carries."""

    settings: Settings
    mapper: Mapper
    source: GcsSource
    writer: S3EvidenceWriter

    def export(self, event: CloudEvent) -> Outcome:
        """Read, map and lock what an event is about; when this returns, it is locked.

        Raises `DeliveryRefusedError` when it is not accepted, `SourceUnavailableError` when an
        object cannot be read, `TokenUnavailableError` and `TokenRefusedError` when the platform's
        token is missing or refused, and `StoreUnavailableError` when a write is not confirmed.
        """
        outcome = lock_batch(
            self.mapper,
            [self._delivery(event)],
            self.writer,
            metadata={
                "writer": _revision(),
                "writer-request-id": str(event["id"]),
                "written-at": clock.utc_now(),
            },
        )
        outcome.ensure_locked()
        return outcome

    def _delivery(self, event: CloudEvent) -> Delivery:
        kind = event["type"]
        if kind == cloud_event.STORED:
            return self.source.fetch(cloud_event.stored_object(event))
        if kind == cloud_event.PUBLISHED:
            if cloud_event.topic_of(event) in self.settings.announcing_topics:
                return self.source.fetch(cloud_event.announced_object(event))
            return cloud_event.published(event, self.settings.source_topics)
        raise DeliveryRefusedError(f"event {event['id']} is of type {kind!r}")


def _revision() -> str:
    """Return the name of the running revision, as Cloud Run states it.

    https://cloud.google.com/run/docs/container-contract#services-env-vars
    """
    names = (os.environ.get(name, "") for name in ("K_SERVICE", "K_REVISION"))
    return "/".join(name for name in names if name) or "unknown"


@cache
def gcp_exporter() -> Exporter:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    if not settings.source_buckets and not settings.source_topics:
        raise SettingsError(
            f"neither {environ.PREFIX}SOURCE_BUCKETS nor {environ.PREFIX}SOURCE_TOPICS is set"
        )
    mapper = Mapper(
        settings.source,
        scope=settings.scope,
        keep_out_of_scope_raw=settings.keep_out_of_scope_raw,
    )
    client = web_identity.role_client(
        settings.writer_role_arn,
        session_name=f"nhi-evidence-{settings.source}",
        token=identity.token(settings.audience),
        region=settings.bucket_region,
    )
    return Exporter(
        settings,
        mapper,
        GcsSource(settings.source_buckets, mapper.source, token=AccessToken()),
        S3EvidenceWriter(client, settings.bucket, owner=settings.bucket_owner),
    )
