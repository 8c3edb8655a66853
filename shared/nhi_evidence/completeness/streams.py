"""Contiguity of streams: whether the numbers of a hub's messages are consecutive.

If they are, the transport lost nothing; what the source never sent cannot be known here. Sequence
numbers decide, never offsets: those grow by bytes, and a hub assigns new ones after a failover.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import groupby

from nhi_evidence.completeness import spans
from nhi_evidence.completeness.items import (
    EdgeItem,
    GapItem,
    Item,
    Items,
    RunItem,
    TwiceItem,
)
from nhi_evidence.completeness.spans import Edge, Gap, Orders
from nhi_evidence.completeness.statement import Named, Scope, Subject
from nhi_evidence.evidence.verify.sorting import Sorter

MESSAGE_BYTES = 8
"""How much a run keeps of the hash of each message."""

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
        self._edges: list[Edge] = []
        self._long: list[Gap] = []
        """Gaps that may concern hours of other partitions, too."""

    def _file(self, hour: str, item: Item) -> None:
        self._items.add((self._source, hour, self._scope), item)

    def partition(self, runs: Iterable[_Placed]) -> None:
        """File the runs of one partition, which come ordered by their first numbers."""
        partition, begins, furthest = "", -1, -1
        starts: Orders = {}
        ends: Orders = {}
        gap: Gap | None = None
        numbers = _Numbers()
        for hour, run in runs:
            self._hours.add(hour)
            self._file(hour, run)
            if not starts:
                partition, begins = run.partition, run.first
            elif run.first > furthest + 1:
                self._gap(gap)
                gap = Gap(run.partition, furthest + 1, run.first - 1, before=ends, after={})
            if run.first == begins:
                spans.add(starts, hour, run.order)
            if gap is not None and run.first == gap.last + 1:
                spans.add(gap.after, hour, run.order)
            for twice in numbers.take(hour, run):
                self._file(*twice)
            if run.last > furthest:
                furthest, ends = run.last, {}
            if run.last == furthest:
                spans.add(ends, hour, run.order)
        for twice in numbers.drop(None):
            self._file(*twice)
        self._gap(gap)
        if begins > 0:
            self._edges.append(Edge(partition, begins, is_end=False, orders=starts))
        self._edges.append(Edge(partition, furthest, is_end=True, orders=ends))

    def _gap(self, gap: Gap | None) -> None:
        if gap is None:
            return
        hours, are_all = gap.near()
        self._file_gap(gap, hours, set(hours))
        if not are_all:
            self._long.append(gap)

    def _file_gap(self, gap: Gap, hours: Iterable[str], wanted: Set[str]) -> None:
        for hour, order in gap.concerned(hours):
            if hour in wanted:
                self._file(hour, GapItem(order, gap.partition, gap.first, gap.last))

    def close(self) -> None:
        """File both ends of each partition under every hour of the stream at or beyond them."""
        for edge in self._edges:
            for hour, order in edge.concerned(self._hours):
                self._file(hour, EdgeItem(order, edge.partition, edge.number, edge.is_end))
        for gap in self._long:
            self._file_gap(gap, self._hours, self._hours.difference(gap.near()[0]))


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
