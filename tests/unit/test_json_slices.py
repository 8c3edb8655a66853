"""The exact slices of a list, in an envelope or bare; a bad one is judged alone."""

from __future__ import annotations

import io
import time

import pytest

from nhi_evidence.event import Decoded, Limits, Undecodable
from nhi_evidence.local_files import documents
from nhi_evidence.reading.json_slices import Envelope, bounded, document, elements, trimmed

RECORDS = Envelope("Records")
BARE = Envelope()
LIMITS = Limits(inflated_bytes=1_000, record_bytes=20)


def slices(data: bytes, *envelopes: Envelope) -> list[bytes] | None:
    spans = elements(data, envelopes)
    return None if spans is None else [data[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"Records":[]}', []),
        (b'{"Records":[{"a":1}]}', [b'{"a":1}']),
        (b'\n {\t"Records" : [ {"a" : 1} ,\r\n 7,"x" ] }\n', [b'{"a" : 1}', b"7", b'"x"']),
        (b'{"Records":[[1,2],{"b":[3]}]}', [b"[1,2]", b'{"b":[3]}']),
        (b'{"Records":["]","a,b","\\"]"]}', [b'"]"', b'"a,b"', b'"\\"]"']),
    ],
)
def test_elements_are_what_was_received(data: bytes, expected: list[bytes]) -> None:
    """White space between elements is not part of them, white space inside is."""
    assert expected == slices(data, RECORDS)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"Records":[{"a":1},{"a":,2},{"b":3}]}', [b'{"a":1}', b'{"a":,2}', b'{"b":3}']),
        (b'{"Records":[ {bad} , [1,[2]] ]}', [b"{bad}", b"[1,[2]]"]),
        (b'{"Records":[{"a":"\xff"},{"b":2}]}', [b'{"a":"\xff"}', b'{"b":2}']),
        (b'{"Records":[{"a":"},]"},bad]}', [b'{"a":"},]"}', b"bad"]),
        (b'{"Records":[nul]}', [b"nul"]),
        (b'{"Records":[bad,]}', [b"bad", b""]),
        (b'{"Records":[,]}', [b"", b""]),
    ],
)
def test_a_bad_element_is_cut_by_brackets_alone(data: bytes, expected: list[bytes]) -> None:
    """An element that does not parse affects no other: strings and brackets show where it ends."""
    assert expected == slices(data, RECORDS)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"records":[]}',
        b'{"Records":{}}',
        b'{"Records":[],"more":1}',
        b'{"first":1,"Records":[]}',
        b'{"Records":[]}]',
        b'{"Records":[1]',
        b'{"Records":[1}',
        b'{"Records":[bad}]}',
        b'{"Records":[bad]}x',
        b'{"Records":[bad',
        b'x{"Records":[]}',
        b'{"Records":[1],"Records":[2]}',
    ],
)
def test_a_file_with_anything_around_its_envelope_is_not_one(data: bytes) -> None:
    """There is nothing around the elements but the envelope."""
    assert slices(data, RECORDS) is None


def test_the_first_envelope_that_fits_is_taken() -> None:
    """It is a bare list, an envelope of another name, or neither."""
    assert [b"1", b"2"] == slices(b" [1, 2] ", RECORDS, BARE)
    assert [b"1"] == slices(b'{"value":[1]}', RECORDS, Envelope("value"), BARE)
    assert slices(b"{}", RECORDS, BARE) is None
    assert [] == slices(b"[ ]", BARE)
    assert slices(b"[1]]", BARE) is None
    assert [b"bad"] == slices(b"[bad]", BARE)


def test_special_characters_in_a_name_are_literal() -> None:
    """`@odata.value` is not a pattern."""
    odd = Envelope("a.b")
    assert [b"1"] == slices(b'{"a.b":[1]}', odd)
    assert slices(b'{"axb":[1]}', odd) is None


def decoded(data: bytes) -> list[bytes]:
    result = document(data, (RECORDS,), LIMITS)
    assert isinstance(result, Decoded)
    assert result.data is data
    return [result.record(index).raw for index in range(len(result.spans))]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"Records":[1,2]}', [b"1", b"2"]),
        (b' {"a": 1}\n', [b'{"a": 1}']),
        (b'{"a":\n1}', [b'{"a":\n1}']),
        (b'{"a":1}\n\n {"b":2} \r\nbad\n', [b'{"a":1}', b'{"b":2}', b"bad"]),
        (b'{"a":1}\r{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\n \t\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b"\xff", [b"\xff"]),
    ],
)
def test_a_file_is_an_envelope_a_value_or_lines(data: bytes, expected: list[bytes]) -> None:
    """They are tried in this order; blank lines are skipped, and an invalid line is a record to
    reject.
    """
    assert expected == decoded(data)


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (b"", "empty_file", "0 bytes, no content"),
        (b" \n\t\r", "empty_file", "4 bytes, no content"),
        (b"x" * 1_001, "inflation_limit", "holds more than 1000 bytes"),
        (b'["' + b"x" * 19 + b'"]', "record_limit", "record 0 holds 23 bytes, more than 20"),
        (
            b'{"Records":[1,"' + b"x" * 19 + b'"]}',
            "record_limit",
            "record 1 holds 21 bytes, more than 20",
        ),
    ],
)
def test_an_exceeded_limit_is_named(data: bytes, reason: str, detail: str) -> None:
    """The error says what exceeds it, and by how much."""
    assert Undecodable(reason, detail) == document(data, (RECORDS,), LIMITS)


def test_a_limit_may_be_reached() -> None:
    """Reaching the limit is not exceeding it."""
    assert [b'"' + b"x" * 18 + b'"'] == decoded(b'"' + b"x" * 18 + b'"')
    lines = b"\n".join([b"x" * 19] * 50)
    assert 999 == len(lines)
    assert 50 == len(decoded(lines))
    assert 50 == len(decoded(lines + b"\n"))
    assert isinstance(bounded(b"x" * 20, [(0, 20)], LIMITS), Decoded)
    assert isinstance(bounded(b"x" * 21, [(0, 21)], LIMITS), Undecodable)


def test_the_end_of_a_broken_envelope_is_reported() -> None:
    """The first byte outside it may be at the beginning, between two elements, or after them."""
    assert 0 == RECORDS.locate(b"[1]", [1])
    assert 13 == RECORDS.locate(b'{"Records":[1x2]}', [1, 1])
    assert 13 == RECORDS.locate(b'{"Records":[1]x', [1])
    assert [(12, 13)] == RECORDS.locate(b'{"Records":[1]}', [1])


@pytest.mark.parametrize("data", [b'{"Records":[]}', b'{"Records": [ ] }'])
def test_an_empty_list_holds_nothing_by_brackets_alone(data: bytes) -> None:
    """It does not hold one empty record, whichever way the list is read."""
    assert [] == RECORDS.scan(data) == RECORDS.elements(data)


@pytest.mark.parametrize("blank", [b" ", b"  ", b"\n \t"])
def test_a_missing_element_is_an_empty_slice(blank: bytes) -> None:
    """A span never ends before it begins: what is between records would be stored twice."""
    data = b'{"Records":[1,' + blank + b"]}"
    at = data.index(b"]")
    assert RECORDS.scan(data) == [(12, 13), (at, at)]
    assert trimmed(data, 14, at) == (at, at)


def test_records_are_known_to_be_json_only_if_somebody_says_so() -> None:
    """A slice found by brackets alone may be anything."""
    decoded = bounded(b"{", [(0, 1)], Limits())
    assert isinstance(decoded, Decoded)
    assert not decoded.are_json


def test_a_string_that_is_not_closed_takes_time_in_proportion() -> None:
    """A file cut off in a text with quotes: each of them was taken for the start of a string."""
    data = b'{"Records":[{"a":"' + b'\\"[' * 100_000
    start = time.process_time()
    assert RECORDS.elements(data) is None
    assert 5 > time.process_time() - start, "took minutes"
    assert [b"{}", b'"\\" {}'] == slices(b'{"Records":[{},"\\" {}]}', RECORDS), "its end is found"


def test_a_line_of_a_local_file_that_is_not_closed_takes_time_in_proportion() -> None:
    """The same text in a local file: the value is incomplete, and none of it is lost."""
    data = b'{"a":["' + b'\\"[' * 100_000
    start = time.process_time()
    (incomplete,) = documents.split(io.BufferedReader(io.BytesIO(data)), 1 << 20)
    assert (data, False) == (incomplete.data, incomplete.is_json)
    assert 5 > time.process_time() - start, "took minutes"
