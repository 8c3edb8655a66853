"""V2: everything that can be false in an object, its table and its leaf has its finding."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from nhi_evidence.event import Limits, Rejection
from nhi_evidence.evidence import frame, keys, lines, objects
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import Header, MapperIdentity, Messages, Settings, UnitLine
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify import objects as checked
from nhi_evidence.evidence.verify.findings import Finding

HOUR = "2026030208"
NAME = f"b/1@v!h={HOUR}"
HEADER = Header(
    v=1,
    source="aws_cloudtrail",
    hour=HOUR,
    mapper=MapperIdentity("0.1.0", "ab" * 32),
    settings=Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits()),
    codec="zstd",
    units=1,
)
LARGEST = 1 << 53
REFUSED: dict[str, Any] = {
    "kind": "rejection",
    "rejection": Rejection("bad"),
    "raw_sha256": None,
    "gaps": (),
    "records": 0,
    "kept": 0,
    "rejected": 0,
}
COMPANION: dict[str, Any] = {
    "kind": "companion",
    "gaps": (),
    "records": 0,
    "kept": 0,
    "rejected": 0,
}
MESSAGES = Messages(0, ("d" * 64,), (2,))


def unit_line(name: str = NAME, **changes: Any) -> UnitLine:
    line = UnitLine(
        u=lines.unit_id(name),
        unit=name,
        kind="records",
        part=1,
        parts=1,
        src_sha256="a" * 64,
        raw_sha256="b" * 64,
        raw_size=100,
        span=(0, 100),
        first=0,
        records=2,
        kept=1,
        rejected=1,
        out_of_scope={},
        lines=2,
        root="c" * 64,
        gaps=((1, "["), (1, ","), (1, "]")),
        rebuild="exact",
    )
    return msgspec.structs.replace(line, **changes)


def table_of(*units: UnitLine, **changes: Any) -> Table:
    header = msgspec.structs.replace(HEADER, **{"units": len(units), **changes})
    return Table(header, units, tuple(map(lines.encode, (header, *units))))


def packed(table: Table) -> tuple[ObjectLeaf, bytes]:
    """Return the object of a table, and its true leaf."""
    body, size = frame.pack(table.lines, table=len(table.lines))
    digest = sha256(body)
    leaf = ObjectLeaf(
        key=keys.evidence_key(
            source=table.header.source, hour=table.header.hour, body_sha256=digest.digest()
        ),
        vid="v1",
        at=1_000_000,
        size=len(body),
        sha256=digest.hexdigest(),
        until=2_000_000,
        md=objects.metadata(table.header, table.units, table.root, size),
    )
    return leaf, body


def changed(leaf: ObjectLeaf, **changes: Any) -> ObjectLeaf:
    return msgspec.structs.replace(leaf, **changes)


def stated(findings: list[Finding]) -> list[tuple[str, str, str | None]]:
    return [(each.code, each.detail, each.unit) for each in findings]


def weighed(*units: UnitLine, **header: Any) -> list[tuple[str, str, str | None]]:
    table = table_of(*units, **header)
    return stated(checked.weigh(packed(table)[0], table).findings)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"raw_size": LARGEST, "span": (0, LARGEST)}, None),
        ({"raw_size": LARGEST + 1}, "a number below 0 or above 2^53"),
        ({"first": -1}, "a number below 0 or above 2^53"),
        ({"lines": LARGEST + 1}, "a number below 0 or above 2^53"),
        ({"out_of_scope": {"x": -1}, "kept": 2}, "a number below 0 or above 2^53"),
        ({"u": "0" * 16}, "unit id does not match the name"),
        ({"part": 0}, "part 0 of 1, span (0, 100) of 100"),
        ({"part": 2}, "part 2 of 1, span (0, 100) of 100"),
        ({"part": 2, "parts": 2}, None),
        ({"span": (51, 50)}, "part 1 of 1, span (51, 50) of 100"),
        ({"span": (0, 101)}, "part 1 of 1, span (0, 101) of 100"),
        ({"records": 3}, "3 records, 1 + 1 + 0"),
        ({"rejected": 0}, "2 records, 1 + 0 + 0"),
        ({"out_of_scope": {"x": 1}}, "2 records, 1 + 1 + 1"),
        ({"out_of_scope": {"x": 1, "y": 1}, "records": 4, "gaps": ((5, ","),)}, None),
        ({"src_sha256": "A" * 64}, "not a hash"),
        ({"root": "c" * 65}, "not a hash"),
        ({"raw_sha256": "b" * 63}, "not a hash"),
        ({"span": (0, 1), "gaps": ((3, ""),)}, None),
        ({"span": (7, 8), "gaps": ((3, ""),)}, None),
        ({"span": (7, 7), "gaps": ((3, ""),)}, "2 records in 0 bytes"),
        ({"gaps": ((2, "["),)}, "2 gaps around 2 records"),
        ({"gaps": ((4, "["),)}, "4 gaps around 2 records"),
        ({"span": (5, 8)}, None),
        ({"span": (6, 8)}, "gaps longer than the span"),
        ({"gaps": ((0, "x"), (3, "y"))}, "not a gap: (0, 'x')"),
        ({"rejection": Rejection("bad")}, "a rejection, and nothing else, has a reason"),
        ({"raw_sha256": None}, "a rejection, and nothing else, has a reason"),
        (COMPANION | {"raw_sha256": None}, "a rejection, and nothing else, has a reason"),
        (REFUSED, None),
        (REFUSED | {"rebuild": "cut"}, None),
        (REFUSED | {"rebuild": "no"}, "a rejection with records or gaps, or incomplete"),
        (REFUSED | {"rejection": None}, "a rejection, and nothing else, has a reason"),
        (REFUSED | {"raw_sha256": "b" * 64}, "a rejection, and nothing else, has a reason"),
        (REFUSED | {"gaps": ((1, ""),)}, "a rejection with records or gaps, or incomplete"),
        (COMPANION, None),
        (COMPANION | {"records": 1, "kept": 1}, "a companion with records or gaps, or incomplete"),
        (COMPANION | {"rebuild": "cut"}, "a companion with records or gaps, or incomplete"),
        ({"messages": MESSAGES}, None),
        ({"messages": Messages(0, (), ())}, "0 messages with 0 counts, part 1"),
        ({"messages": Messages(0, ("d" * 64,), (1, 1))}, "1 messages with 2 counts, part 1"),
        ({"messages": MESSAGES, "part": 2, "parts": 2}, "1 messages with 1 counts, part 2"),
        ({"messages": Messages(-1, ("d" * 64,), (2,))}, "a number of messages below 0"),
        ({"messages": Messages(LARGEST + 1, ("d" * 64,), (2,))}, "a number of messages below 0"),
        ({"messages": Messages(LARGEST, ("d" * 64,), (2,))}, None),
        ({"messages": Messages(0, ("d" * 64,) * 2, (3, -1))}, "a number of messages below 0"),
        ({"messages": Messages(0, ("d" * 64,) * 2, (0, 2))}, None),
        ({"messages": Messages(0, ("d" * 65,), (2,))}, "not a hash of a message"),
        ({"messages": Messages(0, ("d" * 64,), (3,))}, "the messages hold 3 records, the unit 2"),
        ({"messages": Messages(0, ("d" * 64,), (3,)), "parts": 2}, None),
        (COMPANION | {"messages": MESSAGES}, None),
    ],
)
def test_a_unit_line_adds_up(changes: dict[str, Any], problem: str | None) -> None:
    """False bounds, sums, hashes, gaps and messages are named, with their unit."""
    findings = weighed(unit_line(**changes))
    if problem is None:
        assert [] == findings
        return
    ((code, detail, unit),) = findings
    assert ("arithmetic", NAME) == (code, unit)
    assert detail.startswith(problem)


def test_bytes_are_missing_only_where_a_raw_text_is_not_kept() -> None:
    """By the settings, and by the number of records whose text may be missing."""
    lacking = unit_line(rebuild="no", kept=0, out_of_scope={"x": 1})
    partly = msgspec.structs.replace(HEADER.settings, keep_out_of_scope_raw=False)
    every = "its bytes are said to be missing, though every raw text is kept"
    none = "its bytes are said to be missing, but no record is out of scope"
    assert [] == weighed(lacking, settings=partly)
    assert [("arithmetic", every, NAME)] == weighed(lacking)
    assert [("arithmetic", none, NAME)] == weighed(unit_line(rebuild="no"), settings=partly)


@pytest.mark.parametrize(
    ("units", "unit"),
    [
        ((unit_line("a"), unit_line("b")), None),
        ((unit_line("a", parts=2), unit_line("a", part=2, parts=2)), None),
        ((unit_line("b"), unit_line("a")), "a"),
        ((unit_line("a"), unit_line("a")), "a"),
        ((unit_line("a", part=2, parts=2), unit_line("a", parts=2)), "a"),
        ((unit_line("c"), unit_line("b"), unit_line("a")), "b"),
    ],
)
def test_units_are_in_order_and_unique(units: tuple[UnitLine, ...], unit: str | None) -> None:
    """The order is by name and part; the first one out of order is one finding."""
    expected = [("table_invalid", "units out of order or duplicated", unit)]
    assert ([] if unit is None else expected) == weighed(*units)


def test_a_table_agrees_with_key_and_metadata() -> None:
    """Checked are the sealed root, the key's source and hour, and each sum in the metadata."""
    table = table_of(unit_line())
    leaf, _ = packed(table)
    assert checked.weigh(leaf, table) == checked.Content(table, [])
    assert checked.weigh(leaf, table).counts
    other = checked.weigh(changed(leaf, md={**leaf.md, "root": "00"}), table)
    assert [("table_root", f"root {table.root}", None)] == stated(other.findings)
    assert not other.counts
    for name in ("units", "records", "kept", "rejected", "mapper"):
        findings = checked.weigh(changed(leaf, md={**leaf.md, name: "9"}), table).findings
        detail = f"{name}: {leaf.md[name]!r} inside, '9' sealed"
        assert [("table_mismatch", detail, None)] == stated(findings)
    for before, after in ((HOUR, "2026030209"), ("aws_cloudtrail", "gcp_audit")):
        moved = changed(leaf, key=leaf.key.replace(before, after))
        (finding,) = checked.weigh(moved, table).findings
        assert f"'aws_cloudtrail {HOUR}' inside, unlike the key" == finding.detail
        assert (moved.key, "v1") == (finding.key, finding.version)


def test_a_unit_of_another_hour_claims_nothing() -> None:
    """Its claim is void and named; all claims of an unknown source are, and that is reported."""
    strange = "b/2@v!h=2026030209"
    table = table_of(unit_line(), unit_line(strange), unit_line("b/3@v"))
    leaf, _ = packed(table)
    content = checked.weigh(leaf, table)
    assert (frozenset({1, 2}), True) == (content.void, content.counts)
    assert [
        ("unit_hour", "its name gives 2026030209", strange),
        ("unit_hour", "its name gives unknown", "b/3@v"),
    ] == stated(list(checked.hours(leaf, content)))
    unknown = table_of(unit_line(), source="other")
    leaf, _ = packed(unknown)
    content = checked.weigh(leaf, unknown)
    assert {0} == content.void
    assert [("source_unknown", "other", None)] == stated(list(checked.hours(leaf, content)))
    assert [] == list(checked.hours(leaf, checked.Content(None, [])))
    assert not checked.Content(None, []).counts


def test_findings_per_object_are_bounded() -> None:
    """The last of twenty says that there are more, unless there are exactly twenty."""
    names = [f"b/{number:02}@v!h={HOUR}" for number in range(21)]
    few = weighed(*(unit_line(name, kept=2) for name in names[:20]))
    many = weighed(*(unit_line(name, kept=2) for name in names))
    assert many[:19] == few[:19]
    assert ("arithmetic", "2 records, 2 + 1 + 0", names[19]) == few[19]
    assert ("arithmetic", "2 records, 2 + 1 + 0; and more in this object", names[19]) == many[19]
    assert (20, 20) == (len(few), len(many))


def test_texts_of_a_finding_are_bounded() -> None:
    """Names by a writer are cut at 300 characters, and so are texts about them."""
    leaf, _ = packed(table_of(unit_line()))
    finding = checked.finding("line_invalid", leaf, "x" * 400, unit="u" * 400, record=7)
    assert ("x" * 300, "u" * 300, 7) == (finding.detail, finding.unit, finding.record)
    (longest,) = checked.bounded(iter([finding]))
    assert longest == finding
    last = checked.bounded(iter([finding] * 21))[-1]
    assert "x" * 300 == last.detail


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"sha256": None}, [("no_checksum", "")]),
        ({"sha256": "00"}, [("object_altered", "SHA-256 {digest}, sealed 00")]),
        ({"size": 1}, [("object_altered", "{size} bytes, sealed 1")]),
        ({"key": "ev/v1/x"}, [("key_hash", "SHA-256 {digest}")]),
    ],
)
def test_stored_bytes_match_the_sealed_ones(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """The leaf's hash, its size, and the hash in the key are checked separately."""
    leaf, body = packed(table_of(unit_line()))
    digest = sha256(body).hexdigest()
    filled = [(code, text.format(digest=digest, size=len(body))) for code, text in expected]
    findings = checked.stored(changed(leaf, **changes), body)
    assert filled == [(each.code, each.detail) for each in findings]


def test_a_table_is_read_up_to_the_size_in_its_metadata() -> None:
    """A missing or invalid size, or one beyond the body, gives no table; nor does another frame."""
    table = table_of(unit_line())
    leaf, body = packed(table)
    assert checked.Content(table, []) == checked.read_content(leaf, body)
    size, length = leaf.md["table"], str(len(body))
    assert int(size) == checked.table_bytes(leaf)
    # A number has one form, so that no two readers take a different one for the same text.
    others = (size.zfill(13), f"0{size}", f"{size} ", f"{size}\n", "1" + "0" * 10, "1" + "0" * 11)
    stated_texts = ("", "0", "x", "-1", "²", "1" * 30, f"{len(body) + 1}", *others)
    expected = {text: f"metadata states a table of {text[:20]!r} bytes" for text in stated_texts}
    for text, read in (
        ("1", "1"),
        (length, length),
        (f"{int(size) - 1}", f"{int(size) - 1}"),
    ):
        expected[text] = f"no block of the zstd frame ends at byte {read}"
    for text, detail in expected.items():
        md = {**leaf.md, "table": text}
        findings = checked.read_content(changed(leaf, md=md), body).findings
        assert [("frame_invalid", detail, None)] == stated(findings)
    assert "frame_invalid" == checked.read_content(changed(leaf, md={}), body).findings[0].code
    assert "after the zstd" in checked.read_content(leaf, body + b"x").findings[0].detail


def test_a_table_is_alone_in_its_block() -> None:
    """Readers by range would miss lines after it; an empty table is not one."""
    table = table_of(unit_line())
    leaf, _ = packed(table)
    for texts, detail in (
        ((*table.lines, b"{}"), "extra lines in the table's block"),
        ((b"{}",), "header: "),
    ):
        body, size = frame.pack(texts, table=len(texts))
        content = checked.read_content(changed(leaf, md={**leaf.md, "table": str(size)}), body)
        assert content.table is None
        (finding,) = content.findings
        assert "table_invalid" == finding.code
        assert finding.detail.startswith(detail)
