"""Evidence objects: packed from units, read back, rebuilt."""

from __future__ import annotations

import os
from hashlib import sha256

import msgspec
import pytest

from nhi_evidence.demo.story import generate
from nhi_evidence.errors import ObjectTooLargeError
from nhi_evidence.event import Delivery, Kind, Limits
from nhi_evidence.evidence import frame, gaps, lines, objects, unit
from nhi_evidence.evidence.lines import MapperIdentity, Settings
from nhi_evidence.evidence.objects import Packer
from nhi_evidence.evidence.unit import PartPosition, UnitIdentity, UnitPart, unit_part
from nhi_evidence.pipeline.export import Mapper

HOUR = "2026030208"
MAPPER = MapperIdentity("0.1.0", "ab" * 32)
SETTINGS = Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits())


def packer() -> Packer:
    return Packer(source="aws_cloudtrail", mapper=MAPPER, settings=SETTINGS)


def part(
    name: str, content: bytes = b"", *, hour: str = HOUR, number: int = 1, of: int = 1
) -> UnitPart:
    identity = UnitIdentity(
        unit=name,
        hour=hour,
        kind="companion",
        src_sha256=sha256(content).hexdigest(),
        raw_sha256=sha256(content).hexdigest(),
        raw_size=len(content),
    )
    return unit_part(
        identity,
        PartPosition(number, of, (0, len(content)), 0),
        [lines.companion_line(lines.unit_id(name), content)],
        rebuild="exact",
    )


def test_one_object_holds_the_units_of_a_batch() -> None:
    """The units of an hour form one object, whose key has the hash of its body."""
    (packed,) = packer().pack([part("b/1@v", b"first"), part("b/2@v", b"second")])
    assert (
        f"ev/v1/aws_cloudtrail/h={HOUR}/{sha256(packed.body).hexdigest()}.ndjson.zst" == packed.key
    )
    table, rest = objects.read_object(packed.body)
    assert ["b/1@v", "b/2@v"] == [line.unit for line in table.units]
    assert packed.metadata["root"] == table.root
    assert [1, 1] == [len(own) for _, own in objects.lines_of(table, rest)]


def test_the_table_is_read_by_range() -> None:
    """The number of first bytes in the metadata decodes to the table alone."""
    (packed,) = packer().pack([part("b/1@v", os.urandom(300_000)), part("b/2@v", b"x")])
    head = packed.body[: int(packed.metadata["table"])]
    assert len(head) < 1_000
    table = objects.read_table(frame.unpack_table(head, limit=1 << 20))
    assert objects.read_object(packed.body)[0] == table


def test_another_hour_or_a_unit_of_parts_closes_an_object() -> None:
    """Each object has one hour; parts of a larger unit have objects of their own."""
    packed = packer().pack(
        [
            part("b/1@v"),
            part("b/2@v", number=1, of=2),
            part("b/2@v", number=2, of=2),
            part("b/3@v"),
            part("b/3@v", hour="2026030209"),
        ]
    )
    assert [["b/1@v"], ["b/2@v"], ["b/2@v"], ["b/3@v"], ["b/3@v"]] == [
        [line.unit for line in each.units] for each in packed
    ]


def test_a_repeated_unit_is_taken_once() -> None:
    """The same unit again is not a second claim; other content under its name is."""
    packed = list(packer().pack([part("b/1@v", b"a"), part("b/1@v", b"a"), part("b/1@v", b"b")]))
    assert [1, 1] == [len(each.units) for each in packed]


def test_incompressible_units_are_packed_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body too large for one PUT becomes two; a single part that is too large is named."""
    monkeypatch.setattr(objects, "MAX_BODY_BYTES", 300_000)
    monkeypatch.setattr(objects, "_SURELY_FITS_BYTES", 1)
    parts = [part(f"b/{number}@v", os.urandom(150_000)) for number in range(4)]
    packed = list(packer().pack(parts))
    assert ["b/0@v", "b/1@v", "b/2@v", "b/3@v"] == [u.unit for each in packed for u in each.units]
    assert all(len(each.body) <= 300_000 for each in packed)
    with pytest.raises(ObjectTooLargeError, match="b/9@v part 1"):
        packer().check_size(part("b/9@v", os.urandom(400_000)))


@pytest.mark.parametrize(
    ("data", "spans"),
    [
        (b'{"Records":[{"a":1},{"b":2},{"c":3}]}', [(12, 19), (20, 27), (28, 35)]),
        (b'{"Records":[]}', []),
        (b"", []),
        (b"\xff{}\xfe", [(1, 3)]),
        (b"{}\n{}\n{}", [(0, 2), (3, 5), (6, 8)]),
    ],
)
def test_gaps_and_records_give_the_delivery(data: bytes, spans: list[tuple[int, int]]) -> None:
    """Gap, record, gap, ..., gap is the delivered text, byte for byte."""
    between = gaps.between(data, 0, len(data), spans)
    records = [data[start:end] for start, end in spans]
    assert data == b"".join(gaps.rebuild(between, records))
    assert (len(spans) + 1, len(data) - sum(map(len, records))) == gaps.extent(between)
    with pytest.raises(ValueError, match="gaps"):
        list(gaps.rebuild(between, [*records, b"more"]))


def test_equal_gaps_are_written_once() -> None:
    """A file of many records has only a few distinct gaps."""
    data = b'{"Records":[' + b",".join([b"{}"] * 1000) + b"]}"
    spans = [(12 + 3 * number, 14 + 3 * number) for number in range(1000)]
    assert [(1, '{"Records":['), (999, ","), (1, "]}")] == gaps.between(data, 0, len(data), spans)


def test_a_unit_is_cut_by_its_own_bytes() -> None:
    """Parts cover every byte, in order, and have every record once."""
    size = 3 * unit.PART_BYTES
    spans = [(start, start + 10) for start in range(5, size - 10, 1 << 20)]
    parts = unit.split(spans, size)
    assert 3 == len(parts)
    assert list(range(len(spans))) == [index for indexes, _ in parts for index in indexes]
    assert [0, *(end for _, (_, end) in parts)] == [*(start for _, (start, _) in parts), size]
    assert [(range(2), (0, 9))] == unit.split([(0, 1), (2, 3)], 9)


def test_a_line_spelled_otherwise_is_invalid() -> None:
    """A table has one encoding: with an extra space the object is invalid."""
    (packed,) = packer().pack([part("b/1@v")])
    table, rest = objects.read_object(packed.body)
    spaced = [table.lines[0], table.lines[1].replace(b'"part":1', b'"part": 1'), *rest]
    with pytest.raises(ValueError, match=r"unit line 1: .*canonical"):
        objects.read_table(spaced)
    with pytest.raises(ValueError, match="header"):
        objects.read_table([b"{}", *spaced])


def test_an_object_has_no_more_lines_than_a_reader_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed before that; a single part with more is refused by name."""
    monkeypatch.setattr(objects, "OBJECT_LINES", 1)
    packed = list(packer().pack([part("a", b"a"), part("b", b"b")]))
    assert [("a",), ("b",)] == [tuple(line.unit for line in one.units) for one in packed]
    monkeypatch.setattr(objects, "OBJECT_LINES", 0)
    with pytest.raises(ObjectTooLargeError, match="a part 1: 1 lines"):
        packer().check_size(part("a", b"a"))


def test_lines_before_the_records_can_be_read_alone() -> None:
    """They equal those of an object read whole, and no further line is read."""
    deliveries = [
        Delivery("b/a-digest.json.gz@v1!h=2026030208", b'{"digest":1}', kind=Kind.COMPANION),
        Delivery("b/b.json.gz@v1!h=2026030208", b"{"),
        Delivery("b/c.json.gz@v1!h=2026030208", generate()[0].body),
    ]
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    (packed,) = mapper.packer.pack(part for each in deliveries for part in mapper.units(each))
    table, after = objects.read_object(packed.body)
    expected = [
        (unit, list(own)) for unit, own in objects.lines_of(table, after) if unit.kind != "records"
    ]
    assert 2 == len(expected)
    read = [(unit, list(own)) for unit, own in objects.lines_of_others(packed.body, table)]
    assert expected == read
    with pytest.raises(ValueError, match="frame"):
        list(objects.lines_of_others(packed.body[: len(packed.body) // 8], table))
    more = [msgspec.structs.replace(unit, lines=unit.lines + 9) for unit in table.units]
    with pytest.raises(ValueError, match="frame is truncated"):
        list(objects.lines_of_others(packed.body, objects.Table(table.header, tuple(more), ())))
