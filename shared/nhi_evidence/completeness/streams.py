"""Contiguity of streams: whether the numbers of a hub's messages are consecutive.

If they are, the transport lost nothing; what the source never sent cannot be known here. Sequence
numbers decide, never offsets: those grow by bytes, and a hub assigns new ones after a failover.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import groupby

from nhi_evidence.completeness import spans
from nhi_evidence.completeness.items import (
    EdgeItem,
    GapItem,
    Item,
    Items,
    OthersItem,
    RunItem,
    TwiceItem,
)
from nhi_evidence.completeness.numbers import Numbers, Placed, message_hash
from nhi_evidence.completeness.spans import Cover, Edge, Gap, Orders, Room
from nhi_evidence.completeness.statement import Named, Scope, Subject
from nhi_evidence.evidence.verify.sorting import Sorter

MOST_EDGES = 64
"""Maximum number of edges of one stream that are filed one by one: those of 32 partitions, as many
as most hubs may have. A writer names as many as it likes, and each concerns every hour beyond."""

MOST_BETWEEN = 500_000
"""Maximum number of items for gaps, over all streams, in hours other than those of the runs around
them. Two runs, however small, can be weeks apart."""

_NUMBER_BYTES = 12
_END = b"\0"


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
        room = Room(MOST_BETWEEN)
        for (source, stream), same in groupby(self._restored(), key=lambda each: each[0]):
            filed = _Stream(items, room, source, Scope(stream=stream))
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

    def __init__(self, items: Items, room: Room, source: str, scope: Scope) -> None:
        self._items = items
        self._room = room
        self._source = source
        self._scope = scope
        self._hours: set[str] = set()
        self._edges: list[Edge] = []
        self._long: list[Gap] = []
        """Gaps that may concern hours of other partitions, too."""
        self._other_edges: dict[bool, Orders] = {False: {}, True: {}}
        """Edges that are not filed one by one: the lowest numbers, and the highest, as one."""
        self._other_gaps = Cover()
        """Gaps for which there is no room but in the hours of the runs around them."""

    def _file(self, hour: str, item: Item) -> None:
        self._items.add((self._source, hour, self._scope), item)

    def partition(self, runs: Iterable[Placed]) -> None:
        """File the runs of one partition, which come ordered by their first numbers."""
        partition, begins, furthest = "", -1, -1
        starts: Orders = {}
        ends: Orders = {}
        gap: Gap | None = None
        numbers = Numbers()
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
            self._edge(Edge(partition, begins, is_end=False, orders=starts))
        self._edge(Edge(partition, furthest, is_end=True, orders=ends))

    def _edge(self, edge: Edge) -> None:
        if len(self._edges) < MOST_EDGES:
            self._edges.append(edge)
            return
        for hour, order in edge.orders.items():
            spans.add(self._other_edges[edge.is_end], hour, order)

    def _gap(self, gap: Gap | None) -> None:
        if gap is None:
            return
        if not self._room.take(gap.between):
            self._file_gap(gap, gap.ends, set(gap.ends))
            self._cover(gap)
            return
        hours, are_all = gap.near()
        self._file_gap(gap, hours, set(hours))
        if not are_all:
            self._long.append(gap)

    def _file_gap(self, gap: Gap, hours: Iterable[str], wanted: Set[str]) -> None:
        for hour, order in gap.concerned(hours):
            if hour in wanted:
                self._file(hour, GapItem(order, gap.partition, gap.first, gap.last))

    def _cover(self, gap: Gap) -> None:
        for span in gap.spans():
            self._other_gaps.add(span)

    def close(self) -> None:
        """File both ends of each partition under every hour of the stream at or beyond them."""
        for edge in self._edges:
            for hour, order in edge.concerned(self._hours):
                self._file(hour, EdgeItem(order, edge.partition, edge.number, edge.is_end))
        for is_end, orders in self._other_edges.items():
            edge = Edge("", 0, is_end, orders)
            for hour, order in edge.concerned(self._hours) if orders else ():
                self._file(hour, OthersItem(order, _beyond(is_end=is_end)))
        for gap in self._long:
            if self._room.take(len(self._hours)):
                self._file_gap(gap, self._hours, self._hours.difference(gap.near()[0]))
            else:
                self._cover(gap)
        for hour, order in self._other_gaps.concerned(self._hours):
            self._file(hour, OthersItem(order, "number_gap"))


def judge(items: Sequence[Item], counted: frozenset[str]) -> tuple[list[Named], int]:
    """Return what keeps an hour of a stream from being contiguous, and how many messages count.

    `counted` are the units that count.
    """
    runs = [item for item in items if isinstance(item, RunItem) and item.unit in counted]
    messages = _messages(runs)
    named = [each for item in items if (each := lack(item)) is not None]
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


_EDGES = {
    "open": "the last number here: what follows it is unknown",
    "uncovered": "the first number here: what came before it is unknown",
}
_OTHERS = {
    "open": "the last numbers of more partitions than are named",
    "uncovered": "the first numbers of more partitions than are named",
    "number_gap": "gaps that are named only in the hours of the runs around them",
}
"""Reason to why things that have it are not named one by one."""


def lack(item: Item) -> Named | None:
    """Return how an item keeps an hour from being contiguous; None if it does not by itself."""
    if isinstance(item, GapItem):
        return Named("number_gap", f"{item.partition}/{_numbers(item.first, item.last)}")
    if isinstance(item, TwiceItem):
        return _contested(item.partition, item.number)
    if isinstance(item, EdgeItem):
        reason = _beyond(is_end=item.is_end)
        return Named(reason, f"{item.partition}/{item.number}", _EDGES[reason])
    if isinstance(item, OthersItem):
        return Named(item.reason, "others", _OTHERS[item.reason])
    return None


def _beyond(*, is_end: bool) -> str:
    return "open" if is_end else "uncovered"


def _contested(partition: str, number: int) -> Named:
    return Named("contested", f"{partition}/{number}", "one number with different messages")


def _messages(runs: Iterable[RunItem]) -> dict[tuple[str, int], set[bytes]]:
    messages: defaultdict[tuple[str, int], set[bytes]] = defaultdict(set)
    for run in runs:
        for number in range(run.first, run.last + 1):
            messages[run.partition, number].add(message_hash(run, number))
    return messages


def _numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
