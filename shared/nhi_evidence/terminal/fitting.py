"""Sentences on a terminal: broken between words, and indented; elsewhere a line stays a line."""

from __future__ import annotations

import textwrap

from rich.console import Console

_SENTENCES = ("not checked: ", "not judged: ", "next      ")
_LEAST = 40
"""Columns: narrower ones are not kept to."""

HOUR_MS = 3_600_000
_IN_DAYS = 72
"""From so many hours on an age is given in days."""


def rows(line: str, out: Console) -> list[str]:
    """Return a line as it is; on a terminal a sentence in rows that fit.

    What somebody copies (keys, commands, ids) is never broken: the terminal does that, and a
    selection takes it back.
    """
    if not out.is_terminal or not line.startswith(_SENTENCES):
        return [line]
    return textwrap.wrap(
        line, max(out.width - 1, _LEAST), subsequent_indent=" " * 10, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def age(milliseconds: int) -> str:
    """Return an age in words: hours and tenths, and days where there are many."""
    hours, tenths = divmod(milliseconds * 10 // HOUR_MS, 10)
    return f"{hours // 24} days old" if hours >= _IN_DAYS else f"{hours}.{tenths} hours old"
