"""Numbers that several runs of a partition hold, with the same message or with another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from nhi_evidence.completeness.items import RunItem, TwiceItem

MESSAGE_BYTES = 8
"""How much a run keeps of the hash of each message."""

_ENOUGH = 2
"""Messages that differ from one another: any third differs from one of them."""

Placed = tuple[str, RunItem]
"""The hour of a run, and the run."""


_Copies = dict[str, dict[bytes, int]]
"""The messages under one number that several runs hold: by hour and hash, the earliest in the log.

A writer decides how many there are, so nothing here may take longer than in proportion to them.
"""


class Numbers:
    """Numbers that several runs of a partition hold; remembers only those still open."""

    def __init__(self) -> None:
        """Start without runs."""
        self._partition = ""
        self._last: Placed | None = None
        """The previous run, until another overlaps it."""
        self._copies: dict[int, _Copies] = {}
        self._order = deque[int]()
        """The open numbers, ascending: an overlapping run only adds those past the last."""

    def take(self, hour: str, run: RunItem) -> Iterator[tuple[str, TwiceItem]]:
        """Take the next run; yield the contradictions among the numbers before it."""
        self._partition = run.partition
        yield from self.drop(run.first)
        last = self._last
        if last is not None and run.first <= last[1].last:
            self._read(*last)
            self._last = None
        if self._copies:
            self._read(hour, run)
        else:
            self._last = (hour, run)

    def _read(self, hour: str, run: RunItem) -> None:
        for number in range(run.first, run.last + 1):
            if number not in self._copies:
                self._copies[number] = {}
                self._order.append(number)
            in_hour = self._copies[number].setdefault(hour, {})
            digest = message_hash(run, number)
            in_hour[digest] = min(run.order, in_hour.get(digest, run.order))

    def drop(self, until: int | None) -> Iterator[tuple[str, TwiceItem]]:
        """Yield contradictions among the numbers below `until` (None: all), and forget these."""
        while self._order and (until is None or self._order[0] < until):
            number = self._order.popleft()
            copies = self._copies.pop(number)
            earliest = _earliest(copies)
            for hour in sorted(copies):
                # Within one hour `judge` sees it itself, and knows which units count.
                order = _contradicted(copies[hour], hour, earliest)
                if order is not None:
                    yield hour, TwiceItem(order, self._partition, number)


_Earliest = list[tuple[int, bytes, str]]
"""Order, hash, hour: ascending, of each hash its first place in the log and its first in another
hour, so that one is left whichever hour is left out."""


def _earliest(copies: _Copies) -> _Earliest:
    placed = sorted(
        (order, digest, hour) for hour, own in copies.items() for digest, order in own.items()
    )
    places: dict[bytes, list[str]] = {}
    earliest: _Earliest = []
    for order, digest, hour in placed:
        hours = places.setdefault(digest, [])
        if len(hours) < _ENOUGH:  # of one hour, a hash has one place
            hours.append(hour)
            earliest.append((order, digest, hour))
    return earliest


def _contradicted(own: dict[bytes, int], hour: str, earliest: _Earliest) -> int | None:
    """Return from where in the log an hour's message contradicts one of another hour, or None.

    Of the others, the two earliest that differ are enough: each message differs from one of them.
    """
    others: dict[bytes, int] = {}
    for order, digest, other in earliest:
        if other != hour:
            others.setdefault(digest, order)
        if len(others) == _ENOUGH:
            break
    return min(
        (
            max(mine, order)
            for digest, mine in own.items()
            for different, order in others.items()
            if different != digest
        ),
        default=None,
    )


def message_hash(run: RunItem, number: int) -> bytes:
    """Return what a run keeps of the hash of one of its messages."""
    at = (number - run.first) * MESSAGE_BYTES
    return run.hashes[at : at + MESSAGE_BYTES]
