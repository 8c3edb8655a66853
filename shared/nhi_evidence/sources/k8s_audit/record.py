"""The audit event in a record: as the API server writes it, or as the message of a log event.

A CloudWatch Logs subscription, which is how EKS's log reaches a file, wraps each event:
`{"id": ..., "timestamp": ..., "message": "<the event>"}`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection
from nhi_evidence.kubernetes.audit_event import ABSENT, AuditEvent, audit_events
from nhi_evidence.kubernetes.identity import users_in, users_of
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested

_API = "audit.k8s.io/"
_MESSAGE, _ESCAPE = b'"message"', b"\\u"


class _Either(AuditEvent, frozen=True, gc=False):
    """An event or its wrapper, so that an unwrapped event is decoded only once."""

    message: msgspec.Raw = ABSENT


class _Sliced(_Either, frozen=True, gc=False):
    """The same with its users left as they are, since many events have the same."""

    user: msgspec.Raw = ABSENT  # type: ignore[assignment]
    impersonatedUser: msgspec.Raw = ABSENT  # type: ignore[assignment] # noqa: N815


_either = LenientDecoder(_Either)
_sliced = msgspec.json.Decoder(_Sliced).decode


class _Outer(msgspec.Struct, frozen=True, gc=False):
    """The members that tell the two forms apart."""

    verb: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


_outer = msgspec.json.Decoder(_Outer).decode


class Read(msgspec.Struct, frozen=True, gc=False):
    """An audit event, as read."""

    event: AuditEvent
    """Its users are in `users`."""
    unusable: tuple[str, ...]
    """Attributes that could not be used."""
    document: bytes
    """Its JSON text."""
    users: bytes
    """Who called and as whom, for `kubernetes.identity.users_in`."""


def read(raw: bytes) -> Read | Rejection:
    """Read the audit event in a record."""
    try:
        event = _sliced(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _read_whole(raw)
    users = b"[%b,%b]" % (bytes(event.user) or b"null", bytes(event.impersonatedUser) or b"null")
    if bytes(event.message) or not _are_users(users):
        return _read_whole(raw)
    return _checked(event, (), raw, users)


@bounded_cache(results=2048, longest=8192)
def _are_users(users: bytes) -> bool:
    try:
        users_in(users)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _read_whole(raw: bytes) -> Read | Rejection:
    """Read an event whose attributes are not all of the usual types, or a wrapped one."""
    decoded = _either.record(raw)
    if isinstance(decoded, Rejection):
        if raw.startswith(b"{") and _MESSAGE not in raw and _ESCAPE not in raw:
            return decoded  # without escapes, "message" cannot be spelled in any other way
    elif not bytes(decoded[0].message):
        return _checked(*decoded, raw, users_of(decoded[0]))
    try:
        outer = _outer(raw)
        wrapped = bytes(outer.message) if not bytes(outer.verb) else b""
        document = nested(wrapped) if wrapped else raw
    except msgspec.ValidationError:
        return Rejection("record_not_an_object")
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:LONGEST_DETAIL])
    if document.startswith(b'"'):
        return Rejection("not_an_audit_entry", "a message that is no audit event")
    inner = audit_events.record(document)
    if isinstance(inner, Rejection):
        return inner
    return _checked(*inner, document, users_of(inner[0]))


def _checked(
    event: AuditEvent, unusable: tuple[str, ...], document: bytes, users: bytes
) -> Read | Rejection:
    if not (event.apiVersion or "").startswith(_API) and not event.verb:
        return Rejection("not_an_audit_entry", "no event of the group audit.k8s.io")
    return Read(event, unusable, document, users)
