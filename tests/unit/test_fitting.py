"""Lines of a report on a terminal and in a pipe."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nhi_evidence.terminal import fitting

SENTENCE = "not checked: V1: " + "a rollback, of which nothing outside speaks; " * 3
KEY = "          ev/v1/aws_cloudtrail/h=2026030209/" + "a" * 64 + ".ndjson.zst"


def terminal(*, is_one: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=is_one, width=80)


def test_a_sentence_fits_a_terminal() -> None:
    """Between words, with nothing lost, and what follows indented."""
    rows = fitting.rows(SENTENCE, terminal(is_one=True))
    assert len(rows) > 1
    assert all(len(row) < 80 for row in rows)
    assert SENTENCE.split() == " ".join(rows).split()
    assert all(row.startswith(" " * 10) for row in rows[1:])


@pytest.mark.parametrize(("line", "is_one"), [(SENTENCE, False), (KEY, True), (KEY, False)])
def test_a_line_in_a_pipe_and_what_is_copied_stay(line: str, *, is_one: bool) -> None:
    """So that one can search, and select."""
    assert [line] == fitting.rows(line, terminal(is_one=is_one))


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.05, "0.0 hours old"), (71.9, "71.9 hours old"), (6543.4, "272 days old")],
)
def test_an_age_is_said_in_what_people_count_in(hours: float, words: str) -> None:
    """Hours for what is fresh, days for what is not."""
    assert words == fitting.age(round(hours * fitting.HOUR_MS))
