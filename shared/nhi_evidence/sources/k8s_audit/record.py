"""The audit event in a record: as the API server writes it, or as the message of a log event.

A CloudWatch Logs subscription, which is how EKS's log reaches a file, wraps each event:
`{"id": ..., "timestamp": ..., "message": "<the event>"}`.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import LONGEST_DETAIL, Rejection
from nhi_evidence.kubernetes.audit_event import ABSENT, AuditEvent, audit_events
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested

_API = "audit.k8s.io/"
_MESSAGE, _ESCAPE = b'"message"', b"\\u"


class _Either(AuditEvent, frozen=True, gc=False):
    """An event or its wrapper, so that an unwrapped event is decoded only once."""

    message: msgspec.Raw = ABSENT


_either = LenientDecoder(_Either)


class _Outer(msgspec.Struct, frozen=True, gc=False):
    """The members that tell the two forms apart."""

    verb: msgspec.Raw = ABSENT
    message: msgspec.Raw = ABSENT


_outer = msgspec.json.Decoder(_Outer).decode


def read(raw: bytes) -> tuple[AuditEvent, tuple[str, ...], bytes] | Rejection:
    """Read the audit event in a record; the last value is its JSON text.

    The second value names attributes that could not be used.
    """
    decoded = _either.record(raw)
    if isinstance(decoded, Rejection):
        if raw.startswith(b"{") and _MESSAGE not in raw and _ESCAPE not in raw:
            return decoded  # without escapes, "message" cannot be spelled in any other way
    elif not bytes(decoded[0].message):
        return _checked(*decoded, raw)
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
    return inner if isinstance(inner, Rejection) else _checked(*inner, document)


def _checked(
    event: AuditEvent, unusable: tuple[str, ...], document: bytes
) -> tuple[AuditEvent, tuple[str, ...], bytes] | Rejection:
    if not (event.apiVersion or "").startswith(_API) and not event.verb:
        return Rejection("not_an_audit_entry", "no event of the group audit.k8s.io")
    return event, unusable, document
