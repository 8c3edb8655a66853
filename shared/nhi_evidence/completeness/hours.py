"""The hours in a span of time, as written in keys."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.evidence import keys

HOUR_MS = 3_600_000


def hours(begins: int, ends: int, *, most: int) -> Iterator[str]:
    """Yield the hours from one instant to another, both included, up to a maximum number."""
    first = begins - begins % HOUR_MS
    for start in range(first, min(ends, first + (most - 1) * HOUR_MS) + 1, HOUR_MS):
        yield keys.hour_of(start)


def between(first: str, last: str, *, most: int) -> Iterator[str]:
    """Yield the hours from one to another, given in either order, up to a maximum number."""
    begins, ends = keys.hour_start(first), keys.hour_start(last)
    if begins is None or ends is None:
        yield from sorted({first, last})
        return
    yield from hours(min(begins, ends), max(begins, ends), most=most)
