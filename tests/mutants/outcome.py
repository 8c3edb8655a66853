"""What a run of mutants printed, read back: for a run of those that lived, and for the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_LIVED = re.compile(r"survived (\S+?):\d+: (.*)")
_FIGURES = re.compile(
    r"(\S+\.py): (\d+) mutants: (\d+) noticed, (\d+) live for a reason, (\d+) not noticed"
    r"; code ([0-9a-f]{8})"
)
_TABLE = re.compile(r"(<!-- mutants -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_HEAD = "| file | mutants | noticed | may live | not noticed | code |\n|---|--:|--:|--:|--:|---|\n"


class Figures(NamedTuple):
    """How many mutants of one file were noticed."""

    file: str
    mutants: int
    noticed: int
    listed: int
    """Live, and stand in survivors.toml with the reason."""
    unnoticed: int
    code: str
    """Digest of the code that the mutants were made of (`code_digest`)."""

    def __str__(self) -> str:
        """As a run prints it."""
        return (
            f"{self.file}: {self.mutants} mutants: {self.noticed} noticed, "
            f"{self.listed} live for a reason, {self.unnoticed} not noticed; code {self.code}"
        )


class Outcome(NamedTuple):
    """A run, or several in a row; of a file the last is what counts."""

    figures: dict[str, Figures]
    """By file, of those that were run to their end."""
    lived: set[tuple[str, str]]
    """Mutants by file and name."""


def _figures(cells: Sequence[str]) -> Figures:
    file, count, noticed, may_live, unnoticed, code = cells
    return Figures(file, int(count), int(noticed), int(may_live), int(unnoticed), code)


def read(output: str) -> Outcome:
    """Read what a run printed."""
    figures: dict[str, Figures] = {}
    lived: dict[str, set[str]] = {}
    for line in output.splitlines():
        if match := _LIVED.fullmatch(line):
            lived.setdefault(match[1], set()).add(match[2])
        elif match := _FIGURES.fullmatch(line):
            figures[match[1]] = _figures(match.groups())
    places = {(file, name) for file, names in lived.items() for name in names if file in figures}
    return Outcome(figures, places)


def rows(text: str) -> dict[str, Figures]:
    """Return what a page's table of mutants says, by file.

    Raises `ValueError` where the page has no such table.
    """
    match = _TABLE.search(text)
    if match is None:
        raise ValueError("no table of mutants")
    figures = {}
    for row in match[2].splitlines():
        if row.startswith("| `"):
            each = _figures([cell.strip(" `") for cell in row.strip("|").split("|")])
            figures[each.file] = each
    return figures


def page(text: str, figures: Iterable[Figures]) -> str:
    """Return a page with the rows of its table of mutants that figures are new of.

    Raises `ValueError` where the page has no such table.
    """
    all_rows = rows(text) | {each.file: each for each in figures}
    table = "".join(
        f"| `{file}` | {' | '.join(map(str, numbers))} | `{code}` |\n"
        for file, *numbers, code in sorted(all_rows.values())
    )
    return _TABLE.sub(lambda match: match[1] + _HEAD + table + match[3], text)
