"""The output of a run of mutants goes into the table, and the next run continues from it."""

from __future__ import annotations

import pytest

from tests.mutants import outcome
from tests.mutants.__main__ import Task, targets
from tests.mutants.code_digest import code_digest
from tests.mutants.mutate import mutants
from tests.mutants.outcome import Figures
from tests.mutants.run import PACKAGE, ROOT

OUTPUT = """survived a/b.py:7: f: x: 1 -> x: 2
survived a/b.py:9: f: y -> z
survived c.py:1: g: y -> z
NOT NOTICED a/b.py: f: y -> z
a/b.py: 12 mutants: 10 noticed, 1 live for a reason, 1 not noticed; code 0123abcd
a/c.py, part 1 of 2: 7 mutants: 7 noticed, 0 live for a reason, 0 not noticed; code 0123abcd
Traceback
"""
PAGE = "# Tests\n<!-- mutants -->\n<!-- end -->\nafter\n"


def test_a_run_is_read_back() -> None:
    """Of a file that was not run to its end, or in part, nothing is known."""
    done = outcome.read(OUTPUT)
    assert {"a/b.py": Figures("a/b.py", 12, 10, 1, 1, "0123abcd")} == done.figures
    assert str(done.figures["a/b.py"]) in OUTPUT
    assert {("a/b.py", "f: x: 1 -> x: 2"), ("a/b.py", "f: y -> z")} == done.lived


def test_new_figures_replace_old_ones() -> None:
    """One row per file, sorted; files that were not run again stay."""
    first = [Figures("b.py", 3, 1, 1, 1, "0a"), Figures("a.py", 2, 2, 0, 0, "0b")]
    once = outcome.page(PAGE, first)
    again = outcome.page(once, [Figures("b.py", 3, 2, 1, 0, "0c")])
    assert ["| `a.py` | 2 | 2 | 0 | 0 | `0b` |", "| `b.py` | 3 | 2 | 1 | 0 | `0c` |"] == [
        line for line in again.splitlines() if line.startswith("| `")
    ]
    assert again.endswith("|\n<!-- end -->\nafter\n")
    assert ["a.py", "b.py"] == list(outcome.rows(again))
    with pytest.raises(ValueError, match="no table"):
        outcome.page("# Tests\n", first)


def test_what_lived_is_run_again_and_a_file_that_changed_as_a_whole() -> None:
    """What a run before noticed of the same code is counted, and not run."""
    target = targets()[0]
    source = (PACKAGE / target.file).read_bytes()
    first, *others = mutants(source)
    printed = f"survived {target.file}:{first.line}: {first.name}\n"
    for code, expected in ((code_digest(source), [first]), ("0123abcd", [first, *others])):
        figures = Figures(target.file, len(others) + 1, len(others), 0, 1, code)
        before = outcome.read(f"{printed}{figures}\n")
        task = Task.of(target, before, 1, 1)
        assert expected == task.mutants
        assert len(others) + 1 == len(task.mutants) + task.noticed


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("", "", True),
        ('"""Add."""', '"""Add\n\n    one."""', True),
        ("  # why", "", True),
        ("+= 1", "+= 2", False),
        ('"# not"', '"# at all"', False),
    ],
)
def test_a_digest_is_of_the_code_alone(before: str, after: str, is_same: bool) -> None:
    """Comments, docstrings and empty lines are no code; what looks like a comment in a text is."""
    source = 'def f(x: int) -> str:\n    """Add."""\n\n    x += 1  # why\n    return "# not" * x\n'
    assert before in source
    changed = source.replace(before, after) if before else source + "\n"
    assert is_same is (code_digest(source.encode()) == code_digest(changed.encode()))


def test_the_table_lists_mutated_files() -> None:
    """Its numbers add up."""
    rows = outcome.rows((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert rows
    assert set(rows) <= {target.file for target in targets()}
    for row in rows.values():
        assert row.mutants == row.noticed + row.listed + row.unnoticed
