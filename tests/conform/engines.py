"""Does a live Athena answer as the local index does: every saved question, and the views.

The hours have to hold all evidence of the store, as those of a trial do: the local index has no
hours, and reads all of it.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

import sqlglot

from nhi_evidence.investigate.columns import COLUMNS
from nhi_evidence.investigate.library import questions
from tests.conform.estate_facts import NOT_ASKED

NAME = "Athena answers as the local index"
EXPECTED = "the same rows"

_OWN = {
    "events": f"SELECT {', '.join(column.name for column in COLUMNS)} FROM events",
    "units": "SELECT source, hour, unit, part, records, object FROM units "
    "WHERE standing = 'counted'",
    "identities": "SELECT identity, first_seen, last_seen, records, refused FROM identities",
    "findings": "SELECT made_by, source, hour, code, name, things FROM findings",
}

Run = Callable[[Sequence[str]], tuple[int, str, str]]
"""Runs the command line: exit code, standard output, standard error."""


def statements() -> dict[str, str]:
    """Return every question by name, without a LIMIT: it cuts ties as each engine likes."""
    saved = {each.name: each.sql for each in questions()}
    return {name: _unbounded(sql) for name, sql in {**saved, **_OWN}.items()}


def _unbounded(sql: str) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    tree.args.pop("limit", None)
    return tree.sql("duckdb")


def compare(
    local: Sequence[str], athena: Sequence[str], run: Run | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each question, and how its answers compare; `local` and `athena` are arguments."""
    run = run or _run
    for name, sql in statements().items():
        answers = [
            run(["query", *each, "--sql", sql, "--format", "csv"]) for each in (local, athena)
        ]
        yield name, _compared(*answers)


def _compared(here: tuple[int, str, str], there: tuple[int, str, str]) -> str:
    for engine, (code, _, err) in (("locally", here), ("Athena", there)):
        if code not in {0, 2}:
            return f"{NOT_ASKED}{engine}: {err.strip().splitlines()[-1] if err.strip() else code}"
    rows = [sorted(csv.reader(io.StringIO(out))) for _, out, _ in (here, there)]
    if rows[0] == rows[1]:
        return EXPECTED
    missing = sum(row not in rows[1] for row in rows[0])
    more = sum(row not in rows[0] for row in rows[1])
    return f"{missing} rows are missing, {more} are more or differ"


def _run(arguments: Sequence[str]) -> tuple[int, str, str]:
    program = "from nhi_evidence.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr
