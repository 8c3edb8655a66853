"""Which source a document is of, by the attributes it has; said, and never used for evidence."""

from __future__ import annotations

import msgspec

_MARKS: tuple[tuple[str, frozenset[str]], ...] = (
    ("gcp_audit", frozenset({"protopayload"})),
    ("gcp_audit", frozenset({"entries"})),
    ("gcp_audit", frozenset({"message", "ackid"})),
    ("gcp_audit", frozenset({"message", "subscription"})),
    ("gcp_audit", frozenset({"logname", "insertid"})),
    ("aws_cloudtrail", frozenset({"eventsource", "eventname"})),
    ("aws_cloudtrail", frozenset({"cloudtrailevent"})),
    ("aws_cloudtrail", frozenset({"awslogs"})),
    ("aws_cloudtrail", frozenset({"messagetype", "logevents"})),
    ("aws_cloudtrail", frozenset({"detail", "detail-type"})),
    ("azure_activity", frozenset({"operationnamevalue"})),
    ("azure_activity", frozenset({"eventtimestamp", "operationname"})),
    ("azure_entra", frozenset({"activitydatetime", "activitydisplayname"})),
    ("azure_entra", frozenset({"createddatetime", "appdisplayname"})),
    ("azure_monitor", frozenset({"time", "category"})),
    ("azure_monitor", frozenset({"timegenerated", "type"})),
)
"""Attributes that tell a source, without case; the first row that fits decides."""
_EXACT = {"Records": "aws_cloudtrail", "Events": "aws_cloudtrail", "records": "azure_monitor"}
"""Envelopes, whose names differ in case."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def source(document: bytes) -> str | None:
    """Return the source a document, or one of its records, has the attributes of."""
    try:
        names = set(_object(document))
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    folded = {name.lower() for name in names}
    for name, marks in _MARKS:
        if marks <= folded:
            return name
    return next((_EXACT[name] for name in sorted(names) if name in _EXACT), None)
