"""Object keys of the evidence bucket (docs/evidence-format.md, "Keys").

Source before hour: an IAM resource wildcard spans slashes, so only this order confines a
writer role to its own source.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

import msgspec

MAX_UNIT_BYTES = 300
"""A longer encoded unit is replaced by `~<sha256[:40]>`; an S3 key holds 1,024 bytes."""

MAX_SEGMENT_BYTES = 240
"""The same for a single segment: a directory copy of the bucket holds names of 255 bytes."""

UNKNOWN_HOUR = "unknown"

KINDS = ("ev", "src", "op")
"""First segments of everything that is sealed; the log itself lies under `log/`."""

_SUFFIX = ".ndjson.zst"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_unit(unit: str) -> str:
    """Spell a unit as key segments, one for one.

    Slashes stay; everything else outside `A-Za-z0-9-_.=@+` is percent-encoded, and so are
    empty, `.` and `..` segments and a tail that would read as a part suffix. No unit can look
    like a hashed one (`~`), and no two units share an encoding.
    """
    segments = [_encode_segment(one) for one in unit.split("/")]
    stem, dot, tail = segments[-1].rpartition(".")
    if dot and tail[:1] == "p" and tail[1:].isdigit():
        segments[-1] = f"{stem}%2E{tail}"
    encoded = "/".join(segments)
    if len(encoded) > MAX_UNIT_BYTES or max(map(len, segments)) > MAX_SEGMENT_BYTES:
        return "~" + sha256(unit.encode()).hexdigest()[:40]
    return encoded


def _encode_segment(segment: str) -> str:
    if not segment:
        return "%2F"
    if segment in {".", ".."}:
        return segment.replace(".", "%2E")
    return quote(segment, safe="=@+").replace("~", "%7E")


def evidence_key(
    *, source: str, hour: str, unit: str, part: int, parts: int, body_sha256: bytes
) -> str:
    """Key of one evidence object.

    `ev/v1/<source>/h=<hour>/<unit>[.pNN]/<sha256(body)>.ndjson.zst`; the part suffix appears
    only where a unit has more than one part.
    """
    suffix = f".p{part:02d}" if parts > 1 else ""
    name = f"{body_sha256.hex()}{_SUFFIX}"
    return f"ev/v1/{source}/h={hour}/{encode_unit(unit)}{suffix}/{name}"


def of_attempt(key: str, attempt: int) -> str:
    """Return the key another attempt writes the same body under; `attempt` 0 is the first.

    Create-only writes leave whatever somebody else put under a key before the evidence came;
    then the unit is sent again with an attempt, and `.rN` gives it a key of its own.
    """
    if not attempt:
        return key
    return f"{key.removesuffix(_SUFFIX)}.r{attempt}{_SUFFIX}"


def attempt_in(key: str) -> int:
    """Return the attempt an evidence key was written by; 0 is the first."""
    found = _ATTEMPT.search(key)
    return int(found[1]) if found else 0


def source_copy_key(*, source: str, hour: str, unit: str, body_sha256: bytes) -> str:
    """Key of the byte-identical copy of a source file."""
    return f"src/v1/{source}/h={hour}/{encode_unit(unit)}/{body_sha256.hex()}"


def source_metadata_key(*, copy_key: str, metadata_sha256: bytes) -> str:
    """Key beside a source copy of what the source said of the file.

    It holds its own hash: an unversioned bucket may say other things of the same bytes later,
    and both are kept.
    """
    return f"{copy_key}.{metadata_sha256.hex()[:16]}.meta.json"


def hour_of(milliseconds: int) -> str:
    """Return the UTC hour `YYYYMMDDHH` of an instant, or `unknown` outside the calendar."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).strftime("%Y%m%d%H")
    except OverflowError:
        return UNKNOWN_HOUR


def hour_in(key: str) -> str:
    """Return the hour segment of an evidence key."""
    return key.split("/", 4)[3].removeprefix("h=")


class ParsedKey(msgspec.Struct, frozen=True, gc=False):
    """What a key says of itself. `None` for what it does not say in the form it should."""

    kind: str
    source: str
    hour: str | None
    """`YYYYMMDDHH` or `unknown`."""
    unit: str | None
    """The unit as the key spells it, without part and attempt."""
    part: int
    body_sha256: str | None
    """The hash the key states, hex: all of it, or the first half of a metadata key's."""


_HOUR = re.compile(r"h=(\d{10}|unknown)")
_ATTEMPT = re.compile(r"\.r(\d{1,6})\.ndjson\.zst$")
_PART = re.compile(r"(.+)\.p(\d{2,})")
_NAMES = {
    "ev": re.compile(r"([0-9a-f]{64})(?:\.r\d+)?\.ndjson\.zst"),
    "src": re.compile(
        r"(?:[0-9a-f]{64}\.(?=[0-9a-f]{16}\.meta\.json))?([0-9a-f]{16,64})(?:\.meta\.json)?"
    ),
    "op": re.compile(r"([0-9a-f]{64})(?:\.[a-z.]+)?"),
}


def parse_key(key: str) -> ParsedKey:
    """Read a key back. Never raises: a key of another shape states less."""
    segments = key.split("/")
    kind = segments[0]
    if kind not in KINDS or len(segments) < len(("ev", "v1", "source", "hour", "unit", "name")):
        return ParsedKey(kind, "/".join(segments[1:3]), None, None, 1, None)
    hour = _HOUR.fullmatch(segments[3])
    name = _NAMES[kind].fullmatch(segments[-1])
    unit, part = "/".join(segments[4:-1]), 1
    if kind == "ev" and (numbered := _PART.fullmatch(unit)):
        unit, part = numbered[1], int(numbered[2])
    return ParsedKey(
        kind, segments[2], hour[1] if hour else None, unit, part, name[1] if name else None
    )


def hour_start(hour: str) -> int | None:
    """Return the instant an hour of a key begins, in milliseconds, or None for `unknown`.

    None as well for digits that are no hour of the calendar.
    """
    try:
        begins = datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int((begins - _EPOCH).total_seconds()) * 1000
