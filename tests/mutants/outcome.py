"""What a run of mutants printed, read back: for a run of those that lived, and for the table."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.mutants.run import PACKAGE, ROOT

_LIVED = re.compile(r"survived (\S+?):\d+: (.*)")
_FIGURES = re.compile(
    r"(\S+\.py): (\d+) mutants: (\d+) noticed, (\d+) live for a reason, (\d+) not noticed"
)
_TABLE = re.compile(r"(<!-- mutants -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_HEAD = "| file | mutants | noticed | may live | not noticed | as of |\n|---|--:|--:|--:|--:|---|\n"


class Figures(NamedTuple):
    """How many mutants of one file were noticed."""

    file: str
    mutants: int
    noticed: int
    listed: int
    """Live, and stand in survivors.toml with the reason."""
    unnoticed: int

    def __str__(self) -> str:
        """As a run prints it."""
        return (
            f"{self.file}: {self.mutants} mutants: {self.noticed} noticed, "
            f"{self.listed} live for a reason, {self.unnoticed} not noticed"
        )


class Outcome(NamedTuple):
    """A run, or several in a row; of a file the last is what counts."""

    figures: dict[str, Figures]
    """By file, of those that were run to their end."""
    lived: set[tuple[str, str]]
    """Mutants by file and name."""


def read(output: str) -> Outcome:
    """Read what a run printed."""
    figures: dict[str, Figures] = {}
    lived: dict[str, set[str]] = {}
    for line in output.splitlines():
        if match := _LIVED.fullmatch(line):
            lived.setdefault(match[1], set()).add(match[2])
        elif match := _FIGURES.fullmatch(line):
            figures[match[1]] = Figures(match[1], *map(int, match.groups()[1:]))
    places = {(file, name) for file, names in lived.items() for name in names if file in figures}
    return Outcome(figures, places)


def last_commit(file: str) -> str:
    """Return the commit that changed a file of the package last."""
    command = ("git", "log", "-1", "--format=%h", "--abbrev=8", "--", str(PACKAGE / file))
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def page(text: str, figures: Iterable[Figures], commit: Callable[[str], str] = last_commit) -> str:
    """Return a page with the rows of its table of mutants that figures are new of.

    Raises `ValueError` where the page has no such table.
    """
    match = _TABLE.search(text)
    if match is None:
        raise ValueError("no table of mutants")
    rows = {row.split("`")[1]: row for row in match[2].splitlines() if row.startswith("| `")}
    for each in figures:
        numbers = " | ".join(map(str, each[1:]))
        rows[each.file] = f"| `{each.file}` | {numbers} | {commit(each.file)} |"
    table = _HEAD + "".join(f"{rows[file]}\n" for file in sorted(rows))
    return text[: match.start(2)] + table + text[match.end(2) :]
