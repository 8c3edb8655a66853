"""Reading what the Event Hub trigger passes to a function, as messages of one partition.

A batch is from one partition, which the host names in the trigger's metadata. Nothing that the host
does not state is made up: a message without a number, or from an unnamed partition, claims none.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-event-hubs-trigger#event-metadata
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from nhi_evidence.azure.event_hub import Message
from nhi_evidence.errors import SettingsError

UNKNOWN_PARTITION = "unknown"


class Event(Protocol):
    """One message, as `azure.functions.EventHubEvent` has it."""

    def get_body(self) -> bytes:
        """Return the message's bytes."""
        ...

    @property
    def sequence_number(self) -> int | None:
        """Its sequence number in the partition."""
        ...

    @property
    def offset(self) -> str | None:
        """Its offset in the partition."""
        ...

    @property
    def enqueued_time(self) -> datetime | None:
        """When the hub received it."""
        ...

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """Metadata of the whole batch."""
        ...


class Hub(msgspec.Struct, frozen=True):
    """The hub that a deployment reads."""

    namespace: str
    name: str
    creation_id: str
    """Distinguishes hubs of the same name: a hub that is created again counts from 0."""

    def stream(self, partition: str) -> str:
        """Return the name of a partition's stream, as used in units."""
        return f"{self.namespace}/{self.name}#{self.creation_id}/{partition}"


class _Context(msgspec.Struct, frozen=True, rename="pascal"):
    partition_id: str | None = None
    event_hub_name: str | None = None
    fully_qualified_namespace: str | None = None


def partition(events: Sequence[Event]) -> str:
    """Return the partition of a batch; `unknown` if the host does not say."""
    context = _context(events[0].metadata or {}) if events else _Context()
    return context.partition_id or UNKNOWN_PARTITION


def messages(hub: Hub, events: Sequence[Event]) -> tuple[str, list[Message]]:
    """Return the stream of a batch and its messages.

    Raises `SettingsError` when the host says that the batch is from another hub than the settings':
    its numbers would be claimed for the wrong stream.
    """
    context = _context(events[0].metadata or {}) if events else _Context()
    _check(hub, context)
    known = bool(context.partition_id)
    stream = hub.stream(partition(events))
    return stream, [
        Message(
            bytes(event.get_body()),
            event.sequence_number if known else None,
            None if event.offset is None else str(event.offset),
            _utc(event.enqueued_time),
        )
        for event in events
    ]


def _context(metadata: Mapping[str, Any]) -> _Context:
    partition = metadata.get("PartitionContext")
    try:
        if isinstance(partition, str | bytes):
            return msgspec.json.decode(partition, type=_Context)
        return msgspec.convert(partition or {}, type=_Context)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return _Context()


def _check(hub: Hub, context: _Context) -> None:
    name, host = context.event_hub_name, context.fully_qualified_namespace
    if name is not None and name.lower() != hub.name.lower():
        raise SettingsError(f"NHI_EVIDENCE_HUB is {hub.name!r}, but the messages are from {name!r}")
    namespace = host.partition(".")[0] if host else None
    if namespace is not None and namespace.lower() != hub.namespace.lower():
        raise SettingsError(
            f"NHI_EVIDENCE_HUB_NAMESPACE is {hub.namespace!r}, "
            f"but the messages are from {namespace!r}"
        )


def _utc(moment: datetime | None) -> str | None:
    """Return an instant in canonical form, so that a message has the same bytes each time."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
