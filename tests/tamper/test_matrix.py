"""Each row of the matrix gives exactly its findings, and the clean store none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nhi_evidence.evidence.verify import CODES, Options, Part, join
from tests.tamper import page
from tests.tamper.rows import ROWS, Row
from tests.tamper.sealed_store import SealedStore

DOCUMENT = Path(__file__).parents[2] / "docs" / "verification.md"
DEEP_ALONE = {
    *("false_lock", "false_rejection", "rejection_cut_whole", "rejection_as_avro"),
    *("cut_whole_as_rejected", "cut_whole_as_refused", "cut_whole_but_kept"),
}
"""Rows that only show up when each version is described, or its records are mapped again."""

OF_THE_WHOLE = {
    "statement_false",
    "statement_invalid",
    "hour_incomplete",
    "canaries_false",
    "canaries_invalid",
}
"""A statement covers everything, so partial verifications do not weigh it, and say so."""

IDS = [row.text.replace(" ", "-") for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_exact_findings(row: Row) -> None:
    """Findings, with their places, are exactly the expected ones."""
    done, report = page.outcome(row)
    assert done.expected == {(finding.code, finding.key) for finding in report.findings}
    worst = min((CODES[code].severity for code, _ in done.expected), default=0)
    assert worst == report.exit_code


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_fast_verification_is_not_clean_either(row: Row) -> None:
    """What only a deep look explains shows up without it, too, as contradictory claims."""
    world = SealedStore()
    done = row.do(world)
    report = world.verify(since=done.since, policy=done.policy, deep=False)
    if row.do.__name__ not in DEEP_ALONE:
        assert bool(done.expected) == bool(report.findings)
    deep_only = {code for code, _ in done.expected if CODES[code].step == "V3"}
    if not deep_only and row.do.__name__ not in DEEP_ALONE:
        assert done.expected == {(finding.code, finding.key) for finding in report.findings}


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_parts_together_find_the_same(row: Row) -> None:
    """Three joined parts give the same findings and counts."""
    world = SealedStore()
    done = row.do(world)
    if done.since is not None:
        return  # a division is of everything there is
    joined = world.verify_in_parts(3, policy=done.policy)
    _, report = page.outcome(row)
    assert Counter(
        (each.code, each.key) for each in report.findings if each.code not in OF_THE_WHOLE
    ) == Counter((each.code, each.key) for each in joined.findings)
    for name in ("units", "records_counted", "objects", "bytes", "listed", "expired", "flags"):
        assert getattr(report, name) == getattr(joined, name), name


def test_a_missing_part_is_a_finding() -> None:
    """Two of three parts are not a complete verification."""
    world = SealedStore()
    reports = [world.verify(part=Part(number, 3)) for number in (1, 3)]
    joined = join(reports, world.verifier(Options()).hashes_of)
    assert [("part_missing", "part 2 of 3")] == [
        (finding.code, finding.detail) for finding in joined.findings
    ]
    assert 2 == joined.exit_code


def test_parts_of_two_logs_are_not_joined() -> None:
    """A part with another head is named."""
    world = SealedStore()
    first = world.verify(part=Part(1, 2))
    world.store.add(world.key_of("ev/"), b"x")
    world.seal()
    joined = join([first, world.verify(part=Part(2, 2))], world.verifier(Options()).hashes_of)
    assert "part_differs" in {finding.code for finding in joined.findings}
    assert 1 == joined.exit_code


def test_every_code_can_be_found() -> None:
    """Every code of the table can actually be raised."""
    raised = {code for row in ROWS for code, _ in page.outcome(row)[0].expected}
    assert set(CODES) - raised == page.ELSEWHERE


def test_the_page_prints_the_tables() -> None:
    """docs/verification.md has the current tables of findings and of the matrix."""
    text = DOCUMENT.read_text()
    assert text == page.with_tables(text), "run: python -m tests.tamper"
