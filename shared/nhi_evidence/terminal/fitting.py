"""Lines on a terminal: wrapped between words, and indented; elsewhere lines are left alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from shlex import quote
from typing import TextIO

_LEAST = 40
"""Minimum width in columns; a narrower terminal is treated as this wide."""
_LABEL = re.compile(r"\s*\S+\s{2,}(?=\S)|\s+(?=\S)")
"""Start of a line that sets the indent of the rows after it: a label and its gap, or blanks."""
_WIDEST_LABEL = 16
_WIDEST_BLANK = 24
"""An indent of blanks alone may be wider than a label: what follows stays below its own start."""
_OPENINGS = ("not checked: ", "not judged: ", "credential ", "IMPOSSIBLE ", "CONFIGURED ")
"""Labels with only one blank behind them."""
_COMMAND = re.compile(
    r"\s*(?:\S+\s{2,}|next: )?(?:\S*/)?(?:nhi-evidence|python3?|make) [a-z]|\s*fix: [^`]*$"
)
"""Commands, which people copy: left to the terminal to wrap, so that a selection is unbroken."""

_WORDS = re.compile(r"(\s*)(\S+)")
_QUOTED = re.compile(r"`[^`]*`|(?<![\w'])'[^']*'(?![\w'])")
"""A command within a sentence is not broken either, nor a quoted path."""
_CONTINUES = re.compile(r" (?=--?[a-zA-Z]|\| |> )")
"""Where a command may go on in the next line: before an option, a pipe or a file."""
_GLUE = "\ue000"
"""Stands for a blank that must not be broken at; from Unicode's private use area."""

HOUR_MS = 3_600_000
_IN_DAYS = 72
"""An age of at least this many hours is given in days."""


def width(stream: TextIO) -> int | None:
    """Return how many columns a line may have; None for a pipe or a file."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def rows(line: str, columns: int | None) -> list[str]:
    """Return a line, wrapped to this many columns; None does not wrap.

    Breaks only between words, so an id or a path stays whole however long; never within a command.
    """
    if columns is None or len(line) <= columns or _COMMAND.match(line):
        return [line]
    glued = _QUOTED.sub(lambda quoted: quoted[0].replace(" ", _GLUE), line)
    return [row.replace(_GLUE, " ") for row in _broken(glued, max(columns, _LEAST), _indent(line))]


def _broken(line: str, columns: int, indent: int) -> Iterator[str]:
    """Yield rows; a word stays next to its label where it would not fit on its own row either."""
    row = ""
    for gap, word in _WORDS.findall(line):
        fits = len(row) + len(gap) + len(word) <= columns
        is_alone = not row or len(row) + len(gap) <= _WIDEST_LABEL
        if fits or (is_alone and indent + len(word) > columns):
            row += gap + word
        else:
            yield row
            row = " " * indent + word
    yield row


def _indent(line: str) -> int:
    opening = next((opening for opening in _OPENINGS if line.startswith(opening)), None)
    if opening is not None:
        return len(opening)
    label = _LABEL.match(line)
    if label is None:
        return 2
    widest = _WIDEST_LABEL if label[0].strip() else _WIDEST_BLANK
    return label.end() if label.end() <= widest else 2


def continued(command: str, columns: int) -> list[str]:
    """Return a command on lines that a shell joins again, none wider unless one option is."""
    lines: list[str] = []
    line = ""
    for part in _CONTINUES.split(command):
        joined = f"{line} {part}" if line else part
        if line and len(joined) + len(" \\") > columns and len(command) > columns:
            lines.append(f"{line} \\")
            line = f"    {part}"
        else:
            line = joined
    return [*lines, line]


def path(name: str) -> str:
    """Return a path as a shell takes it: quoted where it has blanks, and so never broken there."""
    return quote(name) if " " in name else name


def say(stream: TextIO, *lines: str) -> None:
    """Write lines, wrapped where the stream is a terminal."""
    columns = width(stream)
    stream.writelines(f"{row}\n" for line in lines for row in rows(line, columns))


def age(milliseconds: int) -> str:
    """Return an age in words: hours with tenths, or days where there are many."""
    hours, tenths = divmod(milliseconds * 10 // HOUR_MS, 10)
    return f"{hours // 24} days old" if hours >= _IN_DAYS else f"{hours}.{tenths} hours old"
