"""What an investigation asks of an index: rows that match, and acts of trust."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.trust import Trust

_LISTED = frozenset({Standing.COUNTED, Standing.CONTESTED, Standing.UNPROVEN})
"""A contested record is shown as what it is; neither side of a contradiction is kept from view."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: those that match any of the sets, within the time."""

    identities: frozenset[str] = frozenset()
    """Canonical id, provider's own id, or name; exactly."""
    credentials: frozenset[str] = frozenset()
    """Used by the actor."""
    issued: frozenset[str] = frozenset()
    """Handed out by the operation, or what it was about."""
    addresses: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    """Acted on; exactly, whatever the case of its letters."""
    subjects: frozenset[tuple[str, str]] = frozenset()
    """Issuer and subject, as the record spells them."""
    since: int | None = None
    """First millisecond that is wanted."""
    until: int | None = None
    """First that is not."""

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
        """Whether a row is wanted: the meaning every index must keep to."""
        if self.since is not None and row.time < self.since:
            return False
        if self.until is not None and row.time >= self.until:
            return False
        return bool(
            self.identities & {row.identity, row.identity_uid, row.identity_name}
            or row.credential in self.credentials
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
"""Of what could not be read: so many are named."""


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds, and up to when."""

    proven: bool
    """Whether its rows come from a sealed store under a signature that was checked."""
    rows: int | None
    """None where that was not asked."""
    objects: int | None
    """Evidence objects, or raw log files; None where that was not asked."""
    first: int | None
    """Time of its first event, milliseconds since the epoch; None without any."""
    last: int | None
    head: str
    """The signed head it was made from, in words; empty of raw logs."""
    head_time: int | None
    duplicates: int = 0
    """Rows that repeat another, and are not shown."""
    unreadable: tuple[str, ...] = ()
    """Objects and lines that could not be read, and why; nothing in them is shown. The first."""
    unreadable_count: int = 0
    """How many there are in all: more than `unreadable` names, where there are many."""
    engine: str = ""
    """Who answered in place of an index made here, in words; empty of an index."""
    not_shown: tuple[str, ...] = ()
    """Source and hour of evidence that is not shown, and why, where an engine goes by sealed
    statements: none counts it yet, or it is contested. The first."""
    not_shown_count: int = 0
    """How many there are in all."""


class Unread(msgspec.Struct):
    """What of raw log files could not be read, noted while the rest is."""

    texts: list[str] = []
    """The first of it, and why."""
    count: int = 0

    def note(self, text: str) -> None:
        """Note one file, line or record."""
        self.count += 1
        if len(self.texts) < _TEXTS:
            self.texts.append(text)


class EventIndex(Protocol):
    """Every implementation passes the same contract tests."""

    def rows(self, selection: Selection) -> Iterator[Row]:
        """Yield the rows that match and count, each record once, in order of time."""
        ...

    def trusts(self) -> Sequence[Trust]:
        """Return the acts of trust of all rows that count, in order of time."""
        ...

    def freshness(self) -> Freshness:
        """Return what it holds."""
        ...


class MemoryIndex:
    """An index of rows that fit into memory, as those of raw log files."""

    def __init__(
        self,
        rows: Iterable[Row],
        trusts: Iterable[Trust] = (),
        *,
        freshness: Freshness | None = None,
        unread: Unread | None = None,
    ) -> None:
        """Take rows in any order, repeated or not; and what could not be read beside them."""
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
    """Return what rows are sorted by: time, then where they lie, so that every run agrees."""
    return row.time, row.place.object, row.place.unit, row.place.line


def record_key(row: Row) -> tuple[str, str, str, str]:
    """Return what makes two rows the same record: its source's id, and its bytes."""
    return row.provider, row.account or "", row.uid or "", row.raw_sha256


def distinct(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows that are shown, each record once, as it was first sealed.

    The same record delivered by two trails is one record; the same id with other bytes is not.
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
