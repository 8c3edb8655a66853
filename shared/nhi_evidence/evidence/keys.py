"""Object keys of the evidence bucket (docs/evidence-format.md, "Keys").

Source before hour: an IAM resource wildcard spans slashes, so only this order confines a
writer role to its own source.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

MAX_UNIT_BYTES = 300
"""A longer encoded unit is replaced by `~<sha256[:40]>`; an S3 key holds 1,024 bytes."""

MAX_SEGMENT_BYTES = 240
"""The same for a single segment: a directory copy of the bucket holds names of 255 bytes."""

UNKNOWN_HOUR = "unknown"

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
    name = f"{body_sha256.hex()}.ndjson.zst"
    return f"ev/v1/{source}/h={hour}/{encode_unit(unit)}{suffix}/{name}"


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
