"""Which hours the ends of runs concern, and from where in the log on that is known.

Whoever writes decides how many runs end, or begin, at one number, so no pair of them is looked at:
for each hour, the earliest in the log on either side of it is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def add(orders: Orders, hour: str, order: int) -> None:
    """Add a run."""
    orders[hour] = min(order, orders.get(hour, order))


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
