"""Interleaved measuring: every variant once per round, CPU time, medians of ratios."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

Variant = Callable[[bytes], int]


class Row(NamedTuple):
    """One line of the table."""

    name: str
    median_us: float
    best_us: float
    per_second: float
    cost: float
    """Median over the rounds of this variant's CPU time over the floor's, same round."""


def table(variants: Mapping[str, Variant], gz: bytes, *, records: int, rounds: int) -> list[Row]:
    """Run every variant once per round; the first is the floor.

    Raises `AssertionError` when a variant does not deal with every record.
    """
    spent: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            gc.collect()
            start = time.process_time()
            done = run(gz)
            spent[name].append(time.process_time() - start)
            assert done == records, f"{name} dealt with {done} of {records} records"
    floor = next(iter(spent.values()))
    return [
        Row(
            name,
            statistics.median(times) / records * 1e6,
            min(times) / records * 1e6,
            records / statistics.median(times),
            statistics.median(one / base for one, base in zip(times, floor, strict=True)),
        )
        for name, times in spent.items()
    ]
