"""Which hours the ends of runs concern, and from where in the log on that is known.

Whoever writes decides how many runs end, or begin, at one number, so no pair of them is looked at:
for each hour, the earliest in the log on either side of it is enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import pairwise

import msgspec

from nhi_evidence.completeness.hours import HOUR_MS, between
from nhi_evidence.evidence import keys

Orders = dict[str, int]
"""Hour to the earliest place in the log of a run of that hour that begins, or ends, at a number."""

MOST_HOURS = 24 * 35
"""Maximum number of hours in a row, none of them with a run that borders on a gap, that `near`
has."""

_NEVER = 1 << 63

Span = tuple[int, int, int]
"""The first and the last of hours in a row, in hours since the epoch, and from where in the log on
they are concerned."""


def add(orders: Orders, hour: str, order: int) -> None:
    """Add a run."""
    orders[hour] = min(order, orders.get(hour, order))


class Room:
    """For how many more items there is room."""

    def __init__(self, items: int) -> None:
        self._left = items

    def take(self, items: int) -> bool:
        """Take room for this many items, if there is."""
        if items > self._left:
            return False
        self._left -= items
        return True


class Edge(msgspec.Struct, frozen=True):
    """The lowest number of a partition, or the highest: what is beyond it is unknown."""

    partition: str
    number: int
    is_end: bool
    orders: Orders

    def concerned(self, hours: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield those of `hours`, which include its own, that are at the edge or beyond it.

        Where an hour is unknown, so is what lies beyond it: every hour is concerned.
        """
        known, unknown = _parted(hours)
        anywhere = min((self.orders.get(hour, _NEVER) for hour in unknown), default=_NEVER)
        known.sort(reverse=not self.is_end)
        for hour, order in zip(known, _least(self.orders, known), strict=True):
            if (earliest := min(order, anywhere)) < _NEVER:
                yield hour, earliest
        for hour in unknown:
            yield hour, min(self.orders.values())


class Gap(msgspec.Struct, frozen=True):
    """Missing numbers, between the runs that end before them and those that begin after them."""

    partition: str
    first: int
    last: int
    before: Orders
    after: Orders

    @property
    def ends(self) -> list[str]:
        """The hours of its runs."""
        return sorted({*self.before, *self.after})

    def near(self) -> tuple[list[str], bool]:
        """Return its hours, with up to `MOST_HOURS` after each; whether that is all between them.

        All: also those without any run.
        """
        known, unknown = _parted(self.ends)
        hours = {*known, *unknown}
        for pair in pairwise(known):
            hours.update(between(*pair, most=MOST_HOURS))
        starts = [start for hour in known if (start := keys.hour_start(hour)) is not None]
        return sorted(hours), all(
            later - earlier <= MOST_HOURS * HOUR_MS for earlier, later in pairwise(starts)
        )

    @property
    def between(self) -> int:
        """How many of the hours that `near` returns are not its own."""
        known = sorted(_parted(self.ends)[0])
        return sum(
            min(_index(till) - _index(since), MOST_HOURS) - 1 for since, till in pairwise(known)
        )

    def spans(self) -> Iterator[Span]:
        """Yield the hours between its own that a missing message may be of."""
        known = sorted(_parted(self.ends)[0])
        rows = [
            (_index(since) + 1, _index(till) - 1)
            for since, till in pairwise(known)
            if _index(till) - _index(since) > 1
        ]
        orders = dict(self.concerned([*self.ends, *(_hour(first) for first, _ in rows)]))
        for first, last in rows:
            if (order := orders.get(_hour(first))) is not None:
                yield first, last, order

    def concerned(self, hours: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield those of `hours`, which include its own, that a missing message may be of.

        Those are the hours from one before the gap to one after it, whichever is earlier. Where one
        of the two is unknown, so is what lies between: both are concerned, and nothing else.
        """
        known, unknown = _parted(hours)
        known.sort()
        since, other_since = (_least(side, known) for side in (self.before, self.after))
        till, other_till = (
            reversed([*_least(side, known[::-1])]) for side in (self.after, self.before)
        )
        anywhere, other_anywhere = (
            min((side.get(hour, _NEVER) for hour in unknown), default=_NEVER)
            for side in (self.before, self.after)
        )
        for hour, *sides in zip(known, since, till, other_since, other_till, strict=True):
            order = min(
                max(sides[0], sides[1]),
                max(sides[2], sides[3]),
                max(anywhere, self.after.get(hour, _NEVER)),
                max(other_anywhere, self.before.get(hour, _NEVER)),
            )
            if order < _NEVER:
                yield hour, order
        for hour in unknown:
            order = min(
                max(self.before.get(hour, _NEVER), min(self.after.values())),
                max(self.after.get(hour, _NEVER), min(self.before.values())),
            )
            if order < _NEVER:
                yield hour, order


class Cover:
    """Hours that any number of spans concern; it grows with where they begin and end, not with how
    many they are or how long.
    """

    def __init__(self) -> None:
        """Start without spans."""
        self._orders: dict[tuple[int, int], int] = {}
        """The earliest order of the hours from a first one on, as many as a power of two."""

    def add(self, span: Span) -> None:
        """Add one span, as two that overlap."""
        first, last, order = span
        power = (last - first + 1).bit_length() - 1
        for start in (first, last + 1 - (1 << power)):
            self._orders[start, power] = min(order, self._orders.get((start, power), _NEVER))

    def concerned(self, hours: Iterable[str]) -> Iterator[tuple[str, int]]:
        """Yield those of `hours` that a span concerns."""
        remaining = deque(sorted(self._orders.items()))
        current: list[tuple[int, int]] = []
        for at in sorted(map(_index, _parted(hours)[0])):
            while remaining and remaining[0][0][0] <= at:
                (start, power), order = remaining.popleft()
                heappush(current, (order, start + (1 << power)))
            while current and current[0][1] <= at:
                heappop(current)
            if current:
                yield _hour(at), current[0][0]


def _index(hour: str) -> int:
    return (keys.hour_start(hour) or 0) // HOUR_MS


def _hour(index: int) -> str:
    return keys.hour_of(index * HOUR_MS)


def _parted(hours: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the hours whose place in time is known, and the others."""
    known: list[str] = []
    unknown: list[str] = []
    for hour in hours:
        (unknown if keys.hour_start(hour) is None else known).append(hour)
    return known, unknown


def _least(orders: Orders, hours: Iterable[str]) -> Iterator[int]:
    """Yield, for each of the hours in turn, the earliest of those up to it."""
    earliest = _NEVER
    for hour in hours:
        earliest = min(earliest, orders.get(hour, _NEVER))
        yield earliest
