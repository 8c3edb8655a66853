"""Lines found by lengths alone are the actual lines, each exactly one value."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.event import Decoded, Limits
from nhi_evidence.reading.json_files import _one_a_line, decode

_VALUES = [
    '{"a":1}',
    '{"a":\n1}',
    '{"b":[1,2]}',
    "7",
    '"x"',
    '"\\n"',
    "[]",
    "",
    " ",
    '{"a":1} ',
    "{",
]
_SEPARATORS = ["\n", "\n", "\n", "", " ", "\n\n", "\r\n", " \n"]


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Return some values, mostly one per line."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        parts += [draw(st.sampled_from(_VALUES)), draw(st.sampled_from(_SEPARATORS))]
    return "".join(parts[: draw(st.integers(1, len(parts)))]).encode()


@given(files())
def test_spans_are_the_lines_if_each_is_a_value(data: bytes) -> None:
    """For any other file there is no answer."""
    lines = data.removesuffix(b"\n").split(b"\n")
    spans = _one_a_line(data)
    if b"\r" in data or not all(map(_is_one_value, lines)):
        assert spans is None
    else:
        assert spans is not None
        assert lines == [data[start:end] for start, end in spans]


def _is_one_value(line: bytes) -> bool:
    try:
        return bytes(msgspec.json.decode(line, type=msgspec.Raw)) == line
    except msgspec.MsgspecError:
        return False


@pytest.mark.parametrize("data", [b'{"a":1}{"b":2}\n\n', b'{"a":\n1} {"b":2}', b"1 2\n", b"\n1"])
def test_lengths_that_add_up_are_not_enough(data: bytes) -> None:
    """The file has as many line breaks as lines would have, but in other places."""
    assert _one_a_line(data) is None


@pytest.mark.parametrize(
    ("data", "are_json"),
    [
        (b'{"a":1}\n7\n', True),
        (b'{"a":1}', True),
        (b'{"a":1}\n{', False),
        (b'{"a":1}{"b":2}', False),
        (b'{"a":1}\r\n{"b":2}', False),
        (b'[{"a":1}]', False),
        (b'{"logEvents":[{"a":1}]}\n', False),
        (b'{"a":"\\"logEvents\\""}', True),
    ],
)
def test_records_are_known_to_be_json_where_each_line_was_read(data: bytes, are_json: bool) -> None:
    """Elements and values within a line were not, or not all of them."""
    decoded = decode(data, Limits())
    assert isinstance(decoded, Decoded)
    assert are_json == decoded.are_json


@given(files())
def test_records_known_to_be_json_are(data: bytes) -> None:
    """Each is exactly one value, whatever the file is."""
    decoded = decode(data, Limits())
    if isinstance(decoded, Decoded) and decoded.are_json:
        assert all(_is_one_value(data[start:end]) for start, end in decoded.spans)
