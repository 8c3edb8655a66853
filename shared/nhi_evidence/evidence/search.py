"""Finding one record in a counted object of a sealed store, and making its proof bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from nhi_evidence import sources
from nhi_evidence.evidence import (
    counting,
    note,
    objects,
    proof,
    prove,
    provider,
)
from nhi_evidence.evidence.lines import UnitLine, decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.sealed_objects import (
    SealedLeaf,
    SealedObjects,
    Where,
    distance,
    is_valid,
)
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions

__all__ = ["SealedRecord", "Search", "Where"]

_HOURS_AT_ONCE = 48
"""Number of source hours whose claims are weighed together."""


class _Match(msgspec.Struct, frozen=True):
    """Where an id occurs."""

    at: SealedLeaf
    unit: str
    number: int
    place: int


class SealedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, where it is sealed."""

    at: SealedLeaf
    table: Table
    number: int
    """Its unit's line in the table."""
    lines: Sequence[bytes]
    """Lines of its unit in that object."""
    place: int
    """Index of the record's line among them."""
    status: counting.Status | None = None
    """Status of its unit; None if the claim is void or the body does not match its key."""
    counts: bool = False
    """Whether this object's claim of the unit is the counted one."""
    parts: tuple[counting.Claim, ...] = ()
    """All counted parts of the unit."""

    @property
    def unit(self) -> UnitLine:
        """The unit line."""
        return self.table.units[self.number - 1]

    @property
    def standing(self) -> str:
        """The standing of the claim that holds this record, in words."""
        if self.status is None:
            return "void: a claim that does not count"
        if self.status is counting.Status.COUNTED and not self.counts:
            return "duplicate of a counted claim"
        return str(self.status)


class Search(SealedObjects):
    """Searches one store."""

    def __init__(
        self,
        store: EvidenceVersions,
        stored: StoredLog,
        progress: Callable[[str, int], None] = lambda _what, _done: None,
        *,
        accepted: Sequence[str] = (),
    ) -> None:
        """Search the signed shards of `stored`; `accepted` as in `counting.count`."""
        super().__init__(store, stored)
        self._progress = progress
        self._accepted = accepted
        self._hours: dict[tuple[str, str], list[SealedLeaf]] = {}
        """Leaves of the source hours that are weighed together."""
        self._weighed: dict[tuple[str, str, str], counting.Unit] = {}
        """Units found in these hours, by source, hour and unit."""

    def find(self, uid: str, where: Where) -> SealedRecord | None:
        """Return the kept record with a native id, if possible from a counted object."""
        matches = list(self._matches(uid, where))
        hours = list(dict.fromkeys((each.at.source, each.at.hour) for each in matches))
        best: SealedRecord | None = None
        for start in range(0, len(hours), _HOURS_AT_ONCE):
            chosen = set(hours[start : start + _HOURS_AT_ONCE])
            here = [each for each in matches if (each.at.source, each.at.hour) in chosen]
            self._weigh_hours(chosen, {each.unit for each in here})
            for record in self._opened_again(here):
                if record.counts:
                    return record
                if best is None or (best.status is None and record.status is not None):
                    best = record
        return best

    def _matches(self, uid: str, where: Where) -> Iterator[_Match]:
        """Yield where an id occurs: for each unit in an object, the first position."""
        wanted = (leaf for leaf in self.leaves(where) if where.hour in {None, leaf.hour})
        for done, (leaf, table, lines) in enumerate(self.read(wanted)):
            self._progress("objects", done)
            yield from _matches(leaf, table, lines, uid)

    def _opened_again(self, matches: Iterable[_Match]) -> Iterator[SealedRecord]:
        """Yield what was found with its table, lines and standing.

        An object is read once, in however many of its units the id occurs.
        """
        for at, of_object in groupby(matches, key=attrgetter("at")):
            for leaf, table, lines in self.read([at]):
                units = list(objects.lines_of(table, lines))
                for each in of_object:
                    yield self._weigh(
                        SealedRecord(
                            at=leaf,
                            table=table,
                            number=each.number,
                            lines=units[each.number - 1][1],
                            place=each.place,
                        )
                    )

    def _weigh_hours(self, hours: set[tuple[str, str]], units: set[str]) -> None:
        """Weigh the units with these names among all claims of these source hours."""
        self._hours = {hour: [] for hour in hours}
        for leaf in self.leaves(Where()):
            if (leaf.source, leaf.hour) in hours:
                self._hours[leaf.source, leaf.hour].append(leaf)
        self._weighed = {}
        for (source, hour), leaves in self._hours.items():
            claims: list[counting.Claim] = []
            for leaf, table, _ in self.read(leaves):
                valid = [line for line in table.units if is_valid(leaf, table, line)]
                valid = [line for line in valid if line.unit in units]
                claims += counting.claims(leaf.order, leaf.leaf.key, table.header, valid)
            for (_, name), weighed in counting.count(claims, self._accepted).items():
                self._weighed[source, hour, name] = weighed

    def bundle(
        self,
        record: SealedRecord,
        pinned: Sequence[note.Key],
        provider_keys: Mapping[str, bytes] | None = None,
        *,
        with_file: bool = True,
    ) -> dict[str, bytes]:
        """Return the files of a record's proof. Raises `proof.ProveError`.

        Uses the newest anchored checkpoint, if there is one, and adds what the provider signed
        about the file, if that is sealed too. `with_file` includes the delivered file, if all of
        it was kept; it contains other records.
        """
        at = record.at
        newest = self._stored.newest_signed(at.shard)
        epoch = prove.anchored_epoch(self._stored, at.shard, at.epoch, newest)
        return {
            **prove.record(record.table, record.number, record.lines, record.place),
            **prove.entry(self._stored, at.shard, epoch, at.index),
            **prove.anchors(self._stored, at.shard, epoch),
            **self._provider(record, provider_keys or {}, with_file=with_file),
            proof.KEYS: prove.keys_file(pinned),
        }

    def _provider(
        self, record: SealedRecord, provider_keys: Mapping[str, bytes], *, with_file: bool
    ) -> dict[str, bytes]:
        unit, line = record.unit, decode_line(record.lines[record.place])
        if unit.kind != "records" or sources.signing_source(record.at.source) is None:
            return {}
        delivered = provider.Delivered(
            source=record.at.source,
            unit=unit.unit,
            raw_sha256=unit.raw_sha256,
            index=line.i or 0,
            raw=line.raw or b"",
        )
        files = provider.find(self._companions(record.at), delivered, provider_keys)
        if not files or not with_file:
            return files
        file = provider.rebuilt(self._parts(record))
        return files if file is None else files | {provider.FILE: file}

    def _companions(self, at: SealedLeaf) -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
        """Yield the companions of an object's source, those of the nearest hours first."""
        near = list(self.leaves(Where(source=at.source, hour=at.hour)))
        near.sort(key=lambda leaf: distance(at.hour, leaf.hour))
        for _, table, lines in self.read(near):
            for unit, own in objects.lines_of(table, lines):
                if unit.kind == "companion":
                    yield unit, own

    def _parts(self, record: SealedRecord) -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
        """Yield all parts of a record's unit, in order; nothing for an incomplete unit."""
        if record.unit.parts == 1:
            yield record.unit, record.lines
            return
        leaves = {leaf.order: leaf for leaf in self._hours[record.at.source, record.at.hour]}
        for claim in record.parts:
            for _, table, lines in self.read([leaves[claim.index]]):
                for unit, own in objects.lines_of(table, lines):
                    if (unit.unit, unit.part) == (claim.unit, claim.part):
                        yield unit, own

    def _weigh(self, record: SealedRecord) -> SealedRecord:
        """Return a record with its standing among all claims of its hour."""
        at, unit = record.at, record.unit
        if not is_valid(at, record.table, unit):
            return record
        weighed = self._weighed.get((at.source, at.hour, unit.unit))
        if weighed is None:
            return record
        own = {(claim.index, claim.part) for claim in weighed.counted}
        return msgspec.structs.replace(
            record,
            status=weighed.status,
            counts=(at.order, unit.part) in own,
            parts=weighed.counted,
        )


def _matches(at: SealedLeaf, table: Table, lines: Sequence[bytes], uid: str) -> Iterator[_Match]:
    wanted = msgspec.json.encode(uid)
    for number, (unit, own) in enumerate(objects.lines_of(table, lines), start=1):
        for place, line in enumerate(own):
            if wanted in line and proof.uid_of(line) == uid:
                yield _Match(at, unit.unit, number, place)
                break
