"""Contiguity of streams: whether the numbers of a hub's messages are consecutive.

If they are, the transport lost nothing; what the source never sent cannot be known here. Sequence
numbers decide, never offsets: those grow by bytes, and a hub assigns new ones after a failover.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from nhi_evidence.completeness.hours import between
from nhi_evidence.completeness.items import (
    EdgeItem,
    GapItem,
    Item,
    Items,
    RunItem,
    TwiceItem,
)
from nhi_evidence.completeness.statement import Named, Scope, Subject
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.verify.sorting import Sorter

MESSAGE_BYTES = 8
"""How much a run keeps of the hash of each message."""

_MOST_HOURS = 24 * 35
"""Maximum number of hours that one gap is filed under."""
_NUMBER_BYTES = 12
_ENOUGH = 2
"""Messages that differ from one another: any third differs from one of them."""
_END = b"\0"

_Placed = tuple[str, RunItem]
"""The hour of a run, and the run."""


class Runs:
    """The runs of all streams, ordered by number."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect runs in `sorter`."""
        self._sorter = sorter

    def add(self, subject: Subject, run: RunItem) -> None:
        """Add one run."""
        source, hour, scope = subject
        names = (source, scope.stream, run.partition)
        key = _END.join(name.encode(errors="surrogatepass") for name in names)
        value = _END.join(
            (
                hour.encode(),
                b"%d" % run.order,
                b"%d" % run.last,
                run.unit.encode(errors="surrogatepass"),
                run.hashes,
            )
        )
        self._sorter.add(key + _END + run.first.to_bytes(_NUMBER_BYTES), value)

    def close(self, items: Items) -> None:
        """File every run, and file what keeps an hour from being contiguous under that hour."""
        for (source, stream), same in groupby(self._restored(), key=lambda each: each[0]):
            filed = _Stream(items, source, Scope(stream=stream))
            for _, partitioned in groupby(same, key=lambda each: each[2].partition):
                filed.partition((hour, run) for _, hour, run in partitioned)
            filed.close()

    def _restored(self) -> Iterator[tuple[tuple[str, str], str, RunItem]]:
        for key, value in self._sorter:
            name, first = key[: -_NUMBER_BYTES - 1], int.from_bytes(key[-_NUMBER_BYTES:])
            names = (part.decode(errors="surrogatepass") for part in name.split(_END))
            source, stream, partition = names
            hour, order, last, unit, hashes = value.split(_END, maxsplit=4)
            run = RunItem(
                int(order),
                unit.decode(errors="surrogatepass"),
                partition,
                first,
                int(last),
                hashes,
            )
            yield (source, stream), hour.decode(), run


class _Stream:
    """Files the runs of one stream, partition by partition.

    An item about two runs holds for every prefix of the log that contains both: its `order` is
    that of the later run.
    """

    def __init__(self, items: Items, source: str, scope: Scope) -> None:
        self._items = items
        self._source = source
        self._scope = scope
        self._hours: set[str] = set()
        self._starts: list[_Placed] = []
        self._ends: list[_Placed] = []

    def _file(self, hour: str, item: Item) -> None:
        self._items.add((self._source, hour, self._scope), item)

    def partition(self, runs: Iterable[_Placed]) -> None:
        """File the runs of one partition, which come ordered by their first numbers."""
        begins: int | None = None
        # The runs before the latest gap, as long as further runs begin where it ends.
        before: list[_Placed] = []
        gap_ends: int | None = None
        # The runs that reach furthest: for each hour, the earliest in the log.
        reach: list[_Placed] = []
        numbers = _Numbers()
        for hour, run in runs:
            self._hours.add(hour)
            self._file(hour, run)
            begins = run.first if begins is None else begins
            if 0 < run.first == begins:
                self._starts.append((hour, run))
            if reach and run.first > reach[0][1].last + 1:
                before, gap_ends = reach, run.first
            if run.first == gap_ends:
                for each in before:
                    self._gap(each, (hour, run))
            for twice in numbers.take(hour, run):
                self._file(*twice)
            reach = _furthest(reach, (hour, run))
        for twice in numbers.drop(None):
            self._file(*twice)
        self._ends += reach

    def _gap(self, before: _Placed, after: _Placed) -> None:
        order = max(before[1].order, after[1].order)
        gap = GapItem(order, after[1].partition, before[1].last + 1, after[1].first - 1)
        for hour in between(before[0], after[0], most=_MOST_HOURS):
            self._file(hour, gap)

    def close(self) -> None:
        """File both ends of each partition under every hour of the stream at or beyond them."""
        for at, run in self._starts:
            edge = EdgeItem(run.order, run.partition, run.first, is_end=False)
            for hour in self._hours:
                if hour <= at or not _is_known(hour, at):
                    self._file(hour, edge)
        for at, run in self._ends:
            edge = EdgeItem(run.order, run.partition, run.last, is_end=True)
            for hour in self._hours:
                if hour >= at or not _is_known(hour, at):
                    self._file(hour, edge)


def _furthest(reach: list[_Placed], new: _Placed) -> list[_Placed]:
    """Return the runs that reach furthest: for each hour, the earliest in the log."""
    hour, run = new
    if not reach or run.last > reach[0][1].last:
        return [new]
    if run.last < reach[0][1].last:
        return reach
    same = [each for each in reach if each[0] == hour]
    if same and same[0][1].order <= run.order:
        return reach
    return [*(each for each in reach if each[0] != hour), new]


def _is_known(*hours: str) -> bool:
    return keys.UNKNOWN_HOUR not in hours


_Copies = dict[str, dict[bytes, int]]
"""The messages under one number that several runs hold: by hour and hash, the earliest in the log.

A writer decides how many there are, so nothing here may take longer than in proportion to them.
"""


class _Numbers:
    """Numbers that several runs of a partition hold; remembers only those still open."""

    def __init__(self) -> None:
        self._partition = ""
        self._last: _Placed | None = None
        """The previous run, until another overlaps it."""
        self._copies: dict[int, _Copies] = {}
        self._order = deque[int]()
        """The open numbers, ascending: an overlapping run only adds those past the last."""

    def take(self, hour: str, run: RunItem) -> Iterator[tuple[str, TwiceItem]]:
        """Take the next run; yield the contradictions among the numbers before it."""
        self._partition = run.partition
        yield from self.drop(run.first)
        overlaps = self._last is not None and run.first <= self._last[1].last
        if overlaps and self._last is not None:
            self._read(*self._last)
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
            digest = _digest(run, number)
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


def _digest(run: RunItem, number: int) -> bytes:
    at = (number - run.first) * MESSAGE_BYTES
    return run.hashes[at : at + MESSAGE_BYTES]


def judge(items: Sequence[Item], counted: frozenset[str]) -> tuple[list[Named], int]:
    """Return what keeps an hour of a stream from being contiguous, and how many messages count.

    `counted` are the units that count.
    """
    runs = [item for item in items if isinstance(item, RunItem) and item.unit in counted]
    messages = _messages(runs)
    named = [each for item in items if (each := _named(item)) is not None]
    named += [
        _contested(partition, number)
        for (partition, number), hashes in messages.items()
        if len(hashes) > 1
    ]
    named += [
        Named("uncovered", unit, "states no messages of the numbers in its name")
        for unit in sorted(counted - {run.unit for run in runs})
    ]
    return named, len(messages)


def _named(item: Item) -> Named | None:
    if isinstance(item, GapItem):
        return Named("number_gap", f"{item.partition}/{_numbers(item.first, item.last)}")
    if isinstance(item, TwiceItem):
        return _contested(item.partition, item.number)
    if isinstance(item, EdgeItem):
        reason, detail = (
            ("open", "the last number here: what follows it is unknown")
            if item.is_end
            else ("uncovered", "the first number here: what came before it is unknown")
        )
        return Named(reason, f"{item.partition}/{item.number}", detail)
    return None


def _contested(partition: str, number: int) -> Named:
    return Named("contested", f"{partition}/{number}", "one number with different messages")


def _messages(runs: Iterable[RunItem]) -> dict[tuple[str, int], set[bytes]]:
    messages: defaultdict[tuple[str, int], set[bytes]] = defaultdict(set)
    for run in runs:
        for number in range(run.first, run.last + 1):
            messages[run.partition, number].add(_digest(run, number))
    return messages


def _numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
