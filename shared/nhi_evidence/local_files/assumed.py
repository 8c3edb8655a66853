"""Times without a zone, read as UTC because the user says so. Never used for evidence.

SQL exports drop the zone of a time (`2026-03-01 12:00:00.000`). That it is UTC cannot be known
from the record.
"""

from __future__ import annotations

import re

import msgspec

LABEL = "time_zone_assumed_utc"
"""What a record carries in `metadata.labels` whose time was read so."""

_NAMES = frozenset(
    {
        *("eventtime", "timestamp", "time", "eventtimestamp", "timegenerated"),
        *("activitydatetime", "createddatetime"),
    }
)
"""Attributes, lower case, that say when an event was, in any of the sources."""
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Assumed(msgspec.Struct, frozen=True):
    """A record with its times in UTC, and what they were."""

    raw: bytes
    originals: dict[str, str]
    """Each time as it reads now, to the text it was."""


def utc(raw: bytes) -> Assumed | None:
    """Return a record whose times without a zone are UTC; None where no time of it lacks one."""
    try:
        members = _object(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    originals: dict[str, str] = {}
    for name, value in members.items():
        if name.lower() not in _NAMES or bytes(value)[:1] != b'"':
            continue
        text = msgspec.json.decode(value, type=str)
        if match := _WITHOUT_ZONE.fullmatch(text):
            now = f"{match[1]}T{match[2]}Z"
            originals[now] = text
            members[name] = msgspec.Raw(msgspec.json.encode(now))
    return Assumed(msgspec.json.encode(members), originals) if originals else None
