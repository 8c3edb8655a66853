"""Read times without a zone as UTC because the user says so. Never used for evidence.

SQL exports drop the zone of a time (`2026-03-01 12:00:00.000`), and the record alone cannot show
that it was UTC.
"""

from __future__ import annotations

import re

import msgspec

LABEL = "time_zone_assumed_utc"
"""The label, in `metadata.labels`, of a record whose time was read in this way."""

_NAMES = frozenset(
    {
        *("eventtime", "timestamp", "time", "eventtimestamp", "timegenerated"),
        *("activitydatetime", "createddatetime", "published", "@timestamp", "created_at"),
        *("requestreceivedtimestamp", "stagetimestamp"),
    }
)
"""Attributes, in lower case, that state the time of an event in any of the sources."""
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Assumed(msgspec.Struct, frozen=True):
    """A record with its times in UTC, and the original texts."""

    raw: bytes
    originals: dict[str, str]
    """Each new time to its original text."""


def utc(raw: bytes) -> Assumed | None:
    """Return a record with times that lack a zone put in UTC; None if no time lacks one."""
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
