"""The key by which a record is matched when the Activity Log is listed by its API.

The hub's schema leaves out the id (`eventDataId`) that the API lists, so a record is matched by
what both state: correlation id, time to the tick of 100 ns, operation, status and resource. The
two differ in case and in the words for a status.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.sources.azure_activity.record import read

_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(\D.*)", re.ASCII)
_TICK_DIGITS = 7
_STATUS = {"start": "started", "success": "succeeded", "failure": "failed", "accept": "accepted"}
"""The hub's word for a status to the API's."""
_LONGEST_RESOURCE = 1000


def listed_id(raw: bytes) -> str | None:
    """Return the key a record of either schema is matched by; None if it lacks a part."""
    try:
        decoded = read(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if isinstance(decoded, Rejection):
        return None
    record, _ = decoded
    time = _ticks(record.time or "")
    parts = (record.correlationId, time, record.operationName, record.resourceId)
    if time is None or not all(parts):
        return None
    status = (record.resultType or "").strip().lower()
    resource = (record.resourceId or "").strip().rstrip("/").lower()
    if len(resource) > _LONGEST_RESOURCE:
        resource = f"sha256:{sha256(resource.encode()).hexdigest()}"
    return "|".join(
        (
            (record.correlationId or "").lower(),
            time,
            (record.operationName or "").lower(),
            _STATUS.get(status, status),
            resource,
        )
    )


def native_id(raw: bytes) -> str | None:
    """Return the id the provider gave a record; None if its schema leaves it out."""
    try:
        decoded = read(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return None if isinstance(decoded, Rejection) else decoded[0].eventDataId or None


def _ticks(text: str) -> str | None:
    """Return a time in UTC with exactly seven decimals; None if it is not a time."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        at = datetime.fromisoformat(f"{match[1]}{match[3]}").astimezone(UTC)
    except ValueError:
        return None
    fraction = (match[2] or "").ljust(_TICK_DIGITS, "0")[:_TICK_DIGITS]
    return f"{at:%Y-%m-%dT%H:%M:%S}.{fraction}Z"
