"""Contiguity of streams: whether the numbers of a hub's messages follow each other.

The transport then lost nothing; what the source never put into it, nobody here can know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from nhi_evidence.completeness.hours import between
from nhi_evidence.completeness.items import EdgeItem, GapItem, Item, Items, RunItem
from nhi_evidence.completeness.statement import Named, Scope, Subject
from nhi_evidence.evidence.verify.sorting import Sorter

_MOST_HOURS = 24 * 35
"""A gap is filed under so many of the hours it may be of."""
_NUMBER_BYTES = 12
_HASH_BYTES = 8
_END = b"\0"


class Runs:
    """The runs of all streams, in order of their numbers."""

    def __init__(self, sorter: Sorter) -> None:
        """Set them aside in `sorter`."""
        self._sorter = sorter

    def add(self, subject: Subject, run: RunItem) -> None:
        """Take one run."""
        source, hour, scope = subject
        names = (source, scope.stream, run.partition)
        key = _END.join(name.encode(errors="surrogatepass") for name in names)
        value = _END.join(
            (hour.encode(), b"%d" % run.order, b"%d" % run.last, run.unit.encode(), run.hashes)
        )
        self._sorter.add(key + _END + run.first.to_bytes(_NUMBER_BYTES), value)

    def close(self, items: Items) -> None:
        """File every run, every gap between runs and both ends of each stream under its hours."""
        stream: bytes | None = None
        reach: tuple[Subject, RunItem] | None = None
        for key, value in self._sorter:
            name, first = key[: -_NUMBER_BYTES - 1], int.from_bytes(key[-_NUMBER_BYTES:])
            subject, run = _restored(name, first, value)
            if name != stream:
                _end(items, reach)
                if first > 0:
                    items.add(subject, EdgeItem(run.order, run.partition, first, is_end=False))
                stream, reach = name, None
            items.add(subject, run)
            if reach is not None and first > reach[1].last + 1:
                gap = GapItem(run.order, run.partition, reach[1].last + 1, first - 1)
                for hour in between(reach[0][1], subject[1], most=_MOST_HOURS):
                    items.add((subject[0], hour, subject[2]), gap)
            if reach is None or run.last > reach[1].last:
                reach = (subject, run)
        _end(items, reach)


def _end(items: Items, reach: tuple[Subject, RunItem] | None) -> None:
    if reach is not None:
        subject, run = reach
        items.add(subject, EdgeItem(run.order, run.partition, run.last, is_end=True))


def _restored(name: bytes, first: int, value: bytes) -> tuple[Subject, RunItem]:
    source, stream, partition = (part.decode(errors="surrogatepass") for part in name.split(_END))
    hour, order, last, unit, hashes = value.split(_END, maxsplit=4)
    run = RunItem(int(order), unit.decode(), partition, first, int(last), hashes)
    return (source, hour.decode(), Scope(stream=stream)), run


def judge(items: Sequence[Item], counted: frozenset[str]) -> tuple[list[Named], int]:
    """Return what keeps an hour of a stream from being contiguous, and how many messages count.

    `counted` are the units that count.
    """
    named: list[Named] = []
    runs = [item for item in items if isinstance(item, RunItem) and item.unit in counted]
    for item in items:
        if isinstance(item, GapItem):
            named.append(Named("number_gap", f"{item.partition}/{_numbers(item.first, item.last)}"))
        elif isinstance(item, EdgeItem):
            reason, detail = (
                ("open", "the last number that is here: what follows it is not known")
                if item.is_end
                else ("uncovered", "the first number that is here: what was before is not known")
            )
            named.append(Named(reason, f"{item.partition}/{item.number}", detail))
    messages = _messages(runs)
    named += [
        Named("contested", f"{partition}/{number}", "one number with different messages")
        for (partition, number), hashes in messages.items()
        if len(hashes) > 1
    ]
    return named, len(messages)


def _messages(runs: Iterable[RunItem]) -> dict[tuple[str, int], set[bytes]]:
    messages: defaultdict[tuple[str, int], set[bytes]] = defaultdict(set)
    for run in runs:
        for offset in range(run.last - run.first + 1):
            at = offset * _HASH_BYTES
            messages[run.partition, run.first + offset].add(run.hashes[at : at + _HASH_BYTES])
    return messages


def _numbers(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
