"""Keys of the evidence bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import keys

HASH = bytes(range(32))
UNIT = "trail/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/f.json.gz@v1"


def key(unit: str = UNIT, part: int = 1, parts: int = 1) -> str:
    return keys.evidence_key(
        source="aws_cloudtrail",
        hour="2026030208",
        unit=unit,
        part=part,
        parts=parts,
        body_sha256=HASH,
    )


def test_key_layout() -> None:
    """Source comes before hour, and the hash of the body ends the key."""
    assert f"ev/v1/aws_cloudtrail/h=2026030208/{UNIT}/{HASH.hex()}.ndjson.zst" == key()


def test_parts_are_told_apart() -> None:
    """A part suffix appears only where there are several parts."""
    assert f"{UNIT}.p02/" in key(part=2, parts=3)


def test_a_unit_cannot_imitate_a_part() -> None:
    """A unit whose name ends in `.p02` and part 2 of the shorter unit have different keys."""
    assert key("a/b.p02") != key("a/b", part=2, parts=2)


@pytest.mark.parametrize("unit", ["../../log/v1", "a//b", "/a", "~abc", "a b#c?d", "ü/\x1b"])
def test_a_unit_stays_inside_its_hour(unit: str) -> None:
    """No unit can add an empty or parent segment or pass for a hashed unit."""
    segments = keys.encode_unit(unit).split("/")
    assert not {"", ".", ".."} & set(segments)
    assert not segments[0].startswith("~")
    assert all(segment.isascii() for segment in segments)


def test_long_units_are_hashed() -> None:
    """Past 300 bytes a unit becomes `~` and 40 hex digits; the header keeps it in full."""
    encoded = keys.encode_unit("x/" * 200)
    assert encoded.startswith("~")
    assert len(encoded) == 41


@given(st.text(max_size=400), st.text(max_size=400))
def test_encoding_is_one_to_one(left: str, right: str) -> None:
    """Two units never share a key, and a key never exceeds what S3 and a directory hold."""
    assert (left == right) == (keys.encode_unit(left) == keys.encode_unit(right))
    assert len(key(left)) < 1024
    assert max(map(len, key(left).split("/"))) <= 255


@pytest.mark.parametrize(
    ("milliseconds", "hour"),
    [(0, "1970010100"), (1772438400000, "2026030208"), (10**20, "unknown")],
)
def test_hour_of_an_instant(milliseconds: int, hour: str) -> None:
    """Hours are UTC; an instant outside the calendar has none."""
    assert hour == keys.hour_of(milliseconds)
