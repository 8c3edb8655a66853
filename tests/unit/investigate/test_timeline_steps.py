"""For a reader, a sweep is one entry; nothing is hidden and the order is kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.investigate.lineage import Step
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.terminal.timeline_steps import entries
from tests.investigating import row

SECOND = 1_000
_HEAD = re.compile(r"(\d\d:\d\d:\d\d)  AWS")
_TIMES = re.compile(r"  AWS .*, (\d+) times until (\d\d:\d\d:\d\d)$")


def printed_lines(rows: list[Row], *, every_record: bool = False) -> list[str]:
    steps = [Step(each, "identity") for each in rows]
    return list(entries(steps, every_record=every_record))


def heads(lines: list[str]) -> list[str]:
    return [line for line in lines if _HEAD.match(line)]


def swept(count: int, *, every: int = SECOND) -> list[Row]:
    return [
        row(at * every, operation="GetPasswordData", targets=(f"i-{at}",)) for at in range(count)
    ]


def test_a_sweep_is_one_entry_with_its_first_and_last_place() -> None:
    rows = swept(29)
    lines = printed_lines(rows)
    assert len(heads(lines)) == 1
    assert "29 times until 08:00:28" in lines[1]
    assert any(line.endswith("on i-0, i-1, i-2, i-3, i-4, and 24 more") for line in lines)
    assert any(line.endswith(f"record {rows[0].place.line}") and "first" in line for line in lines)
    assert any(line.endswith(f"record {rows[-1].place.line}") and "last" in line for line in lines)


def test_each_entry_names_what_prove_takes() -> None:
    rows = swept(29)
    lines = printed_lines([*rows, row(90 * SECOND, uid=None)])
    uids = [line.strip() for line in lines if " uid" in line]
    assert uids == [
        f"first uid {rows[0].uid}",
        f"last uid {rows[-1].uid}",
        "no uid: case create proves it",
    ]


def test_two_of_a_kind_are_printed_one_by_one() -> None:
    assert len(heads(printed_lines(swept(2)))) == 2


def test_every_record_can_be_printed_on_request() -> None:
    assert len(heads(printed_lines(swept(29), every_record=True))) == 29


def test_a_run_ends_after_a_minute() -> None:
    lines = heads(printed_lines(swept(70)))
    assert [match.group(1) for line in lines if (match := _TIMES.search(line))] == ["61", "9"]


@pytest.mark.parametrize(
    "difference",
    [
        {"outcome": "denied"},
        {"ip": "203.0.113.9"},
        {"account": "444455556666"},
        {"base_phase": "Data Access"},
        {"service": "ec2.amazonaws.com"},
        {"identity": "nhi:aws:111122223333:role/AROAOTHER"},
        {"credential": "ASIAOTHER"},
        {"phase_rules": ("fallback:verb",)},
    ],
    ids=lambda each: next(iter(each)),
)
def test_different_records_are_separate_entries(difference: dict[str, Any]) -> None:
    rows = [*swept(3), row(3 * SECOND, **{"operation": "GetPasswordData", **difference})]
    assert len(heads(printed_lines(rows))) == 2


def test_a_record_that_issues_a_credential_is_its_own_entry() -> None:
    rows = [row(at * SECOND, operation="AssumeRole", issued=(f"ASIA{at}",)) for at in range(5)]
    lines = printed_lines(rows)
    assert len(heads(lines)) == 5
    assert sum("issued ASIA" in line for line in lines) == 5


def test_a_contested_record_is_its_own_marked_entry() -> None:
    place = Place("ev/object", "unit", 7, "2026", 1, Standing.CONTESTED)
    rows = [*swept(3), row(SECOND, operation="GetPasswordData", place=place)]
    lines = printed_lines(rows)
    assert len(heads(lines)) == 2
    assert any(line.endswith("record 7 CONTESTED") for line in lines)


@given(
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["ListUsers", "GetUser", "Decrypt"])))
)
def test_every_record_is_counted_once_and_entries_are_in_order(
    acts: list[tuple[int, str]],
) -> None:
    rows = [row(at * SECOND, operation=operation) for at, operation in sorted(acts)]
    lines = heads(printed_lines(rows))
    counts = [int(match.group(1)) if (match := _TIMES.search(line)) else 1 for line in lines]
    assert sum(counts) == len(rows)
    clocks = [line[:8] for line in lines]
    assert clocks == sorted(clocks)
