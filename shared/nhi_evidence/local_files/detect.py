"""Which source a document is of, by the attributes it has; said, and never used for evidence."""

from __future__ import annotations

import msgspec

_MARKS: tuple[tuple[str, frozenset[str]], ...] = (
    ("gcp_audit", frozenset({"protopayload"})),
    ("gcp_audit", frozenset({"entries"})),
    ("gcp_audit", frozenset({"message", "ackid"})),
    ("gcp_audit", frozenset({"message", "subscription"})),
    ("gcp_audit", frozenset({"logname", "insertid"})),
    ("k8s_audit", frozenset({"auditid", "stage"})),
    ("github_audit", frozenset({"_document_id", "action"})),
    ("github_audit", frozenset({"@timestamp", "action", "actor"})),
    ("okta_system", frozenset({"eventtype", "published", "uuid"})),
    ("vault_audit", frozenset({"time", "type", "request"})),
    ("vault_audit", frozenset({"type", "auth", "request"})),
    ("aws_api_gateway", frozenset({"requesttimeepoch", "requestid"})),
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
_VALUES: tuple[tuple[str, frozenset[str], str, bytes], ...] = (
    (
        "okta_system",
        frozenset({"detail", "detail-type", "source"}),
        "source",
        b'"aws.partner/okta.com/',
    ),
    ("k8s_audit", frozenset({"id", "timestamp", "message"}), "message", b"audit.k8s.io/"),
    ("k8s_audit", frozenset({"messageType", "logEvents"}), "logEvents", b"audit.k8s.io/"),
    ("aws_api_gateway", frozenset({"id", "timestamp", "message"}), "message", b"nhi-evidence/1"),
    ("aws_api_gateway", frozenset({"messageType", "logEvents"}), "logEvents", b"nhi-evidence/1"),
)
"""What wraps records of several sources, and what one of its values holds where it is of one."""
_EXACT = {"Records": "aws_cloudtrail", "Events": "aws_cloudtrail", "records": "azure_monitor"}
"""Envelopes, whose names differ in case."""

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def source(document: bytes) -> str | None:
    """Return the source a document, or one of its records, has the attributes of."""
    try:
        members = _object(document)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    names = set(members)
    for name, wrapping, telling, text in _VALUES:
        if wrapping <= names and text in bytes(members[telling]):
            return name
    folded = {name.lower() for name in names}
    for name, marks in _MARKS:
        if marks <= folded:
            return name
    return next((_EXACT[name] for name in sorted(names) if name in _EXACT), None)
