"""What an investigation asks of an index: rows that match, and acts of trust."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.trust import Trust

_LISTED = frozenset({Standing.COUNTED, Standing.CONTESTED, Standing.UNPROVEN})
"""A contested record is shown as such; neither side of a contradiction is hidden."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows are wanted: those that match any of the sets, within the time."""

    identities: frozenset[str] = frozenset()
    """Canonical id, provider's own id, or name of the actor; exact match."""
    credentials: frozenset[str] = frozenset()
    """Id of the credential the actor used, or that a hop before the actor did."""
    issued: frozenset[str] = frozenset()
    """Id of a credential the operation issued, or was about."""
    addresses: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    """Id or name of what was acted on; exact match, ignoring case."""
    subjects: frozenset[tuple[str, str]] = frozenset()
    """Issuer and subject, as the record spells them."""
    since: int | None = None
    """First instant, milliseconds since the epoch."""
    until: int | None = None
    """First instant after it, milliseconds since the epoch."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing can match."""
        return not (
            self.identities
            or self.credentials
            or self.issued
            or self.addresses
            or self.resources
            or self.subjects
        )

    def matches(self, row: Row) -> bool:
        """Whether a row is wanted; every index must agree with this."""
        if self.since is not None and row.time < self.since:
            return False
        if self.until is not None and row.time >= self.until:
            return False
        return bool(
            self.identities & {row.identity, row.identity_uid, row.identity_name}
            or row.credential in self.credentials
            or self.credentials.intersection(row.hop_credentials)
            or self.issued.intersection(row.issued)
            or row.entity in self.issued
            or row.ip in self.addresses
            or (row.issuer or "", row.subject or "") in self.subjects
            or self._is_about(row)
        )

    def _is_about(self, row: Row) -> bool:
        if not self.resources:
            return False
        wanted = {each.lower() for each in self.resources}
        return any(name.lower() in wanted for name in (*row.targets, *row.target_names))


_TEXTS = 100
"""How many things that could not be read are named."""


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """What an index contains, and how recent it is."""

    proven: bool
    """Whether its rows come from a sealed store whose signature was checked."""
    rows: int | None
    """None if that is not known."""
    objects: int | None
    """Evidence objects, or raw log files; None if that is not known."""
    first: int | None
    """Time of its first event, milliseconds since the epoch; None if it has no events."""
    last: int | None
    """Time of its last event, likewise."""
    head: str
    """The signed head it was made from, in words; empty for raw logs."""
    head_time: int | None
    """The sealer's clock at that head, milliseconds since the epoch."""
    duplicates: int = 0
    """Rows that repeat another and are not shown."""
    unreadable: tuple[str, ...] = ()
    """The first objects and lines that could not be read, and why; nothing in them is shown."""
    unreadable_count: int = 0
    """How many there are in all, which may be more than `unreadable` names."""
    engine: str = ""
    """Who answered instead of an index made here, in words; empty for an index."""
    not_shown: tuple[str, ...] = ()
    """The first sources and hours whose evidence is not shown, where an engine relies on sealed
    statements, and why: none counts it yet, or some is contested."""
    not_shown_count: int = 0
    """How many there are in all."""

    def unread(self, most: int | None = None) -> Iterator[str]:
        """Yield what could not be read, each text once, however many records it is said of."""
        times = Counter(self.unreadable).most_common(most)
        for text, number in times:
            yield f"not read: {text}{f' ({number:,} times)' if number > 1 else ''}"
        more = self.unreadable_count - sum(number for _, number in times)
        if more:
            yield f"... and {more:,} more"


class Unread(msgspec.Struct):
    """What could not be read in raw log files, noted while the rest is read."""

    texts: list[str] = []
    """The first things, and why."""
    count: int = 0

    def note(self, text: str) -> None:
        """Note one file, line or record."""
        self.count += 1
        if len(self.texts) < _TEXTS:
            self.texts.append(text)


class EventIndex(Protocol):
    """An index of events; every implementation passes the same contract tests."""

    def rows(self, selection: Selection) -> Iterator[Row]:
        """Yield the matching rows that are shown, each record once, in chronological order."""
        ...

    def trusts(self) -> Sequence[Trust]:
        """Return the acts of trust in all counted records, in chronological order."""
        ...

    def freshness(self) -> Freshness:
        """Return what the index contains."""
        ...


class MemoryIndex:
    """An index of rows that fit in memory, such as those of raw log files."""

    def __init__(
        self,
        rows: Iterable[Row],
        trusts: Iterable[Trust] = (),
        *,
        freshness: Freshness | None = None,
        unread: Unread | None = None,
    ) -> None:
        """Index rows given in any order, with or without repeats; `unread` is what is missing."""
        unread = unread or Unread()
        every = list(rows)
        self._rows = sorted(distinct(every), key=order)
        self._trusts = sorted(trusts, key=lambda trust: trust.time)
        times = [row.time for row in self._rows]
        self._freshness = freshness or Freshness(
            proven=False,
            rows=len(self._rows),
            objects=len({row.place.object for row in every}),
            first=min(times, default=None),
            last=max(times, default=None),
            head="",
            head_time=None,
            duplicates=len(every) - len(self._rows),
            unreadable=tuple(unread.texts),
            unreadable_count=unread.count,
        )

    def rows(self, selection: Selection) -> Iterator[Row]:
        """See `EventIndex.rows`."""
        return (row for row in self._rows if selection.matches(row))

    def trusts(self) -> Sequence[Trust]:
        """See `EventIndex.trusts`."""
        return self._trusts

    def freshness(self) -> Freshness:
        """See `EventIndex.freshness`."""
        return self._freshness


def order(row: Row) -> tuple[int, str, str, int]:
    """Return the sort key of a row: its time, then its place, so that every run agrees."""
    return row.time, row.place.object, row.place.unit, row.place.line


def record_key(row: Row) -> tuple[str, str, str, str]:
    """Return the key that two rows of the same record share: the source's id and its bytes."""
    return row.provider, row.account or "", row.uid or "", row.raw_sha256


def distinct(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that are shown, each record once, where it was first sealed.

    The same record delivered by two trails is one record; the same id with different bytes is not.
    """
    chosen: dict[tuple[str, str, str, str], Row] = {}
    for row in rows:
        if row.place.standing not in _LISTED:
            continue
        key = record_key(row)
        known = chosen.get(key)
        if known is None or _precedence(row) < _precedence(known):
            chosen[key] = row
    return iter(chosen.values())


def _precedence(row: Row) -> tuple[bool, str, int, str, int]:
    place = row.place
    return place.standing is Standing.CONTESTED, place.shard, place.leaf, place.unit, place.line
