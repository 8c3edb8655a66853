"""Each rule applies at its bound and not below, and finds what a naive implementation finds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import follow
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.sequences import Finding, findings
from nhi_evidence.investigate.windows import bursts
from tests.investigating import DAY, HOUR, MINUTE, START, minted, row, used

KEY = "AKIAIOSFODNN7EXAMPLE"


def findings_of(rows: list[Row], rule: str, *, known_since: int | None = START) -> list[Finding]:
    """Return what a rule finds in the rows of one key."""
    path = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    return [each for each in findings(path, known_since) if each.rule == rule]


def refused(count: int, *, apart: int = MINUTE) -> list[Row]:
    return [
        used(number * apart, KEY, operation=f"Operation{number}", outcome="denied")
        for number in range(count)
    ]


def test_w1_takes_five_refused_operations_within_ten_minutes() -> None:
    assert len(findings_of(refused(5), "W1")[0].rows) == 5
    assert not findings_of(refused(4), "W1")
    assert not findings_of(refused(5, apart=3 * MINUTE), "W1")
    again = [*refused(4), used(5 * MINUTE, KEY, operation="Operation0", outcome="denied")]
    assert not findings_of(again, "W1"), "the same operation again is no other"


def test_w1_takes_three_of_a_credential_that_is_new() -> None:
    rows = refused(3)
    assert findings_of(rows, "W1", known_since=START - DAY)
    assert not findings_of(rows, "W1", known_since=START)
    assert not findings_of(rows, "W1", known_since=None)


def swept(services: Sequence[str], regions: Sequence[str] = ("us-east-1",)) -> list[Row]:
    return [
        used(
            number * 1000, KEY, operation=f"List{number}",
            service=services[number % len(services)], region=regions[number % len(regions)],
        )
        for number in range(6)
    ]  # fmt: skip


def test_w3_takes_six_operations_over_three_services_or_four_regions() -> None:
    assert findings_of(swept(["a", "b", "c"]), "W3")
    assert not findings_of(swept(["a", "b"]), "W3")
    assert not findings_of(swept(["a", "b", "c"])[:5], "W3")
    assert findings_of(swept(["a"], ["r1", "r2", "r3", "r4"])[:4], "W3")
    assert not findings_of(swept(["a"], ["r1", "r2", "r3"]), "W3")


def test_w4_spans_a_session_and_ends_after_an_hour() -> None:
    rows = [
        used(0, KEY, phase="Credential Validation", credential_kind="access_key"),
        used(MINUTE, KEY),
        minted(2 * MINUTE, KEY, "ASIASESSION"),
        used(3 * MINUTE, "ASIASESSION", phase="Secret Access"),
    ]
    (finding,) = findings_of(rows, "W4")
    assert (finding.actor, len(finding.rows)) == (KEY, 3)
    assert not findings_of([*rows[:3], used(2 * HOUR, "ASIASESSION", phase="Secret Access")], "W4")
    assert not findings_of([rows[0], *rows[2:]], "W4"), "without enumeration between them"
    again = used(2 * MINUTE + 1, KEY, phase="Credential Validation", credential_kind="access_key")
    assert findings_of([*rows[:3], again, rows[3]], "W4"), "validated again before the secret"
    denied = used(3 * MINUTE, "ASIASESSION", phase="Secret Access", outcome="denied")
    assert not findings_of([*rows[:3], denied], "W4")


def test_w5_needs_the_same_operation_and_target() -> None:
    first = used(0, KEY, operation="GetSecretValue", outcome="denied", targets=("a",))
    same = used(MINUTE, KEY, operation="GetSecretValue", targets=("a",))
    other = used(MINUTE, KEY, operation="GetSecretValue", targets=("b",))
    late = used(2 * DAY, KEY, operation="GetSecretValue", targets=("a",))
    (finding,) = findings_of([first, same], "W5")
    assert not finding.is_uncertain
    assert not findings_of([first, other], "W5")
    assert not findings_of([first, late], "W5")
    again = used(
        2 * DAY - MINUTE, KEY, operation="GetSecretValue", outcome="denied", targets=("a",)
    )
    (finding,) = findings_of([first, again, late], "W5")
    assert finding.first == again.time, "an older refusal does not hide the one of today"
    nameless = [used(0, KEY, outcome="denied"), used(MINUTE, KEY)]
    assert findings_of(nameless, "W5")[0].is_uncertain


def test_w6_needs_the_record_of_the_end_and_a_use_that_was_not_refused() -> None:
    end = used(0, KEY, phase="Credential Lifecycle", sub_phase="disable", entity=KEY)
    deleted = used(0, KEY, phase="Credential Lifecycle", sub_phase="delete", entity=KEY)
    for end_of_key, is_uncertain in ((end, True), (deleted, False)):
        assert [is_uncertain] == [
            each.is_uncertain for each in findings_of([end_of_key, used(MINUTE, KEY)], "W6")
        ], "what is disabled may be enabled by another"
    denied = used(MINUTE, KEY, outcome="denied")
    assert not findings_of([end, denied], "W6")
    (finding,) = findings_of([end, denied, used(2 * MINUTE, KEY)], "W6")
    assert finding.last == START + 2 * MINUTE, "a refused use does not hide the one after it"
    enabled = used(
        MINUTE, "AKIAOTHER", phase="Credential Lifecycle", sub_phase="enable", entity=KEY
    )
    both = Selection(credentials=frozenset({KEY, "AKIAOTHER"}))
    path = follow(MemoryIndex([end, enabled, used(2 * MINUTE, KEY)]), both)
    assert not [one for one in findings(path, START) if one.rule == "W6"], "it works again"
    failed = used(
        0, KEY, phase="Credential Lifecycle", sub_phase="disable", entity=KEY, outcome="denied"
    )  # fmt: skip
    assert not findings_of([failed, used(MINUTE, KEY)], "W6")
    assert not findings_of([used(-MINUTE, KEY), end], "W6")


def test_w7_takes_ten_names_that_do_not_exist() -> None:
    rows = [
        used(number, KEY, outcome="not_found", targets=(f"name-{number}",)) for number in range(10)
    ]
    assert findings_of(rows, "W7")
    assert not findings_of(rows[:9], "W7")


def test_w9_takes_a_listing_of_tools_and_three_refusals_after_it() -> None:
    listed = used(0, KEY, operation="tools/list", phase="Agent Action")
    probes = [
        used(
            MINUTE + number, KEY, operation="tools/call", targets=(f"tool-{number}",),
            outcome="denied", phase="Agent Action",
        )
        for number in range(3)
    ]  # fmt: skip
    assert len(findings_of([listed, *probes], "W9")[0].rows) == 4
    assert not findings_of([listed, *probes[:2]], "W9")
    assert not findings_of(probes, "W9")


def test_w2_is_certain_only_where_the_evidence_reaches_back_thirty_days() -> None:
    rows = [used(0, KEY, ip="203.0.113.77"), used(MINUTE, KEY, ip="203.0.113.77")]
    (finding,) = findings_of(rows, "W2", known_since=START - 31 * DAY)
    assert not finding.is_uncertain
    assert findings_of(rows, "W2", known_since=START - 29 * DAY)[0].is_uncertain
    assert findings_of(rows, "W2", known_since=None)[0].is_uncertain
    assert not findings_of([used(0, KEY)], "W2"), "an unknown address gives no finding"


def test_w8_needs_a_session_used_where_its_creator_never_was() -> None:
    def chain(address: str) -> list[Row]:
        return [
            minted(0, KEY, "ASIASESSION", ip="203.0.113.77"),
            used(MINUTE, "ASIASESSION", ip=address),
        ]

    (finding,) = findings_of(chain("198.51.100.7"), "W8")
    assert finding.is_uncertain
    assert not findings_of(chain("203.0.113.77"), "W8")


@pytest.mark.parametrize("least", [1, 2, 3])
@given(
    times=st.lists(st.integers(0, 40), max_size=14).map(sorted),
    names=st.lists(st.sampled_from("abc"), min_size=14, max_size=14),
    within=st.integers(0, 15),
)
def test_bursts_are_the_union_of_all_sufficient_windows(
    least: int, times: list[int], names: list[str], within: int
) -> None:
    rows = [row(at, operation=name) for at, name in zip(times, names, strict=False)]
    runs = list(bursts(rows, within, [lambda each: each.operation], lambda n: n[0] >= least))
    inside = set()
    for end, last in enumerate(rows):
        window = [each for each in rows[: end + 1] if last.time - each.time <= within]
        if len({each.operation for each in window}) >= least:
            inside |= {each.place.line for each in window}
    assert {each.place.line for run in runs for each in run} == inside
