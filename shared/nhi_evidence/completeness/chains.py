"""Chains of signed lists: whether each list continues the previous one, and which are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

import msgspec

from nhi_evidence import sources
from nhi_evidence.completeness.hours import HOUR_MS, hours
from nhi_evidence.completeness.items import ChainItem, Items, ListItem, subject_key, subject_of
from nhi_evidence.completeness.spans import Room
from nhi_evidence.completeness.statement import Subject
from nhi_evidence.evidence.verify.sorting import Sorter

_TIME_BYTES = 8
_CHAINS_KEPT = 100
"""Number of earlier lists in a chain that a list may continue."""
_MOST_BETWEEN = 24 * 35
"""Maximum number of lists named as missing between two existing ones, and of hours in a gap."""
_MOST_TOUCHED = 2
"""Hours that a list of one hour may touch."""

MOST_FAR = 100_000
"""Maximum number of hours, over all chains, in which a gap is named that are further than
`_NEAR_MS` from its ends. A writer may put a digest of any time, in a few bytes."""

_NEAR_MS = 6 * HOUR_MS

_BY_TIME = "the name it would have, by its time"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ListItem).decode


class Chains:
    """The lists of all chains, in order of time."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect lists in `sorter`."""
        self._sorter = sorter

    def add(self, subject: Subject, item: ListItem) -> None:
        """Add one list."""
        name = subject_key((subject[0], "", subject[2])) + b"\0" + item.chain.encode()
        times = item.begins.to_bytes(_TIME_BYTES, signed=True)
        self._sorter.add(name + times + item.sha256.encode(), _encode(item))

    def close(self, items: Items) -> None:
        """File what is wrong with each chain under the hours it concerns."""
        current: bytes | None = None
        walk: _Walk | None = None
        room = Room(MOST_FAR)
        for key, value in self._sorter:
            item = _decode(value)
            name = key[: -_TIME_BYTES - len(item.sha256)]
            if name != current or walk is None:
                scope = name.removesuffix(b"\0" + item.chain.encode())
                current, walk = name, _Walk(items, room, subject_of(scope))
            walk.take(item)


class _Walk:
    """One chain, list by list."""

    def __init__(self, items: Items, room: Room, subject: Subject) -> None:
        self._items = items
        self._room = room
        self._subject = subject
        self._recent: dict[str, tuple[ListItem, set[bytes]]] = {}
        """By place, the last document there, and the signatures its versions are stored with."""
        self._end: int | None = None
        """When the latest list so far ends."""

    def take(self, item: ListItem) -> None:
        """Compare a list with those before it."""
        known = self._recent.get(item.place)
        if known is not None and known[0].sha256 == item.sha256:
            known[1].add(item.signature)
        else:
            self._follow(item)
            self._recent[item.place] = (item, {item.signature})
        while len(self._recent) > _CHAINS_KEPT:
            del self._recent[next(iter(self._recent))]
        self._end = max(self._end or item.ends, item.ends)

    def _follow(self, item: ListItem) -> None:
        if item.previous is None or self._end is None:
            # It begins the chain, or the part of it that is here.
            return
        before = self._recent.get(item.previous)
        if before is not None:
            for detail in _broken(item, *before):
                what = ("digest_invalid", before[0].place, detail)
                self._file(item, what, self._hours(item, before[0].begins))
            return
        concerned = self._hours(item, min(self._end, item.begins))
        what = ("digest_missing", item.previous, f"named by {item.place}")
        self._file(item, what, concerned)
        for place, touched in _between(item, self._end, set(concerned)):
            self._file(item, ("digest_missing", place, _BY_TIME), touched)

    def _hours(self, item: ListItem, begins: int) -> list[str]:
        """Return the hours from an instant to the list that shows a problem, or those near both."""
        ends = max(begins, item.begins - 1)
        near = {*hours(begins, min(ends, begins + _NEAR_MS), most=_MOST_BETWEEN)}
        near |= {*hours(max(begins, ends - _NEAR_MS), ends, most=_MOST_BETWEEN)}
        every = near.union(hours(begins, ends, most=_MOST_BETWEEN))
        return sorted(every if self._room.take(len(every) - len(near)) else near)

    def _file(self, item: ListItem, what: tuple[str, str, str], concerned: Iterable[str]) -> None:
        """File a problem under some hours."""
        source, _, scope = self._subject
        for hour in concerned:
            of = (source, hour, scope)
            self._items.add(of, item)
            self._items.add(of, ChainItem(item.order, *what, item.sha256))


def _broken(item: ListItem, before: ListItem, signatures: Set[bytes]) -> Iterator[str]:
    """Yield why `before`, stored with these signatures, is not the list that `item` continues."""
    stated = item.previous_signature
    if stated is not None and stated.lower() not in {one.hex() for one in signatures}:
        yield f"{item.place} states another signature of it"
    if item.previous_sha256 is not None and item.previous_sha256.lower() != before.sha256:
        yield f"{item.place} states another hash of it"


def _between(item: ListItem, end: int, concerned: Set[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the places of further lists missing before `item`, one per hour after `end`.

    Each comes with those of the hours `concerned` that it touches, if there are any.
    """
    pack = sources.signing_source(item.source)
    for back in range(1, _MOST_BETWEEN + 1):
        at = item.begins - back * HOUR_MS
        if pack is None or at <= end:
            return
        touched = [
            each for each in hours(at - HOUR_MS, at, most=_MOST_TOUCHED) if each in concerned
        ]
        place = pack.listed_before(item.previous or "", at) if touched else None
        if place is not None:
            yield place, touched
