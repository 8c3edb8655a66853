"""What an Azure Function's worker builds once: settings, clients and the line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec

from nhi_evidence.adapters import environ, web_identity
from nhi_evidence.adapters.azure import event_hub_trigger, identity
from nhi_evidence.adapters.azure.event_hub_trigger import Event, Hub
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.azure import event_hub
from nhi_evidence.event import Delivery, Undecodable
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Locked, lock
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.stored import Batch

SOURCE = "azure_monitor"
_SESSION = f"nhi-evidence-{SOURCE}".replace("_", "-")
_DETAIL = 200


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that exports an Event Hub."""

    hub_namespace: str
    hub: str
    hub_creation_id: str
    bucket: str
    bucket_owner: str
    bucket_region: str
    writer_role_arn: str
    token_audience: str
    identity_client_id: str | None = None
    scope: Scope = Scope.NHI
    keep_source: bool = True


class Done(msgspec.Struct, frozen=True):
    """What became of one run of messages."""

    locked: Locked
    failed: Exception | None = None
    """Why the line could not map it, where it was kept whole instead."""


class Exporter(msgspec.Struct, frozen=True):
    """From a batch of messages to its locked evidence."""

    settings: Settings
    mapper: Mapper
    writer: S3EvidenceWriter

    def export(self, events: Sequence[Event], *, written: Mapping[str, str]) -> Iterator[Done]:
        """Lock every run of a batch, one after the other; `written` says who writes, and when.

        A run the line cannot map is locked message by message, and the message that is the
        cause as it stands, so that it neither blocks its partition nor takes others with it.
        Raises `StoreUnavailableError` when a write is not confirmed, and `SettingsError` when
        the batch is of another hub: the batch must then be retried, and repeating it is safe.
        """
        hub = Hub(self.settings.hub_namespace, self.settings.hub, self.settings.hub_creation_id)
        for run in event_hub.runs(*event_hub_trigger.messages(hub, events)):
            yield from self._run(run, written)

    def _run(self, run: event_hub.Run, written: Mapping[str, str]) -> Iterator[Done]:
        delivery = _delivery(run)
        made = self._made(delivery)
        if not isinstance(made, Exception):
            yield Done(self._locked(delivery, made, written))
        elif len(run.messages) > 1:
            for one in run.messages:
                yield from self._run(event_hub.Run(run.stream, (one,)), written)
        else:
            cause = Undecodable("mapper_failed", f"{type(made).__name__}: {made}"[:_DETAIL])
            whole = list(self.mapper.reject_delivery(delivery, cause))
            yield Done(self._locked(delivery, whole, written), failed=made)

    def _made(self, delivery: Delivery) -> list[Batch] | Exception:
        """Map a run before anything of it is written; return what went wrong, whatever it is."""
        try:
            return list(self.mapper.export(delivery))
        except Exception as error:  # named in the locked unit and in the log
            return error

    def _locked(
        self, delivery: Delivery, batches: list[Batch], written: Mapping[str, str]
    ) -> Locked:
        return lock(
            self.mapper,
            delivery,
            self.writer,
            keep_source=self.settings.keep_source,
            metadata=written,
            batches=batches,
        )


def _delivery(run: event_hub.Run) -> Delivery:
    """Return a run as it is delivered; its hour is when its first message was enqueued."""
    enqueued = run.messages[0].enqueued
    hour = "".join(piece for piece in enqueued[:13] if piece.isdigit()) if enqueued else None
    return Delivery(unit=run.unit, body=event_hub.frame(run), hour=hour)


def site() -> str:
    """Return what the platform calls this function app, for saying who wrote."""
    return os.environ.get("WEBSITE_SITE_NAME", "azure_export")


@cache
def azure_exporter() -> Exporter:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    writer = web_identity.role_client(
        settings.writer_role_arn,
        session_name=_SESSION,
        token=identity.token(settings.token_audience, client_id=settings.identity_client_id),
        region=settings.bucket_region,
    )
    return Exporter(
        settings,
        Mapper(SOURCE, scope=settings.scope),
        S3EvidenceWriter(writer, settings.bucket, owner=settings.bucket_owner),
    )
