"""Keys of the evidence bucket, and the hour of a unit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence import sources
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.keys import ParsedKey

HASH = bytes(range(32))
HOUR = "2026030208"
CLOUDTRAIL = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/"
    "111122223333_CloudTrail_us-east-1_20260302T0815Z_abc.json.gz"
)


def test_key_layout() -> None:
    """Source comes before hour, and the hash of the body ends the key; no unit is in it."""
    key = keys.evidence_key(source="aws_cloudtrail", hour=HOUR, body_sha256=HASH)
    assert f"ev/v1/aws_cloudtrail/h={HOUR}/{HASH.hex()}.ndjson.zst" == key
    assert ParsedKey("ev", "aws_cloudtrail", HOUR, HASH.hex()) == keys.parse_key(key)


@pytest.mark.parametrize(
    "key",
    [
        f"ev/v2/aws_cloudtrail/h={HOUR}/{HASH.hex()}.ndjson.zst",
        f"ev/v1/aws_cloudtrail/{HOUR}/{HASH.hex()}.ndjson.zst",
        f"ev/v1/aws_cloudtrail/h={HOUR}/unit/{HASH.hex()}.ndjson.zst",
        f"ev/v1/aws_cloudtrail/h={HOUR}/{HASH.hex()}.r1.ndjson.zst",
        f"ev/v1/aws_cloudtrail/h={HOUR}/{HASH.hex().upper()}.ndjson.zst",
        f"src/v1/aws_cloudtrail/h={HOUR}/unit/{HASH.hex()}",
        "ev/v1/x",
        "x",
        "",
    ],
)
def test_a_key_of_another_shape_states_less(key: str) -> None:
    """A key outside the layout states no hash, so that it can never pass for evidence."""
    parsed = keys.parse_key(key)
    assert None in (parsed.hour, parsed.body_sha256)


@pytest.mark.parametrize(
    ("key", "parsed"),
    [
        (f"op/v1/custody/h={HOUR}/{'0f' * 32}", ("op", "custody", HOUR, "0f" * 32)),
        (f"op/v1/custody/h={HOUR}/{'0f' * 32}.json", ("op", "custody", HOUR, "0f" * 32)),
        (f"ev/v1/s/h=unknown/{'0f' * 32}.ndjson.zst", ("ev", "s", "unknown", "0f" * 32)),
        (f"ev/v1/s/h=20260302/{'0f' * 32}.ndjson.zst", ("ev", "s", None, "0f" * 32)),
        (f"ev/v1/s/h={HOUR}", ("ev", "v1/s", None, None)),
        (f"ev/v2/s/h={HOUR}/x", ("ev", "v2/s", None, None)),
        ("log/v1/0001/plan/000000000000", ("log", "v1/0001", None, None)),
        ("x", ("x", "", None, None)),
    ],
)
def test_a_key_is_read_back(key: str, parsed: tuple[str, str, str | None, str | None]) -> None:
    """Statements have an extension or none; a key of no known kind states its place."""
    assert ParsedKey(*parsed) == keys.parse_key(key)


@pytest.mark.parametrize(
    ("hour", "begins"),
    [
        ("1970010101", 3_600_000),
        (HOUR, 1_772_438_400_000),
        ("2026139925", None),
        ("2026111", None),
        ("2026 3 208", None),
        ("\u0662\u0660\u0662\u0666\u0660\u0663\u0660\u0662\u0660\u0668", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_the_beginning_of_an_hour(hour: str, begins: int | None) -> None:
    """It is in milliseconds; an hour outside the calendar has no beginning."""
    assert begins == keys.hour_start(hour)
    assert begins is None or hour == keys.hour_of(begins) == keys.hour_of(begins + 3_599_999)


def test_reads_of_log_objects_are_bounded() -> None:
    """The limit is 128 MiB, for plans and tiles alike."""
    assert 134_217_728 == keys.LOG_OBJECT_BYTES


@given(st.text())
def test_any_text_can_be_parsed_as_a_key(key: str) -> None:
    """A hostile key does not raise an exception."""
    keys.parse_key(key)


@pytest.mark.parametrize(
    ("milliseconds", "hour"),
    [(0, "1970010100"), (1772438400000, HOUR), (10**20, "unknown")],
)
def test_hour_of_an_instant(milliseconds: int, hour: str) -> None:
    """Hours are UTC; an instant outside the calendar has none."""
    assert hour == keys.hour_of(milliseconds)


@pytest.mark.parametrize(
    ("unit", "hour"),
    [
        (f"trail/{CLOUDTRAIL}@v1", HOUR),
        (f"trail/{CLOUDTRAIL}@v1!h=2026030301", HOUR),
        ("trail/other.json.gz@v1!h=2026030301", "2026030301"),
        ("trail/other.json.gz@v1", "unknown"),
        ("trail/other.json.gz@v1!h=2026139925", "unknown"),
        ("trail/a_20261399T2515Z_b.json.gz@v1", "unknown"),
        ("msg/subscription/17!h=2026030208", HOUR),
        ("", "unknown"),
    ],
)
def test_the_hour_is_a_function_of_the_name(unit: str, hour: str) -> None:
    """The hour in the provider's key comes first, then the one in the name."""
    assert hour == keys.unit_hour(unit, sources.load("aws_cloudtrail").hour_of)


def test_a_file_is_named_by_what_is_known_of_it() -> None:
    """The hour goes into the name only if the provider's key states none."""
    hour_of = sources.load("aws_cloudtrail").hour_of
    modified = datetime(2026, 3, 2, 9, 59, tzinfo=UTC)
    named = [
        keys.file_unit(bucket="b", key=key, version="v", hour_of=hour_of, modified=taken)
        for key, taken in ((CLOUDTRAIL, modified), ("other", modified), ("other", None))
    ]
    assert [f"b/{CLOUDTRAIL}@v", "b/other@v!h=2026030209", "b/other@v"] == named
    assert [HOUR, "2026030209", "unknown"] == [keys.unit_hour(unit, hour_of) for unit in named]
