"""What could not have been seen is reported for the path's time; silence is not proof."""

from __future__ import annotations

import msgspec
import pytest

from nhi_evidence.coverage.accounts import Accounts
from nhi_evidence.coverage.cells import Step
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.matrix import CellState, Matrix
from nhi_evidence.coverage.verdict import EVERY, Extent, Share, Verdict
from nhi_evidence.investigate import visibility
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import Path, follow
from nhi_evidence.investigate.timeline import Visibility
from nhi_evidence.terminal import timeline_steps
from tests.investigating import HOUR, MINUTE, START, used

KEY = "AKIAIOSFODNN7EXAMPLE"
END = START + 10 * MINUTE


def path() -> Path:
    rows = [used(0, KEY), used(10 * MINUTE - 1, KEY, phase="Secret Access")]
    return follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))


def cell(platform: str, step: Step, verdict: Verdict, *stretches: Stretch) -> CellState:
    return CellState(
        cell=f"{platform}.{step}", platform=platform, step=step, case="a case", verdict=verdict,
        reasons=("why",), stretches=stretches, documented="setting", setting="", reads=(),
        record="", confidence="high",
    )  # fmt: skip


ACCOUNT = "111122223333"
NAMED: Accounts = {"aws": {ACCOUNT: (Span(START - HOUR, START + HOUR),)}}


def report(*cells: CellState, accounts: Accounts | None = None) -> Matrix:
    named = NAMED if accounts is None else accounts
    plain = {kind: dict(spans) for kind, spans in named.items()}
    return Matrix(verdicts={}, read={}, not_read=(), accounts=plain, cells=cells)


def visible_of(
    of: Matrix, since: int | None = None, until: int | None = None, on: Path | None = None
) -> tuple[Visibility, ...]:
    return visibility.judged(on or path(), of, since, until).visibility


def stretch(
    start: int, end: int, verdict: Verdict = Verdict.CONFIGURED, extent: Extent = EVERY
) -> Stretch:
    return Stretch(Span(start, end), verdict, "as read", "read", extent)


def test_a_cell_is_reported_for_the_path_s_time_and_unknown_beyond_readings() -> None:
    state = cell(
        "aws", Step.ENUMERATION, Verdict.CONFIGURED,
        stretch(START - HOUR, START + 3 * MINUTE),
        stretch(START + 3 * MINUTE, START + 5 * MINUTE, Verdict.GAP),
    )  # fmt: skip
    visible = visible_of(report(state))
    assert [(each.since, each.until, each.verdict, each.is_seen) for each in visible] == [
        (START, START + 3 * MINUTE, "CONFIGURED", True),
        (START + 3 * MINUTE, START + 5 * MINUTE, "GAP", False),
        (START + 5 * MINUTE, END, "UNKNOWN", False),
    ]
    assert all(each.is_on_record for each in visible)


def test_a_step_without_a_record_is_reported_as_none_on_record() -> None:
    state = cell("aws", Step.DATA_ACCESS, Verdict.CONFIGURED, stretch(START, END))
    (visible,) = visible_of(report(state))
    assert (visible.is_seen, visible.is_on_record) == (True, False)
    assert visible.text == "none on record; it would have been"


def test_impossible_cells_are_so_at_all_times_and_other_platforms_are_omitted() -> None:
    states = [
        cell("aws", Step.ENUMERATION, Verdict.IMPOSSIBLE),
        cell("gcp", Step.ENUMERATION, Verdict.GAP, stretch(START, END)),
    ]
    (visible,) = visible_of(report(*states))
    assert (visible.verdict, visible.since, visible.until) == ("IMPOSSIBLE", START, END)


def test_a_requested_time_takes_precedence() -> None:
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END))
    visible = visible_of(report(state), START - MINUTE, START + MINUTE)
    assert [(each.since, each.until, each.verdict) for each in visible] == [
        (START - MINUTE, START, "UNKNOWN"),
        (START, START + MINUTE, "CONFIGURED"),
    ]
    assert not visible_of(report(state), END, START)


def test_a_report_round_trips_and_anything_else_is_refused() -> None:
    state = report(cell("aws", Step.ENUMERATION, Verdict.GAP, stretch(START, END)))
    assert visibility.read(msgspec.json.encode(state)) == state
    for document in (b"{}", b"[", b'{"schema":"coverage/9"}', b"\xff"):
        with pytest.raises(ValueError, match="report"):
            visibility.read(document)
    other = msgspec.structs.replace(state, schema="coverage/9")
    with pytest.raises(ValueError, match="coverage/9"):
        visibility.read(msgspec.json.encode(other))


def test_a_record_is_reported_with_its_own_step_at_its_time() -> None:
    """Not for another step or time, nor for an act that no setting records."""
    of = report(
        cell(
            "aws", Step.SECRET_ACCESS, Verdict.CONFIGURED,
            stretch(START, START + MINUTE), stretch(START + MINUTE, END, Verdict.GAP),
        ),
        cell("aws", Step.SECRET_ACCESS, Verdict.IMPOSSIBLE),
        cell("aws", Step.DATA_ACCESS, Verdict.CONFIGURED, stretch(START, END)),
        cell("gcp", Step.SECRET_ACCESS, Verdict.CONFIGURED, stretch(START, END)),
    )  # fmt: skip
    judged = visibility.judged(path(), of)
    first, last = judged.steps
    entries = [judged.visibility[number] for number in last]
    assert [(each.verdict, each.since) for each in entries] == [("GAP", START + MINUTE)]
    assert first == ()
    covered = path().covered(judged.steps).steps
    lines = list(timeline_steps.entries(covered, visible=judged.visibility))
    assert [line.strip() for line in lines if "coverage" in line] == [
        "coverage UNKNOWN: no cell of the report is about such an act",
        "coverage GAP: not recorded, or not all of it; 2026-03-02 08:01:00Z to 08:10:00Z",
    ]
    assert not [line for line in timeline_steps.entries(path().steps) if "coverage" in line]


def test_of_an_account_nobody_named_nothing_is_known() -> None:
    """Not even what the same report says of the cell: that is of other accounts."""
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END))
    others = {"aws": {"444455556666": (Span(START, END),)}}
    for accounts in (others, {}):
        (entry,) = visible_of(report(state, accounts=accounts))
        assert (entry.verdict, entry.accounts, entry.cell) == ("UNKNOWN", (ACCOUNT,), "")
        assert entry.reason == f"no coverage report names account {ACCOUNT}"
        assert (entry.since, entry.until, entry.is_seen) == (START, END, False)
    half = {"aws": {ACCOUNT: (Span(START + MINUTE, END),)}}
    entries = visible_of(report(state, accounts=half))
    assert [(each.verdict, each.since, each.until) for each in entries] == [
        ("UNKNOWN", START, START + MINUTE),
        ("CONFIGURED", START + MINUTE, END),
    ]


def test_an_account_has_its_own_verdict() -> None:
    """The worst of all accounts is not told of those it is not of."""
    other = "444455556666"
    extent = Extent(
        own=(Share(Verdict.GAP, "stopped", (other,)),), rest=Verdict.CONFIGURED, rest_reason="on"
    )
    state = cell("aws", Step.ENUMERATION, Verdict.GAP, stretch(START, END, Verdict.GAP, extent))
    named = {"aws": {**NAMED["aws"], other: (Span(START, END),)}}
    rows = [used(0, KEY), used(10 * MINUTE - 1, KEY, account=other)]
    both = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    entries = visible_of(report(state, accounts=named), on=both)
    assert {(each.accounts, each.verdict, each.reason) for each in entries} == {
        ((ACCOUNT,), "CONFIGURED", "on"),
        ((other,), "GAP", "stopped"),
    }
    elsewhere = Extent(judged=(other,))
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END, extent=elsewhere))
    entries = visible_of(report(state, accounts=named), on=both)
    assert {each.accounts: each.verdict for each in entries} == {
        (ACCOUNT,): "UNKNOWN",
        (other,): "CONFIGURED",
    }


def test_a_record_that_names_no_account_is_judged_by_all_or_not_at_all() -> None:
    rows = [used(0, KEY, account=None), used(10 * MINUTE - 1, KEY, account=None)]
    on = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END))
    (entry,) = visible_of(report(state), on=on)
    assert (entry.verdict, entry.accounts) == ("CONFIGURED", ())
    assert entry.reason == "as read (true of every account; the record names no account)"
    extent = Extent(own=(Share(Verdict.GAP, "off", (ACCOUNT,)),), rest=Verdict.CONFIGURED)
    state = cell("aws", Step.ENUMERATION, Verdict.GAP, stretch(START, END, Verdict.GAP, extent))
    (entry,) = visible_of(report(state), on=on)
    assert (entry.verdict, entry.is_seen) == ("UNKNOWN", False)
    (entry,) = visible_of(report(state, accounts={}), on=on)
    assert entry.reason == "no coverage report names any account of aws"


def test_of_accounts_where_nothing_was_read_a_record_that_names_none_is_not_told() -> None:
    """A cluster may be in any account, and its record says in none; only what was read is true."""
    rows = [used(0, KEY, account=None), used(10 * MINUTE - 1, KEY, account=None)]
    on = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    extent = Extent(judged=(ACCOUNT,))
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END, extent=extent))
    named = {"aws": {**NAMED["aws"], "444455556666": (Span(START, END),)}}
    (entry,) = visible_of(report(state, accounts=named), on=on)
    assert entry.verdict == "CONFIGURED"
    whose = "true in 1 account, and nothing of the kind was found in another"
    assert entry.reason == f"as read ({whose}; the record names no account)"


def test_a_canary_shows_its_own_account_alone() -> None:
    canary = Stretch(
        Span(START, START + MINUTE), Verdict.PROVEN, "seen", "canary",
        Extent(own=(Share(Verdict.PROVEN, "seen", (ACCOUNT,)),)),
    )  # fmt: skip
    state = msgspec.structs.replace(
        cell("aws", Step.ENUMERATION, Verdict.PROVEN, canary, stretch(START + MINUTE, END)),
        by_settings=(stretch(START, END),),
    )
    other = "444455556666"
    named = {"aws": {**NAMED["aws"], other: (Span(START, END),)}}
    rows = [used(0, KEY), used(10 * MINUTE - 1, KEY, account=other)]
    both = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    entries = visible_of(report(state, accounts=named), on=both)
    assert [(each.accounts, each.verdict, each.until) for each in entries] == [
        ((ACCOUNT,), "PROVEN", START + MINUTE),
        ((ACCOUNT,), "CONFIGURED", END),
        ((other,), "CONFIGURED", END),
    ]
    alone = msgspec.structs.replace(state, by_settings=())
    entries = visible_of(report(alone, accounts=named), on=both)
    assert [each.verdict for each in entries if each.accounts == (other,)] == [
        "UNKNOWN",
        "CONFIGURED",
    ]
