"""The parts of a System Log event this pack reads, bare or as the `detail` of an EventBridge event.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
https://help.okta.com/oie/en-us/content/topics/reports/log-streaming/add-aws-eb-log-stream.htm
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder

_EMPTY = msgspec.Raw(b"")


class Entity(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """`actor`, or one of `target`."""

    id: str | None = None
    type: str | None = None
    alternate_id: str | None = None
    display_name: str | None = None


class UserAgent(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """`client.userAgent`."""

    raw_user_agent: str | None = None


class Client(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """`client`."""

    id: str | None = None
    ip_address: str | None = None
    user_agent: UserAgent | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """`outcome`."""

    result: str | None = None
    reason: str | None = None


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """`transaction`."""

    id: str | None = None
    type: str | None = None
    detail: dict[str, Any] | None = None


class Authentication(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """`authenticationContext`."""

    external_session_id: str | None = None
    root_session_id: str | None = None
    credential_type: str | None = None


class Debug(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """`debugContext`."""

    debug_data: dict[str, Any] | None = None


class LogEvent(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One event."""

    uuid: str | None = None
    published: str | None = None
    event_type: str | None = None
    version: str | None = None
    actor: Entity | None = None
    client: Client | None = None
    outcome: Outcome | None = None
    target: list[Entity] | None = None
    transaction: Transaction | None = None
    authentication_context: Authentication | None = None
    debug_context: Debug | None = None


class _Outer(msgspec.Struct, frozen=True, gc=False):
    detail: msgspec.Raw = _EMPTY
    detail_type: str | None = msgspec.field(name="detail-type", default=None)
    source: str | None = None


_events = LenientDecoder(LogEvent)
_outer = LenientDecoder(_Outer)
_PARTNER = "aws.partner/okta.com/"


class Read(msgspec.Struct, frozen=True, gc=False):
    """An event as it was read."""

    event: LogEvent
    unusable: tuple[str, ...]
    document: bytes
    """Its JSON."""
    organization: str | None
    """Of an EventBridge event: the organization that sent it."""


def read(raw: bytes) -> Read | Rejection:
    """Read the event of a record."""
    outer = _outer.record(raw)
    if isinstance(outer, Rejection):
        return outer
    wrapped = bytes(outer[0].detail) if outer[0].detail_type is not None else b""
    document = wrapped or raw
    decoded = _events.record(document)
    if isinstance(decoded, Rejection):
        return decoded
    source = outer[0].source or ""
    organization = source.removeprefix(_PARTNER).partition("/")[0] if wrapped else ""
    sent = source.startswith(_PARTNER) and organization
    return Read(decoded[0], decoded[1], document, organization if sent else None)


def text_in(values: dict[str, Any] | None, name: str) -> str | None:
    """Return the text under a name, or None."""
    value = (values or {}).get(name)
    return value if isinstance(value, str) and value else None
