"""Counts in words: one function, so that nobody prints `1 records`."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: `1 record`, `2,000 records`, `0 identities`.

    `plural` is given where the noun does more than take an s, or an es after a hiss.
    """
    if number == 1:
        return f"1 {noun}"
    if plural is None:
        plural = f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
    return f"{number:,} {plural}"
