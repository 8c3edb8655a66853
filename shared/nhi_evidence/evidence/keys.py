"""Object keys of the evidence bucket, and the hour of a unit (docs/evidence-format.md, "Keys").

Source before hour: an IAM resource wildcard spans slashes, so only this order confines a
writer role to its own source. Units are not in the key, so nobody can occupy the key of a body
they do not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

UNKNOWN_HOUR = "unknown"

KINDS = ("ev", "op")
"""First segments of everything that is sealed; the log itself is under `log/`."""

LOG_PREFIX = "log/v1/"
"""Prefix of the log. Defined here so that a writer, which reads no log, need not import it."""

LOG_OBJECT_BYTES = 128 << 20
"""Maximum bytes read of any object of the log."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"\d{10}", re.ASCII)
_HOUR = re.compile(r"h=(\d{10}|unknown)", re.ASCII)
_UNIT_HOUR = re.compile(r"!h=(\d{10})$", re.ASCII)
_NAMES = {
    "ev": re.compile(r"([0-9a-f]{64})\.ndjson\.zst"),
    "op": re.compile(r"([0-9a-f]{64})(?:\.[a-z.]+)?"),
}
_SEGMENTS = len(("ev", "v1", "source", "h=hour", "name"))


def evidence_key(*, source: str, hour: str, body_sha256: bytes) -> str:
    """Return an evidence object's key, `ev/v1/<source>/h=<hour>/<sha256(body)>.ndjson.zst`."""
    return f"ev/v1/{source}/h={hour}/{body_sha256.hex()}.ndjson.zst"


class ParsedKey(msgspec.Struct, frozen=True, gc=False):
    """What a key states; None for anything it does not state in the right form."""

    kind: str
    source: str
    hour: str | None
    """`YYYYMMDDHH` or `unknown`."""
    body_sha256: str | None
    """SHA-256 of the body, hex."""


@lru_cache(maxsize=16)
def parse_key(key: str) -> ParsedKey:
    """Read a key back. Never raises: a key of another shape states less.

    Cached: each step of a verification asks for its current key.
    """
    segments = key.split("/")
    kind = segments[0]
    if kind not in KINDS or len(segments) < _SEGMENTS or segments[1] != "v1":
        return ParsedKey(kind, "/".join(segments[1:3]), None, None)
    hour = _HOUR.fullmatch(segments[3])
    name = _NAMES[kind].fullmatch("/".join(segments[4:]))
    return ParsedKey(kind, segments[2], hour[1] if hour else None, name[1] if name else None)


def hour_of(milliseconds: int) -> str:
    """Return the UTC hour `YYYYMMDDHH` of an instant, or `unknown` outside the calendar."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y%m%d%H")
    except OverflowError:
        return UNKNOWN_HOUR


@lru_cache(maxsize=1024)
def hour_start(hour: str) -> int | None:
    """Return the instant an hour of a key begins, in milliseconds, or None for `unknown`.

    Also None for digits that are not a calendar hour. Cached: every unit of an object is asked for
    its hour, and nearly all have the same one.
    """
    if _DIGITS.fullmatch(hour) is None:
        return None  # `strptime` also takes fewer digits
    try:
        begins = datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((begins - _EPOCH).total_seconds()) * 1000


def file_unit(
    *,
    bucket: str,
    key: str,
    version: str,
    hour_of: Callable[[str], str | None],
    modified: datetime | None,
) -> str:
    """Return the name of a delivered file's unit, `<bucket>/<key>@<version>[!h=YYYYMMDDHH]`.

    `version` is the store's version, generation or ETag; `hour_of` reads the hour in the provider's
    own key. If it has none, the hour of `modified`, when the store received the object, becomes
    part of the name; without either, the unit has no hour.
    """
    unit = f"{bucket}/{key}@{version}"
    if _stated_hour(key, hour_of) is not None or modified is None:
        return unit
    return f"{unit}!h={modified.astimezone(UTC):%Y%m%d%H}"


def unit_hour(unit: str, hour_of: Callable[[str], str | None]) -> str:
    """Return the hour a unit belongs to, derived from its name alone.

    It is the hour in the provider's own key, else the hour after `!h=`, else `unknown`.
    """
    object_key = unit.partition("/")[2].rpartition("@")[0]
    stated = _stated_hour(object_key, hour_of)
    if stated is not None:
        return stated
    appended = _UNIT_HOUR.search(unit)
    if appended is not None and hour_start(appended[1]) is not None:
        return appended[1]
    return UNKNOWN_HOUR


def _stated_hour(object_key: str, hour_of: Callable[[str], str | None]) -> str | None:
    stated = hour_of(object_key)
    return stated if stated is not None and hour_start(stated) is not None else None
