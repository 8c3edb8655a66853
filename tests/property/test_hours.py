"""An hour counts the same whether its units are sorted or not, in any order of objects."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhi_evidence.event import Limits
from nhi_evidence.evidence.lines import (
    Header,
    Kind,
    MapperIdentity,
    Settings,
    UnitLine,
    encode,
    unit_id,
)
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify import hours
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.evidence.verify.report import Judged, Report
from nhi_evidence.evidence.verify.sorting import MemorySorter

KINDS: tuple[Kind, ...] = ("records", "records", "records", "rejection", "companion")
DIGESTS = [sha256(bytes([number])).hexdigest() for number in range(2)]


@st.composite
def unit_lines(draw: st.DrawFn) -> UnitLine:
    """Return a line of one of a few units, in one or two parts, consistent with others or not."""
    unit = draw(st.sampled_from(["b/1@1", "b/2@1", "b/3@1", "b/4@1"]))
    kind = draw(st.sampled_from(KINDS))
    parts = draw(st.sampled_from([1, 1, 1, 2]))
    part = draw(st.integers(1, parts))
    records = draw(st.sampled_from([2, 2, 3])) if kind == "records" else 0
    digest = draw(st.sampled_from([DIGESTS[0], DIGESTS[0], DIGESTS[1]]))
    end = draw(st.sampled_from([10, 10, 9])) if part == parts else 5
    return UnitLine(
        u=unit_id(unit), unit=unit, kind=kind, part=part, parts=parts, src_sha256=digest,
        raw_sha256=None if kind == "rejection" else digest, raw_size=10,
        span=(0 if part == 1 else 5, end), first=draw(st.sampled_from([0, 0, 1])),
        records=records, kept=records, rejected=0, out_of_scope={}, lines=records, root=digest,
        gaps=(), rebuild=draw(st.sampled_from(["exact", "no"])),
    )  # fmt: skip


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Return the table of an object by one of two releases, with a void line now and then."""
    units = tuple(draw(st.lists(unit_lines(), max_size=5)))
    header = Header(
        v=1, source="aws_cloudtrail", hour="2026030208",
        mapper=MapperIdentity("0.1.0", draw(st.sampled_from(DIGESTS))),
        settings=Settings(scope="nhi", keep_out_of_scope_raw=True, limits=Limits()),
        codec="", units=len(units),
    )  # fmt: skip
    void = draw(st.frozensets(st.integers(0, 4), max_size=1))
    return Content(Table(header, units, (encode(header), *map(encode, units))), [], void)


def counted(objects: list[tuple[int, Content]], listed: tuple[str, ...]) -> Report:
    """Count objects as one hour."""
    report = Report(name="log", now=0, judged=Judged("", deep=False, reproduce=False))
    hour = hours.Hour(listed, MemorySorter())
    for index, content in objects:
        hour.add(index, f"ev/{index}", content)
    hour.weigh(report)
    report.findings.sort(key=lambda each: (each.key, each.code, each.detail))
    return report


@given(
    st.lists(contents(), max_size=4),
    st.sampled_from([(), (DIGESTS[0],), tuple(DIGESTS)]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_held_and_sorted_units_count_the_same(
    monkeypatch: pytest.MonkeyPatch, objects: list[Content], listed: tuple[str, ...]
) -> None:
    """Counting from a line alone gives the same as weighing every claim."""
    placed = list(enumerate(objects))
    as_they_are = counted(placed, listed)
    with monkeypatch.context() as patched:
        patched.setattr(hours, "KEPT_BYTES", -1)
        assert as_they_are == counted(placed, listed)
    with monkeypatch.context() as patched:
        patched.setattr(hours, "KEPT_BYTES", 1_500)
        assert as_they_are == counted(placed, listed)
    assert as_they_are == counted(placed[::-1], listed)
