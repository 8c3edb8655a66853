"""A framed run of Event Hub messages -> exact record slices.

Diagnostic settings write `{"records":[...]}`; other senders write a bare list, one object, or
anything at all. What is not a list of records is taken as a single record, whose rejection says
what is wrong with it, so that no message is skipped and one poison message spoils no other.
https://learn.microsoft.com/azure/azure-monitor/platform/stream-monitoring-data-event-hubs
"""

from __future__ import annotations

from nhi_evidence.azure import event_hub
from nhi_evidence.event import LONGEST_DETAIL, Decoded, Limits, Message, Undecodable
from nhi_evidence.reading import json_slices

_ENVELOPES = (json_slices.Envelope("records"), json_slices.Envelope())


def decode(body: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the exact slice of every record, and the messages they were in."""
    try:
        _, framed = event_hub.read(body)
    except ValueError as error:
        return Undecodable("run_malformed", str(error)[:LONGEST_DETAIL])
    spans: list[tuple[int, int]] = []
    messages = []
    for message in framed:
        elements = json_slices.elements(body[message.start : message.end], _ENVELOPES)
        records = [(0, message.end - message.start)] if elements is None else elements
        spans += [(message.start + start, message.start + end) for start, end in records]
        if message.sequence is not None:
            messages.append(Message(message.sequence, message.start, message.end, len(records)))
    decoded = json_slices.bounded(body, spans, limits)
    if isinstance(decoded, Undecodable):
        return decoded
    return Decoded(body, decoded.spans, tuple(messages))


def unwrap(document: bytes, limits: Limits) -> Decoded | Undecodable:
    """Return the records of a framed run, of one message, or of a file with one record per line."""
    if document.startswith(b'{"k":"run",'):
        return decode(document, limits)
    return json_slices.document(document, _ENVELOPES, limits)
