"""CloudTrail files, good and bad: every byte belongs to a record or envelope, or is reported."""

from __future__ import annotations

import gzip
import json

import pytest

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.sources.aws_cloudtrail import decode

LIMITS = Limits()
FIRST = b'{"eventID":"1","eventName":"A"}'
TWO = '{"eventID":"2","note":"\\u00fc ü \\" ] } , {"}'.encode()


def raws(body: bytes, limits: Limits = LIMITS) -> list[bytes]:
    decoded = decode(body, limits)
    assert isinstance(decoded, Decoded), decoded
    return [decoded.record(index).raw for index in range(len(decoded.spans))]


def reason(body: bytes, limits: Limits = LIMITS) -> str:
    decoded = decode(body, limits)
    assert isinstance(decoded, Undecodable), decoded
    return decoded.reason


@pytest.mark.parametrize(
    "document",
    [
        b'{"Records":[' + FIRST + b"," + TWO + b"]}",
        b' {\n "Records" :\t[ ' + FIRST + b" ,\r\n" + TWO + b" ] } \n",
    ],
)
def test_slices_are_exact(document: bytes) -> None:
    """Each record is a slice of the inflated file, compact or indented, plain or gzip."""
    assert [FIRST, TWO] == raws(document) == raws(gzip.compress(document))


def test_several_gzip_members_are_one_file() -> None:
    """RFC 1952 section 2.2: a file is a series of members."""
    document = b'{"Records":[' + FIRST + b"]}"
    assert [FIRST] == raws(gzip.compress(document[:9]) + gzip.compress(document[9:]))


def test_no_records() -> None:
    """An empty list is a file without records, not a damaged one."""
    assert [] == raws(b'{"Records":[]}')


@pytest.mark.parametrize(
    "bad",
    [
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\x01"}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b"nonsense",
    ],
)
def test_one_bad_record_affects_no_other(bad: bytes) -> None:
    """A record that is not JSON is still one slice, and its neighbors keep theirs."""
    assert [FIRST, bad, TWO] == raws(b'{"Records":[' + FIRST + b", " + bad + b" ," + TWO + b"]}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty_file"),
        (b" \n", "empty_file"),
        (b'\xef\xbb\xbf{"Records":[]}', "byte_order_mark"),
        (b"not json", "malformed_json"),
        (b'{"Records":[{"a":1}', "malformed_json"),
        (b'{"Records":[{"a":1}]', "malformed_json"),
        (b'{"Records":[{"a":1}}]', "malformed_json"),
        (b'{"other":[]}', "records_missing"),
        (b'{"Records":{}}', "records_not_a_list"),
        (b'{"Records":null}', "records_not_a_list"),
        (b"[]", "unexpected_envelope"),
        (b'{"Records":[],"Records":[{}]}', "unexpected_envelope"),
        (b'{"Records":[],"next":1}', "unexpected_envelope"),
        (b'{"first":1,"Records":[]}', "unexpected_envelope"),
        (b'{"Records":[]} {"Records":[]}', "malformed_json"),
        (b"\x1f\x8b", "truncated_gzip"),
        (gzip.compress(b'{"Records":[]}')[:-4], "truncated_gzip"),
        (gzip.compress(b'{"Records":[]}') + b"\x00", "trailing_bytes"),
        (gzip.compress(b'{"Records":[]}') + b"\x1f\x8b", "truncated_gzip"),
        (gzip.compress(b'{"Records":[]}')[:-8] + b"\x00" * 8, "damaged_gzip"),
        (gzip.compress(b""), "empty_file"),
    ],
)
def test_an_invalid_file_is_rejected_with_its_reason(body: bytes, expected: str) -> None:
    """Each kind of damage has its reason, and nothing is read past it."""
    assert expected == reason(body)


def test_a_bomb_is_refused_before_it_inflates() -> None:
    """Inflation stops at the limit."""
    bomb = gzip.compress(b'{"Records":[' + b" " * 10_000_000 + b"]}")
    assert reason(bomb, Limits(inflated_bytes=1_000_000)) == "inflation_limit"
    assert reason(b" " * 2000, Limits(inflated_bytes=1000)) == "inflation_limit"


def test_the_limit_itself_is_allowed() -> None:
    """A file of exactly the limit is read."""
    document = b'{"Records":[' + FIRST + b"]}"
    limits = Limits(inflated_bytes=len(document))
    assert [FIRST] == raws(gzip.compress(document), limits) == raws(document, limits)


def test_a_megabyte_record_is_a_record() -> None:
    """Below the stated limit nothing is dropped for its size; above it, the unit is kept raw."""
    large = json.dumps({"eventName": "A", "x": "y" * 1_000_000}).encode()
    assert [large] == raws(b'{"Records":[' + large + b"]}")
    tight = Limits(record_bytes=1000)
    assert reason(b'{"Records":[' + large + b"]}", tight) == "record_limit"
