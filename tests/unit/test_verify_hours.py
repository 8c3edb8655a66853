"""V5: the claims of an hour are counted into a report."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nhi_evidence.event import Rejection
from nhi_evidence.evidence import counting
from nhi_evidence.evidence.lines import MapperIdentity, UnitLine
from nhi_evidence.evidence.verify import hours
from nhi_evidence.evidence.verify.hours import Hour
from nhi_evidence.evidence.verify.objects import Content
from nhi_evidence.evidence.verify.report import Report
from nhi_evidence.evidence.verify.sorting import MemorySorter
from tests.unit.test_verify_objects import table_of, unit_line

REFUSED: dict[str, Any] = {
    "kind": "rejection",
    "rejection": Rejection("bad"),
    "raw_sha256": None,
    "records": 0,
    "kept": 0,
    "rejected": 0,
}


def content(*units: UnitLine, mapper: str = "m1", void: tuple[int, ...] = ()) -> Content:
    return Content(table_of(*units, mapper=MapperIdentity("0", mapper)), [], frozenset(void))


OF_ONE = sum(map(len, table_of(unit_line("a"), mapper=MapperIdentity("0", "m1")).lines))
"""Bytes of the lines of an object with one unit."""

KEPT_BYTES = hours.KEPT_BYTES


@pytest.fixture(autouse=True, params=[0, 4 << 20], ids=["by claim", "by line"])
def kept_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sort and weigh every claim, or only those of units with more than one."""
    monkeypatch.setattr(hours, "KEPT_BYTES", request.param)


def weighed(
    *objects: Content,
    mappers: tuple[str, ...] = (),
    is_expired: bool = False,
    report: Report | None = None,
) -> tuple[Report, Hour]:
    hour = Hour(mappers, MemorySorter())
    if is_expired:
        hour.expired_in_part = True
    for index, each in enumerate(objects):
        hour.add(index, f"k{index}", each)
    report = report or Report(name="log", now=0)
    hour.weigh(report)
    return report, hour


def test_units_and_records_are_counted_once() -> None:
    """Repeats are duplicates; what was counted before stays counted."""
    objects = (content(unit_line("a"), unit_line("b")), content(unit_line("a")))
    report, _ = weighed(*objects)
    assert {"counted": 2, "duplicate claims": 1} == report.units
    assert {"aws_cloudtrail": 4} == report.records_counted
    assert ([], 0, 0) == (report.findings, report.not_rebuilt, report.rejected_deliveries)
    weighed(*objects, report=report)
    assert {"counted": 4, "duplicate claims": 2} == report.units
    assert {"aws_cloudtrail": 8} == report.records_counted


def test_the_parts_of_a_unit_are_one_unit() -> None:
    """Its records are those of all its parts."""
    first = unit_line("a", parts=2, span=(0, 50))
    second = unit_line("a", part=2, parts=2, span=(50, 100), first=2)
    report, _ = weighed(content(first), content(second))
    assert ({"counted": 1}, {"aws_cloudtrail": 4}) == (report.units, report.records_counted)


def test_void_objects_and_those_without_a_table_claim_nothing() -> None:
    """Neither is counted, nor is its release listed."""
    report, hour = weighed(
        content(unit_line("a"), unit_line("b"), void=(0,)),
        content(unit_line("c"), mapper="m9", void=(0,)),
        Content(None, []),
        mappers=("m1",),
    )
    assert ({"counted": 1}, {}) == (report.units, hour.unlisted())


def test_a_release_that_is_not_listed_is_named_with_its_first_key() -> None:
    """It is named only if there is a list."""
    objects = [content(unit_line(name), mapper=mapper) for name, mapper in ("a1", "b2", "c2")]
    assert {"2": "k1"} == weighed(*objects, mappers=("1",))[1].unlisted()
    assert {} == weighed(*objects)[1].unlisted()


def test_the_list_decides_which_release_counts() -> None:
    """It does so for counting without verification as well."""
    old, new = content(unit_line("a")), content(unit_line("a", root="d" * 64), mapper="m2")
    exact = content(unit_line("a", rebuild="cut"), mapper="m2")
    for mappers, not_rebuilt in ((("m2", "m1"), 0), (("m1", "m2"), 1)):
        assert not_rebuilt == weighed(old, exact, mappers=mappers)[0].not_rebuilt
    assert {"counted": 1, "duplicate claims": 1} == weighed(old, new)[0].units


@pytest.mark.parametrize(
    "changes",
    [
        {"part": 2, "parts": 2},
        {"parts": 2},
        {"span": (0, 50)},
        {"span": (1, 100)},
        {"raw_size": 101},
        {"first": 1},
    ],
)
def test_a_unit_claimed_once_counts_if_it_is_complete(changes: dict[str, Any]) -> None:
    """It covers the first to the last byte and record; chunk numbers of a rejection are not
    records.
    """
    part, refused = unit_line("a", **changes), unit_line("a", **REFUSED, first=1)
    assert {"incomplete": 1} == weighed(content(part))[0].units
    assert {"counted": 1} == weighed(content(refused))[0].units
    assert [True, True, False] == list(map(counting.is_whole, (unit_line("a"), refused, part)))


def test_many_small_objects_count_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regardless of whether objects came before or after the hour was known to be large."""
    objects = [content(unit_line(name)) for name in "abca"]
    expected = weighed(*objects)[0]
    assert {"counted": 3, "duplicate claims": 1} == expected.units
    for kept in (OF_ONE, 2 * OF_ONE, 4 * OF_ONE):
        monkeypatch.setattr(hours, "KEPT_BYTES", kept)
        assert expected == weighed(*objects)[0]


def test_lines_are_kept_up_to_a_bound_and_then_all_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first byte past it nothing is kept: neither what was, nor what comes."""
    objects = [content(unit_line(name)) for name in "abcd"]
    monkeypatch.setattr(hours, "KEPT_BYTES", 2 * OF_ONE)
    sorter = MemorySorter()
    hour = Hour((), sorter)
    for number, in_sorter in enumerate((0, 0, 3, 4)):
        hour.add(number, f"k{number}", objects[number])
        assert in_sorter == len(list(sorter))


def test_four_megabytes_of_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an hour: however long its lines are, no more of them is in memory."""
    monkeypatch.setattr(hours, "KEPT_BYTES", KEPT_BYTES)
    sorter = MemorySorter()
    hour = Hour((), sorter)
    for number in range(5):
        assert [] == list(sorter)
        hour.add(number, f"k{number}", content(unit_line(f"{number}" * 1_000_000)))
    assert 5 == len(list(sorter))


def test_rejections_and_what_cannot_be_rebuilt_are_counted() -> None:
    """They count once per counted unit, whatever its duplicates state."""
    report, _ = weighed(content(unit_line("a", **REFUSED), unit_line("b", **REFUSED)))
    assert (2, {}) == (report.rejected_deliveries, report.records_counted)
    cut = unit_line("a", rebuild="cut")
    assert 1 == weighed(content(cut))[0].not_rebuilt
    parts = [
        unit_line("a", parts=2, span=(0, 50)),
        unit_line("a", part=2, parts=2, span=(50, 100), first=2, rebuild="no"),
    ]
    assert 1 == weighed(*map(content, parts))[0].not_rebuilt
    assert 2 == weighed(content(cut, unit_line("b", rebuild="no")))[0].not_rebuilt


@pytest.mark.parametrize("is_expired", [False, True])
def test_contradictory_claims_are_a_finding(is_expired: bool) -> None:
    """It names the leaves, even if something of the hour may have expired."""
    report, _ = weighed(
        content(unit_line("a")),
        content(unit_line("b")),
        content(unit_line("a", raw_sha256="d" * 64)),
        is_expired=is_expired,
    )
    assert {"contested": 1, "counted": 1} == report.units
    (finding,) = report.findings
    assert ("unit_contested", "aws_cloudtrail: a", "leaves 0, 2") == (
        finding.code,
        finding.key,
        finding.detail,
    )


def test_a_missing_part_is_a_finding_unless_it_may_have_expired() -> None:
    """The unit is incomplete in any case."""
    half = content(unit_line("a", parts=2, span=(0, 50)))
    for is_expired, codes in ((False, ["unit_incomplete"]), (True, [])):
        report, hour = weighed(half, is_expired=is_expired)
        assert hour.excused == is_expired
        assert codes == [finding.code for finding in report.findings]
        assert {"incomplete": 1} == report.units


def test_leaves_of_a_finding_are_bounded() -> None:
    """They take 300 characters, with each shard's own numbers."""
    hour = Hour((), MemorySorter())
    for index in range(200):
        changed = msgspec.structs.replace(unit_line("a"), raw_sha256=f"{index:064x}")
        hour.add(index, f"k{index}", content(changed))
    report = Report(name="log", now=0)
    hour.weigh(report)
    (finding,) = report.findings
    assert 300 == len(finding.detail)
