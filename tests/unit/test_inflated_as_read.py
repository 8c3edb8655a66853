"""Reading lines while inflating gives the same lines and refusals as reading the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, objects
from nhi_evidence.pipeline.export import Mapper

LIMIT = 1 << 20


@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    st.integers(1, 64),
)
def test_yields_each_line_of_a_frame(lines: list[bytes], at_once: int) -> None:
    """This includes empty lines, and one longer than a chunk."""
    body, _ = frame.pack(lines, table=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame, "_INFLATED_AT_ONCE", at_once)
        if lines:
            assert list(frame.each_line(body, limit=LIMIT)) == frame.unpack(body, limit=LIMIT)
            return
        with pytest.raises(ValueError, match="not terminated"):
            list(frame.each_line(body, limit=LIMIT))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (frame.pack([b"a", b"b"])[0] + b"x", "after the zstd frame"),
        (frame.pack([b"a", b"b"])[0][:-1], "truncated"),
        (frame.pack([b"a" * (LIMIT + 1)])[0], "more than 1048576 bytes"),
        (frame.pack([b""] * (frame.MAX_LINES + 1))[0], "lines, more than 2000000"),
    ],
    ids=["appended", "cut", "too long", "too many"],
)
def test_refuses_what_the_whole_object_reader_refuses(body: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame.unpack(body, limit=LIMIT << 2 if "lines" in message else LIMIT)
    with pytest.raises(ValueError, match=message):
        list(frame.each_line(body, limit=LIMIT << 2 if "lines" in message else LIMIT))


def _packed() -> bytes:
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    files = [Delivery(f"b/{name}.json.gz@v1!h=2026030208", generate()[0].body) for name in "ab"]
    (packed,) = mapper.packer.pack(part for each in files for part in mapper.units(each))
    return packed.body


def test_an_object_is_read_as_it_is_inflated() -> None:
    """It yields each line with its unit, as when the object is read whole."""
    table, after = objects.read_object(_packed())
    own_table, lines = objects.open_object(_packed())
    assert own_table == table
    expected = [
        (number, place, line)
        for number, (_, own) in enumerate(objects.lines_of(table, after))
        for place, line in enumerate(own)
    ]
    assert list(objects.each_line_of(own_table, lines)) == expected
    assert {number for number, _, _ in expected} == {0, 1}


@pytest.mark.parametrize("change", ["a line more", "a line less", "unit line", "header"])
def test_an_object_that_contradicts_its_table_is_refused(change: str) -> None:
    table, after = objects.read_object(_packed())
    every = [*table.lines, *after]
    if change == "a line more":
        every.append(after[-1])
    elif change == "a line less":
        every.pop()
    elif change == "unit line":
        every[1] = every[1].replace(b'"part":1', b'"part": 1')
    else:
        every[0] = every[0].replace(b'"units":2', b'"units":%d' % (1 << 62))
    body, _ = frame.pack(every, table=len(table.lines))
    with pytest.raises(ValueError, match=r"announces|canonical"):
        list(objects.each_line_of(*objects.open_object(body)))
    with pytest.raises(ValueError, match=r"announces|canonical"):
        list(objects.lines_of(*objects.read_object(body)))


@pytest.mark.parametrize("count", [-1, frame.MAX_LINES + 1, 1 << 62])
def test_a_table_without_a_line_count_is_refused(count: int) -> None:
    table, after = objects.read_object(_packed())
    first = table.lines[1].replace(b'"lines":%d' % table.units[0].lines, b'"lines":%d' % count)
    body, _ = frame.pack([table.lines[0], first, *table.lines[2:], *after], table=3)
    with pytest.raises(ValueError, match="announces"):
        list(objects.each_line_of(*objects.open_object(body)))
