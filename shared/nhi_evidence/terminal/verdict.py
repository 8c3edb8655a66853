"""A report on a terminal: the verdict first, in color, then the lines, wrapped."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.safe_text import neutralize

HOLDS = "HOLDS"
DOES_NOT_HOLD = "DOES NOT HOLD"
"""Verdicts on what somebody handed over: a proof, a case, a statement of absence."""
INCOMPLETE = "INCOMPLETE"
"""Nothing is wrong, and not everything could be read or checked."""


def show(out: Console, verdict: str, style: str, meaning: str, lines: Iterable[str]) -> None:
    """Print a verdict and its meaning, then the lines; all content is made inert."""
    columns = out.width if out.is_terminal else None
    first, *more = fitting.rows(neutralize(f"{verdict} {meaning}"), columns)
    head = Text(first)
    head.stylize(style, 0, len(verdict))
    out.print(head, *(Text(row) for row in more), sep="\n", soft_wrap=True)
    for line in lines:
        for row in fitting.rows(neutralize(line), columns):
            out.print(Text(row), soft_wrap=True)
