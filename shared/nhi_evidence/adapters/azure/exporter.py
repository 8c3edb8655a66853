"""What an Azure Functions worker builds once: settings, clients and the pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from time import monotonic

import msgspec

from nhi_evidence.adapters import environ, web_identity
from nhi_evidence.adapters.azure import event_hub_trigger, identity
from nhi_evidence.adapters.azure.event_hub_trigger import Event, Hub
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Run
from nhi_evidence.event import Delivery, Message
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.ports import EvidenceWriter

SOURCE = "azure_monitor"
_SESSION = f"nhi-evidence-{SOURCE}".replace("_", "-")

BATCH_SECONDS = 480
"""Maximum time for a batch: two minutes less than `functionTimeout` in host.json, after which the
host would kill the worker."""


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
    keep_out_of_scope_raw: bool
    """Whether the raw text of out-of-scope records is kept: a question of privacy."""
    identity_client_id: str | None = None
    scope: Scope = Scope.NHI


class Exporter(msgspec.Struct, frozen=True):
    """Turns a batch of messages into locked evidence."""

    settings: Settings
    mapper: Mapper
    writer: EvidenceWriter

    def export(self, events: Sequence[Event], *, written: Mapping[str, str]) -> Iterator[Outcome]:
        """Lock all runs of a batch together; `written` says who writes, and when.

        A record that breaks the mapper is locked as a rejection, without affecting others. A run
        that breaks it as a whole is locked message by message, and the message that is the cause is
        locked as a rejection, so that it neither blocks its partition nor takes others with it.
        Yields the outcome of each group; once all have been yielded, everything is locked. Raises
        whatever kept a unit from being locked, and `SettingsError` when the batch is from another
        hub: the batch must then be retried, and repeating it is safe.
        """
        hub = Hub(self.settings.hub_namespace, self.settings.hub, self.settings.hub_creation_id)
        stream, messages = event_hub_trigger.messages(hub, events)
        runs = event_hub.runs(stream, messages)
        lock = _Lock(self.mapper, self.writer, written, _deadline())
        outcome = lock(runs, reject_unmapped=False)
        unmapped = [run for run in runs if run.unit in outcome.unmapped.keys() & outcome.failed]
        for run in unmapped:
            del outcome.failed[run.unit], outcome.unmapped[run.unit]
        yield outcome
        outcome.ensure_locked()
        if unmapped:
            singles = [Run(stream, (message,)) for run in unmapped for message in run.messages]
            outcome = lock(singles, reject_unmapped=True)
            yield outcome
            outcome.ensure_locked()


class _Lock(msgspec.Struct, frozen=True):
    """Locks groups of runs of one batch."""

    mapper: Mapper
    writer: EvidenceWriter
    written: Mapping[str, str]
    time_is_up: Callable[[], bool]

    def __call__(self, runs: Iterable[Run], *, reject_unmapped: bool) -> Outcome:
        return lock_batch(
            self.mapper,
            [_delivery(run) for run in runs],
            self.writer,
            metadata=self.written,
            time_is_up=self.time_is_up,
            reject_unmapped=reject_unmapped,
        )


def _deadline() -> Callable[[], bool]:
    ends = monotonic() + BATCH_SECONDS
    return lambda: monotonic() >= ends


def _delivery(run: Run) -> Delivery:
    """Return a run as a delivery, with the messages in its bytes."""
    body = event_hub.frame(run)
    _, framed = event_hub.read(body)
    messages = tuple(
        Message(message.sequence, message.start, message.end, 0)
        for message in framed
        if message.sequence is not None
    )
    return Delivery(unit=run.unit, body=body, messages=messages)


def site() -> str:
    """Return the platform's name of this function app, to state as the writer."""
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
        Mapper(SOURCE, scope=settings.scope, keep_out_of_scope_raw=settings.keep_out_of_scope_raw),
        S3EvidenceWriter(writer, settings.bucket, owner=settings.bucket_owner),
    )
