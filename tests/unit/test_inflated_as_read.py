"""Reading lines while inflating gives the same lines and refusals as reading the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, objects
from nhi_evidence.evidence.keys import evidence_key
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify import sound
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


def _table_bytes(table: Table, after: Sequence[bytes]) -> int:
    return frame.pack([*table.lines, *after], table=len(table.lines))[1]


def _opened(body: bytes, table: Table, table_bytes: int) -> tuple[Table, Iterator[bytes]]:
    """Open a sealed object that has the metadata of a table."""
    digest = sha256(body)
    leaf = ObjectLeaf(
        evidence_key(source="aws_cloudtrail", hour="2026030208", body_sha256=digest.digest()),
        vid="1",
        at=0,
        size=len(body),
        sha256=digest.hexdigest(),
        md=objects.metadata(table.header, table.units, table.root, table_bytes),
    )
    return sound.opened(sound.of_brief(leaf.key, sound.brief(leaf)), body)


def test_an_object_is_read_as_it_is_inflated() -> None:
    """It yields each line with its unit, as when the object is read whole."""
    table, after = objects.read_object(_packed())
    own_table, lines = _opened(_packed(), table, _table_bytes(table, after))
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
    body, size = frame.pack(every, table=len(table.lines))
    with pytest.raises(ValueError, match=r"announces|canonical"):
        list(objects.each_line_of(*_opened(body, table, size)))
    with pytest.raises(ValueError, match=r"announces|canonical"):
        list(objects.lines_of(*objects.read_object(body)))


@pytest.mark.parametrize("count", [-1, frame.MAX_LINES + 1, 1 << 62])
def test_a_table_without_a_line_count_is_refused(count: int) -> None:
    table, after = objects.read_object(_packed())
    first = table.lines[1].replace(b'"lines":%d' % table.units[0].lines, b'"lines":%d' % count)
    changed = objects.read_table([table.lines[0], first, *table.lines[2:]])
    with pytest.raises(ValueError, match="announces"):
        list(objects.each_line_of(changed, iter(after)))


def test_an_object_with_another_table_than_its_first_block_is_refused() -> None:
    """A frame may hold other lines where those of its table end."""
    table, after = objects.read_object(_packed())
    body, size = frame.pack([*table.lines, *after], table=len(table.lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame, "each_line", lambda _body, limit: iter([*table.lines[:1], *after]))  # noqa: ARG005
        with pytest.raises(ValueError, match="differs from that of its first block"):
            list(_opened(body, table, size)[1])


@pytest.mark.parametrize("name", ["size", "sha256", "md", "moved"])
def test_an_object_unlike_its_leaf_is_refused(name: str) -> None:
    """Also through the short form of a leaf, in which a line break cannot move a value."""
    table, after = objects.read_object(_packed())
    body, size = frame.pack([*table.lines, *after], table=len(table.lines))
    key = f"ev/v1/aws_cloudtrail/h=2026030208/{sha256(body).hexdigest()}.ndjson.zst"
    md = objects.metadata(table.header, table.units, table.root, size)
    leaf = ObjectLeaf(key, "1", 0, len(body), md=md)
    assert table == sound.opened(sound.of_brief(key, sound.brief(leaf)), body)[0]
    changed: dict[str, dict[str, Any]] = {
        "size": {"size": 1},
        "sha256": {"sha256": "0" * 64},
        "md": {"md": {}},
        "moved": {"md": {"root": "\n".join(md[each] for each in sound.NAMES)}},
    }
    other = msgspec.structs.replace(leaf, **changed[name])
    for each in (other, sound.of_brief(key, sound.brief(other))):
        with pytest.raises(ValueError, match=r"sealed bytes|metadata states"):
            sound.opened(each, body)
