"""Each row of the matrix: the act gives exactly its findings, and the clean store none."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.evidence.verify import CODES
from tests.tamper import page
from tests.tamper.rows import ROWS, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "verification.md"


@pytest.mark.parametrize("row", ROWS, ids=[one.text.replace(" ", "-") for one in ROWS])
def test_exact_findings(row: Row) -> None:
    """Every finding is expected, with its place, and every expected one is found."""
    done, report = page.outcome(row)
    assert done.expected == {(one.code, one.key) for one in report.findings}
    worst = min((CODES[code].severity for code, _ in done.expected), default=0)
    assert worst == report.exit_code


def test_every_code_can_be_found() -> None:
    """No code of the table is a claim that nothing can raise."""
    raised = {code for row in ROWS for code, _ in page.outcome(row)[0].expected}
    assert set(CODES) - raised == page.ELSEWHERE


def test_the_page_prints_the_tables() -> None:
    """docs/verification.md holds the tables of findings and of the matrix as they are."""
    text = DOCUMENT.read_text()
    assert text == page.with_tables(text), "run: python -m tests.tamper"
