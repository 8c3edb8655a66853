"""Saved questions: SQL over `events` that DuckDB and Athena both understand.

Each is a file whose first comment lines say what it asks, and what its answer does not tell.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

_COMMENTS = len(("title", "note"))


class Question(msgspec.Struct, frozen=True):
    """One saved question."""

    name: str
    title: str
    """What it asks, in a sentence."""
    note: str
    """What its answer means, or does not mean."""
    sql: str
    """The SELECT, without the comments."""


@cache
def questions() -> tuple[Question, ...]:
    """Return all saved questions, by name."""
    folder = files("nhi_evidence.investigate").joinpath("questions")
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    return tuple(
        parse(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in entries
        if entry.name.endswith(".sql")
    )


def find(name: str) -> Question | None:
    """Return a question by name, or None."""
    return next((each for each in questions() if each.name == name), None)


def parse(name: str, text: str) -> Question:
    """Parse a question. Raises `ValueError` without its two comment lines or its SQL."""
    lines = text.splitlines()
    comments = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    sql = "\n".join(line for line in lines if not line.startswith("-- "))
    if len(comments) < _COMMENTS or not sql.strip():
        raise ValueError(f"{name}: a question needs a title, a note and its SQL")
    return Question(name, comments[0], " ".join(comments[1:]), sql.strip())
