"""Commas beside members that are cut as a whole, so that what is left is JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence.reading.json_places import Span

_BLANKS = frozenset({b" ", b"\t", b"\r", b"\n"})
_ESCAPED_BLANKS = frozenset({rb"\n", rb"\r", rb"\t"})
"""Blanks of JSON inside a text."""


def with_comma(data: bytes, start: int, end: int) -> Span:
    """Return the span of a member with the comma after it or, for the last, the one before it."""
    after = _after(data, end)
    if data[after : after + 1] == b",":
        return start, after + 1
    before = _before(data, start)
    return (before - 1, end) if data[before - 1 : before] == b"," else (start, end)


def earlier_starts(raw: bytes, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield the index of each span that has to begin earlier, and where, to leave no comma behind.

    `spans` are cut, in order and disjoint. Each member among them took one comma, and of several at
    the end of an object or list, two took the same one: the comma before the first is one too many.
    """
    first = 0
    for at, (start, end) in enumerate(spans):
        if at and start > _after(raw, spans[at - 1][1]):
            first = at
        after = _after(raw, end)
        before = _before(raw, spans[first][0])
        if raw[after : after + 1] in {b"}", b"]"} and raw[before - 1 : before] == b",":
            yield first, before - 1


def _after(raw: bytes, at: int) -> int:
    """Return the position of the first byte from `at` that is not a blank."""
    while True:
        if raw[at : at + 1] in _BLANKS:
            at += 1
        elif raw[at : at + 2] in _ESCAPED_BLANKS:
            at += 2
        else:
            return at


def _before(raw: bytes, at: int) -> int:
    """Return the position after the last byte before `at` that is not a blank."""
    while True:
        if raw[at - 1 : at] in _BLANKS:
            at -= 1
        elif raw[at - 2 : at] in _ESCAPED_BLANKS:
            at -= 2
        else:
            return at
