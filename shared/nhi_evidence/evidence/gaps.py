"""The text around the records of a unit, run-length encoded, so that a delivery can be rebuilt.

Before the first record, between consecutive ones, after the last: `n` records have `n + 1` gaps.
Together with the records they give the inflated delivery byte for byte, which is what a
provider's digest signs (docs/evidence-format.md, "Gaps").
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence

BASE64 = "base64"

Gap = tuple[int | str, ...]
"""Repeat count, the text, and `base64` where its bytes are not UTF-8."""

_OF_TEXT, _OF_BYTES = len(("count", "text")), len(("count", "text", BASE64))

MAX_GAPS = 4_000_000
"""Maximum gaps of one unit; no delivery within a decoder's limits has that many records."""


def between(data: bytes, start: int, end: int, spans: Sequence[tuple[int, int]]) -> list[Gap]:
    """Return the gaps of `data[start:end]` around the records at `spans` within it."""
    runs: list[tuple[int, bytes]] = []
    position = start
    for record_start, record_end in (*spans, (end, end)):
        text = data[position:record_start]
        if runs and runs[-1][1] == text:
            runs[-1] = (runs[-1][0] + 1, text)
        else:
            runs.append((1, text))
        position = record_end
    return [_written(count, text) for count, text in runs]


def _written(count: int, text: bytes) -> Gap:
    try:
        return (count, text.decode())
    except UnicodeDecodeError:
        return (count, b64encode(text).decode(), BASE64)


def _read(gap: Gap) -> tuple[int, bytes]:
    # No match statement, which costs three times as much: gaps of every verified unit are read.
    if len(gap) == _OF_TEXT or (len(gap) == _OF_BYTES and gap[2] == BASE64):
        count, text = gap[0], gap[1]
        if isinstance(count, int) and isinstance(text, str) and count > 0:
            return count, text.encode() if len(gap) == _OF_TEXT else b64decode(text, validate=True)
    raise ValueError(f"not a gap: {str(gap)[:80]}")


def texts(gaps: Iterable[Gap]) -> Iterator[bytes]:
    """Yield the gaps one by one as bytes.

    Raises `ValueError` when a gap is not in the written form or there are too many.
    """
    total = 0
    for gap in gaps:
        count, text = _read(gap)
        total += count
        if total > MAX_GAPS:
            raise ValueError(f"{total} gaps")
        for _ in range(count):
            yield text


def extent(gaps: Iterable[Gap]) -> tuple[int, int]:
    """Return how many gaps there are, and how many bytes they hold together.

    Raises `ValueError` when a gap is not in the written form or there are too many.
    """
    number = size = 0
    for gap in gaps:
        count, text = _read(gap)
        number += count
        size += count * len(text)
    if number > MAX_GAPS:
        raise ValueError(f"{number} gaps")
    return number, size


def rebuild(gaps: Iterable[Gap], records: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a delivery in order: gap, record, gap, ..., gap.

    Raises `ValueError` unless there is exactly one gap more than there are records.
    """
    pieces = texts(gaps)
    for record in records:
        try:
            yield next(pieces)
        except StopIteration:
            raise ValueError("fewer gaps than records") from None
        yield record
    after = list(pieces)
    if len(after) != 1:
        raise ValueError(f"{len(after)} gaps after the last record")
    yield after[0]
