"""Finding one record in a sealed store, in an object that counts, and making its proof bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence import sources
from nhi_evidence.evidence import counting, keys, log, note, objects, proof, prove, provider, tiles
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.lines import UnitLine, decode_line
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions

_NEAR_MS = 48 * 3_600_000
"""A provider's document is looked for in the hours so near to the file's, and in no others."""


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look. A native id does not say; source and hour spare reading the rest."""

    source: str | None = None
    hour: str | None = None


class SealedLeaf(msgspec.Struct, frozen=True):
    """The leaf of one object of evidence, in a signed epoch."""

    shard: str
    epoch: int
    index: int
    """Place in the shard."""
    order: int
    """Place among all of them: which was sealed first."""
    leaf: ObjectLeaf
    source: str
    hour: str


class SealedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, where it is sealed."""

    at: SealedLeaf
    table: Table
    number: int
    """Line of the table that is its unit's."""
    lines: Sequence[bytes]
    """Of its unit, in that object."""
    place: int
    """Place of the record's line among them."""
    status: counting.Status | None = None
    """What became of its unit; None where the claim is void or the object is not the key's."""
    counts: bool = False
    """Whether it is this object's claim of the unit that counts."""
    parts: tuple[counting.Claim, ...] = ()
    """All parts of the unit that count."""

    @property
    def unit(self) -> UnitLine:
        """The unit line."""
        return self.table.units[self.number - 1]

    @property
    def standing(self) -> str:
        """How the claim this record comes with stands, in words."""
        if self.status is None:
            return "void: a claim nobody counts"
        if self.status is counting.Status.COUNTED and not self.counts:
            return "duplicate of one that counts"
        return str(self.status)


class Search:
    """Looks through one store. What cannot be read there is named, and keeps nothing from view."""

    def __init__(
        self,
        store: EvidenceVersions,
        stored: StoredLog,
        progress: Callable[[str, int], None] = lambda _what, _done: None,
        *,
        accepted: Sequence[str] = (),
    ) -> None:
        """Search the signed shards of `stored`; `accepted` as in `counting.count`."""
        self._store = store
        self._stored = stored
        self._progress = progress
        self._accepted = accepted
        self._leaves: dict[int, SealedLeaf] = {}
        """Of all objects that may matter, by `order`."""
        self._weighed: dict[tuple[str, str], dict[tuple[str, str], counting.Unit]] = {}
        self.unreadable: dict[str, str] = {}
        """Objects that are no evidence objects inside, or gone, by key: why; see `verify`."""

    def find(self, uid: str, where: Where) -> SealedRecord | None:
        """Return the kept record with a native id, from an object that counts if one holds it."""
        self._leaves = {leaf.order: leaf for leaf in self.leaves(where)}
        wanted = [leaf for leaf in self._leaves.values() if where.hour in {None, leaf.hour}]
        best: SealedRecord | None = None
        for done, (leaf, table, lines) in enumerate(self.read(wanted)):
            self._progress("objects", done)
            for match in _matches(leaf, table, lines, uid):
                record = self._weigh(match)
                if record.counts:
                    return record
                if best is None or (best.status is None and record.status is not None):
                    best = record
        return best

    def bundle(
        self,
        record: SealedRecord,
        pinned: Sequence[note.Key],
        provider_keys: Mapping[str, bytes] | None = None,
        *,
        with_file: bool = True,
    ) -> dict[str, bytes]:
        """Return the files of a record's proof. Raises `proof.ProveError`.

        Under the newest checkpoint somebody outside spoke of, where there is one; with what the
        provider signed of the file, where that is sealed too. `with_file` puts the delivered
        file in, where all of it was kept: other records are in it.
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
        near = [
            (distance, leaf)
            for leaf in self._leaves.values()
            if leaf.source == at.source and (distance := _distance(at.hour, leaf.hour)) <= _NEAR_MS
        ]
        near.sort(key=lambda pair: pair[0])
        for _, table, lines in self.read(leaf for _, leaf in near):
            for unit, own in objects.lines_of(table, lines):
                if unit.kind == "companion":
                    yield unit, own

    def _parts(self, record: SealedRecord) -> Iterator[tuple[UnitLine, Sequence[bytes]]]:
        """Yield all parts of a record's unit, in order; none of a unit that is not whole."""
        if record.unit.parts == 1:
            yield record.unit, record.lines
            return
        for claim in record.parts:
            for _, table, lines in self.read([self._leaves[claim.index]]):
                for unit, own in objects.lines_of(table, lines):
                    if (unit.unit, unit.part) == (claim.unit, claim.part):
                        yield unit, own

    def _weigh(self, record: SealedRecord) -> SealedRecord:
        """Say how the claim a record comes with stands among all claims of its hour."""
        at, unit = record.at, record.unit
        if not is_valid(at, record.table, unit):
            return record
        hour = (at.source, at.hour)
        if hour not in self._weighed:
            claims: list[counting.Claim] = []
            every = self._leaves.values()
            same = [leaf for leaf in every if (leaf.source, leaf.hour) == hour]
            for leaf, table, _ in self.read(same):
                valid = [line for line in table.units if is_valid(leaf, table, line)]
                claims += counting.claims(leaf.order, leaf.leaf.key, table.header, valid)
            self._weighed[hour] = counting.count(claims, self._accepted)
        weighed = self._weighed[hour].get((at.source, unit.unit))
        if weighed is None:
            return record
        own = {(claim.index, claim.part) for claim in weighed.counted}
        return msgspec.structs.replace(
            record,
            status=weighed.status,
            counts=(at.order, unit.part) in own,
            parts=weighed.counted,
        )

    def read(
        self, leaves: Iterable[SealedLeaf]
    ) -> Iterator[tuple[SealedLeaf, Table, Sequence[bytes]]]:
        """Yield the objects of leaves with their tables and lines; name what is none."""
        chosen = list(leaves)
        bodies = self._store.bodies((leaf.leaf.key, leaf.leaf.vid) for leaf in chosen)
        for leaf, body in zip(chosen, bodies, strict=True):
            try:
                yield leaf, *_opened(leaf.leaf, body)
            except (ValueError, RecursionError) as error:
                self.unreadable[leaf.leaf.key] = str(error)

    def leaves(self, where: Where) -> Iterator[SealedLeaf]:
        """Yield the leaves of objects of evidence under a signed checkpoint, oldest first.

        Of other hours those alone that may hold the provider's document.
        """
        order = 0
        for shard in self._stored.shards():
            epoch = 0
            for index, leaf in self._entries(shard):
                order += 1
                if isinstance(leaf, EpochLeaf):
                    epoch = leaf.epoch
                if not isinstance(leaf, ObjectLeaf):
                    continue
                stated = keys.parse_key(leaf.key)
                if stated.kind != "ev" or not stated.hour or not stated.body_sha256:
                    continue
                is_near = where.hour is None or _distance(where.hour, stated.hour) <= _NEAR_MS
                if is_near and where.source in {None, stated.source}:
                    yield SealedLeaf(shard, epoch, index, order, leaf, stated.source, stated.hour)

    def _entries(self, shard: str) -> Iterator[tuple[int, Leaf]]:
        """Yield index and leaf of everything the newest checkpoint of a shard signs."""
        newest = self._stored.checkpoint(shard, self._stored.newest_signed(shard))
        size = 0 if newest is None else newest.size
        for start in range(0, size, tiles.WIDTH):
            width = min(tiles.WIDTH, size - start)
            path = tiles.path(tiles.ENTRIES, start // tiles.WIDTH, width)
            try:
                bundle = tiles.unbundle(self._stored.tile(shard, path))
                leaves = [decode(entry) for entry in bundle]
                if len(leaves) != width:
                    raise ValueError(f"{len(leaves)} entries, not {width}")
            except (KeyError, ValueError) as error:
                self.unreadable[log.tile_key(shard, path)] = f"{type(error).__name__}: {error}"
                continue
            yield from enumerate(leaves, start)


def _opened(leaf: ObjectLeaf, body: bytes | None) -> tuple[Table, Sequence[bytes]]:
    if body is None:
        raise ValueError("it is gone")
    digest = sha256(body).hexdigest()
    if digest != keys.parse_key(leaf.key).body_sha256:
        raise ValueError("its bytes have not the hash its key states")
    table, lines = objects.read_object(body)
    for _ in objects.lines_of(table, lines):
        break
    return table, lines


def is_valid(leaf: SealedLeaf, table: Table, unit: UnitLine) -> bool:
    """Whether a claim is of the source and hour its object lies under."""
    header = table.header
    if (header.source, header.hour) != (leaf.source, leaf.hour):
        return False
    if leaf.source not in sources.names():
        return True
    return keys.unit_hour(unit.unit, sources.load(leaf.source).hour_of) == leaf.hour


def _matches(
    at: SealedLeaf, table: Table, lines: Sequence[bytes], uid: str
) -> Iterator[SealedRecord]:
    wanted = msgspec.json.encode(uid)
    start = 0
    for number, unit in enumerate(table.units, start=1):
        own = lines[start : start + unit.lines]
        start += unit.lines
        for place, line in enumerate(own):
            if wanted in line and proof.uid_of(line) == uid:
                yield SealedRecord(at=at, table=table, number=number, lines=own, place=place)


def _distance(hour: str, other: str) -> int:
    """Milliseconds between two hours; an unknown one is as near as any may be."""
    first, second = keys.hour_start(hour), keys.hour_start(other)
    return abs(first - second) if first is not None and second is not None else _NEAR_MS
