"""What a run of mutants printed comes into the table, and is where the next run goes on."""

from __future__ import annotations

import pytest

from tests.mutants import outcome
from tests.mutants.__main__ import targets
from tests.mutants.outcome import Figures
from tests.mutants.run import ROOT

OUTPUT = """survived a/b.py:7: f: x: 1 -> x: 2
survived a/b.py:9: f: y -> z
survived c.py:1: g: y -> z
NOT NOTICED a/b.py: f: y -> z
a/b.py: 12 mutants: 10 noticed, 1 live for a reason, 1 not noticed
Traceback
"""
PAGE = "# Tests\n<!-- mutants -->\n<!-- end -->\nafter\n"


def test_a_run_is_read_back() -> None:
    """Of a file that was not run to its end nothing is known."""
    done = outcome.read(OUTPUT)
    assert {"a/b.py": Figures("a/b.py", 12, 10, 1, 1)} == done.figures
    assert str(done.figures["a/b.py"]) in OUTPUT
    assert {("a/b.py", "f: x: 1 -> x: 2"), ("a/b.py", "f: y -> z")} == done.lived


def test_figures_take_the_place_of_those_before() -> None:
    """A row for each file, in order; what was not run again stays."""
    first = [Figures("b.py", 3, 1, 1, 1), Figures("a.py", 2, 2, 0, 0)]
    once = outcome.page(PAGE, first, lambda _: "0a")
    again = outcome.page(once, [Figures("b.py", 3, 2, 1, 0)], lambda _: "0b")
    assert ["| `a.py` | 2 | 2 | 0 | 0 | 0a |", "| `b.py` | 3 | 2 | 1 | 0 | 0b |"] == [
        line for line in again.splitlines() if line.startswith("| `")
    ]
    assert again.endswith("|\n<!-- end -->\nafter\n")
    with pytest.raises(ValueError, match="no table"):
        outcome.page("# Tests\n", first)


def test_the_table_is_of_files_that_are_mutated() -> None:
    """And its numbers add up."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [
        line.split("|") for line in text.splitlines() if line.startswith("| `") and "py`" in line
    ]
    table = [row for row in rows if len(row) == 8]
    assert table
    assert {row[1].strip(" `") for row in table} <= {target.file for target in targets()}
    for row in table:
        count, noticed, listed, unnoticed = map(int, row[2:6])
        assert count == noticed + listed + unnoticed
