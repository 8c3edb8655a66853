"""Sliding windows over records in chronological order, in linear time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence

from nhi_evidence.investigate.row import Row

Dimensions = Sequence[Callable[[Row], Hashable]]
"""Functions of a record whose distinct values are counted."""


def bursts(
    rows: Sequence[Row],
    within: int,
    dimensions: Dimensions,
    is_enough: Callable[[Sequence[int]], bool],
) -> Iterator[Sequence[Row]]:
    """Yield each run of rows covered by windows of at most `within` milliseconds that are enough.

    `is_enough` gets the number of distinct values that a window has in each dimension. Windows
    that overlap make one run.
    """
    counters: list[Counter[Hashable]] = [Counter() for _ in dimensions]
    start = 0
    run: tuple[int, int] | None = None
    for end, row in enumerate(rows):
        for counter, dimension in zip(counters, dimensions, strict=True):
            counter[dimension(row)] += 1
        while row.time - rows[start].time > within:
            for counter, dimension in zip(counters, dimensions, strict=True):
                _drop(counter, dimension(rows[start]))
            start += 1
        if not is_enough([len(counter) for counter in counters]):
            continue
        if run is not None and start <= run[1]:
            run = (run[0], end)
            continue
        if run is not None:
            yield rows[run[0] : run[1] + 1]
        run = (start, end)
    if run is not None:
        yield rows[run[0] : run[1] + 1]


def _drop(counter: Counter[Hashable], value: Hashable) -> None:
    counter[value] -= 1
    if not counter[value]:
        del counter[value]
