"""What could not have been seen is reported for the path's time; silence is not proof."""

from __future__ import annotations

import msgspec
import pytest

from nhi_evidence.coverage.cells import Step
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.matrix import CellState, Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.investigate import visibility
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import Path, follow
from nhi_evidence.terminal import timeline_steps
from nhi_evidence.terminal.safe_text import instant
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


def report(*cells: CellState) -> Matrix:
    return Matrix(verdicts={}, read={}, not_read=(), cells=cells)


def stretch(start: int, end: int, verdict: Verdict = Verdict.CONFIGURED) -> Stretch:
    return Stretch(Span(start, end), verdict, "as read", "read")


def test_a_cell_is_reported_for_the_path_s_time_and_unknown_beyond_readings() -> None:
    state = cell(
        "aws", Step.ENUMERATION, Verdict.CONFIGURED,
        stretch(START - HOUR, START + 3 * MINUTE),
        stretch(START + 3 * MINUTE, START + 5 * MINUTE, Verdict.GAP),
    )  # fmt: skip
    visible = visibility.of_path(path(), report(state))
    assert [(each.since, each.until, each.verdict, each.is_seen) for each in visible] == [
        (START, START + 3 * MINUTE, "CONFIGURED", True),
        (START + 3 * MINUTE, START + 5 * MINUTE, "GAP", False),
        (START + 5 * MINUTE, END, "UNKNOWN", False),
    ]
    assert all(each.is_on_record for each in visible)


def test_a_step_without_a_record_is_reported_as_none_on_record() -> None:
    state = cell("aws", Step.DATA_ACCESS, Verdict.CONFIGURED, stretch(START, END))
    (visible,) = visibility.of_path(path(), report(state))
    assert (visible.is_seen, visible.is_on_record) == (True, False)
    assert visible.text == "none on record; it would have been"


def test_impossible_cells_are_so_at_all_times_and_other_platforms_are_omitted() -> None:
    states = [
        cell("aws", Step.ENUMERATION, Verdict.IMPOSSIBLE),
        cell("gcp", Step.ENUMERATION, Verdict.GAP, stretch(START, END)),
    ]
    (visible,) = visibility.of_path(path(), report(*states))
    assert (visible.verdict, visible.since, visible.until) == ("IMPOSSIBLE", START, END)


def test_a_requested_time_takes_precedence() -> None:
    state = cell("aws", Step.ENUMERATION, Verdict.CONFIGURED, stretch(START, END))
    visible = visibility.of_path(path(), report(state), START - MINUTE, START + MINUTE)
    assert [(each.since, each.until, each.verdict) for each in visible] == [
        (START - MINUTE, START, "UNKNOWN"),
        (START, START + MINUTE, "CONFIGURED"),
    ]
    assert not visibility.of_path(path(), report(state), END, START)


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
    visible = visibility.of_path(
        path(),
        report(
            cell(
                "aws", Step.SECRET_ACCESS, Verdict.CONFIGURED,
                stretch(START, START + MINUTE), stretch(START + MINUTE, END, Verdict.GAP),
            ),
            cell("aws", Step.SECRET_ACCESS, Verdict.IMPOSSIBLE),
            cell("aws", Step.DATA_ACCESS, Verdict.CONFIGURED, stretch(START, END)),
            cell("gcp", Step.SECRET_ACCESS, Verdict.CONFIGURED, stretch(START, END)),
        ),
    )  # fmt: skip
    first, last = path().steps
    judged = visibility.of_row(last.row, visible)
    assert [(each.verdict, each.since) for each in judged] == [("GAP", START + MINUTE)]
    assert visibility.of_row(first.row, visible) == []
    lines = list(timeline_steps.entries(path().steps, visible=visible))
    assert [line.strip() for line in lines if "coverage" in line] == [
        "coverage: no cell of the report is about such an act",
        f"coverage GAP 1 of its cells, {instant(START + MINUTE)} to {instant(END)}",
    ]
    assert not [line for line in timeline_steps.entries(path().steps) if "coverage" in line]
