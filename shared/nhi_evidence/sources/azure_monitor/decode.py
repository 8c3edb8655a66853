"""A framed run of Event Hub messages -> exact record slices.

Diagnostic settings write `{"records":[...]}`; senders of other kinds a bare list, one object, or
anything at all. What is no list of records is one record, which says itself what is wrong with
it, so that a message never goes unread and one poison message spoils no other.
https://learn.microsoft.com/azure/azure-monitor/platform/stream-monitoring-data-event-hubs
"""

from __future__ import annotations

from nhi_evidence.azure import event_hub
from nhi_evidence.event import Decoded, Limits, Message, Undecodable
from nhi_evidence.reading import json_slices

_DETAIL = 200
_ENVELOPES = (json_slices.Envelope("records"), json_slices.Envelope())


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, and the messages they came in."""
    try:
        _, framed = event_hub.read(body)
    except ValueError as error:
        return Undecodable("run_malformed", str(error)[:_DETAIL])
    spans: list[tuple[int, int]] = []
    messages = []
    for one in framed:
        found = json_slices.elements(body[one.start : one.end], _ENVELOPES)
        held = [(0, one.end - one.start)] if found is None else found
        spans += [(one.start + start, one.start + end) for start, end in held]
        if one.sequence is not None:
            messages.append(Message(one.sequence, one.start, one.end, len(held)))
    decoded = json_slices.bounded(body, spans, limits)
    if isinstance(decoded, Undecodable):
        return decoded
    return Decoded(body, decoded.spans, tuple(messages))


def unwrap(document: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the records of a framed run, of one message, or of a file with a record a line."""
    if document.startswith(b'{"k":"run",'):
        return decode(document, limits)
    return json_slices.document(document, _ENVELOPES, limits)
