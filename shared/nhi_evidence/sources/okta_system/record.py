"""The parts of a System Log event that this pack reads, bare or as an EventBridge `detail`.

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


class _Either(LogEvent, frozen=True, gc=False, rename="camel"):
    """An event or its EventBridge wrapper, so that an unwrapped event is decoded only once."""

    detail: msgspec.Raw = _EMPTY
    detail_type: str | None = msgspec.field(name="detail-type", default=None)
    source: str | None = None


_events = LenientDecoder(LogEvent)
_either = LenientDecoder(_Either)
_OF_WRAPPING = frozenset({"detail-type", "source"})
_PARTNER = "aws.partner/okta.com/"


class Read(msgspec.Struct, frozen=True, gc=False):
    """An event, as read."""

    event: LogEvent
    unusable: tuple[str, ...]
    document: bytes
    """The event's JSON text."""
    organization: str | None
    """The organization that sent it, if it came as an EventBridge event."""


def read(raw: bytes) -> Read | Rejection:
    """Read the event in a record."""
    decoded = _either.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    outer, unusable = decoded
    wrapped = bytes(outer.detail) if outer.detail_type is not None else b""
    if not wrapped:
        if unusable:
            unusable = tuple(name for name in unusable if name not in _OF_WRAPPING)
        return Read(outer, unusable, raw, None)
    inner = _events.record(wrapped)
    if isinstance(inner, Rejection):
        return inner
    source = outer.source or ""
    organization = source.removeprefix(_PARTNER).partition("/")[0]
    sent = source.startswith(_PARTNER) and organization
    return Read(*inner, wrapped, organization if sent else None)


def text_in(values: dict[str, Any] | None, name: str) -> str | None:
    """Return the text under a name, or None."""
    if values is None:
        return None
    value = values.get(name)
    return value if isinstance(value, str) and value else None


_NOT_KNOWN = frozenset({None, "", "unknown"})


def known(text: str | None) -> str | None:
    """Return an id or name; None for `unknown`, which Okta writes where it has none.

    A sign-in under a name that no user has is by `unknown`, and so is its session.
    """
    return None if text in _NOT_KNOWN else text
