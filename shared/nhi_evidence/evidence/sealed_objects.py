"""The evidence objects under signed checkpoints: their leaves and contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nhi_evidence.evidence import flags, keys, log, merkle, objects, tiles
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.unit_hours import is_in_place
from nhi_evidence.evidence.verify import sound
from nhi_evidence.ports import EvidenceVersions

_NEAR_MS = 48 * 3_600_000
"""A provider's document is searched for only in hours this close to the file's."""


_AT_ONCE = 128
"""Maximum number of objects among which a store may read ahead ..."""

_BYTES_AT_ONCE = 128 << 20
"""... and maximum bytes of them together, except when a single object is larger."""


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look. A native id does not say where; source and hour save reading the rest."""

    source: str | None = None
    hour: str | None = None


class SealedLeaf(msgspec.Struct, frozen=True):
    """The leaf of one evidence object, in a signed epoch."""

    shard: str
    epoch: int
    index: int
    """Index in the shard."""
    order: int
    """Index among the leaves of all shards: what was sealed earlier has a lower one."""
    leaf: ObjectLeaf
    source: str
    hour: str


class SealedObjects:
    """Reads one store. What cannot be read is listed, and does not hide the rest."""

    def __init__(self, store: EvidenceVersions, stored: StoredLog) -> None:
        """Read what the signed shards of `stored` seal."""
        self._store = store
        self._stored = stored
        self.unreadable: dict[str, str] = {}
        """Objects that are invalid or gone: key to reason; see `verify`."""

    def read(
        self, leaves: Iterable[SealedLeaf]
    ) -> Iterator[tuple[SealedLeaf, Table, Sequence[bytes]]]:
        """Yield leaves with their objects' tables and lines; list invalid ones as unreadable."""
        for chosen in _chunks(leaves):
            bodies = self._store.beginnings(
                (leaf.leaf.key, leaf.leaf.vid, _read_of(leaf)) for leaf in chosen
            )
            for leaf, body in zip(chosen, bodies, strict=True):
                try:
                    yield leaf, *_opened(leaf.leaf, body)
                except (ValueError, RecursionError) as error:
                    self.unreadable[leaf.leaf.key] = str(error)

    def leaves(self, where: Where) -> Iterator[SealedLeaf]:
        """Yield the leaves of evidence objects under a signed checkpoint, oldest first.

        From other hours, only leaves of objects that may hold the provider's document.
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
                is_near = where.hour is None or distance(where.hour, stated.hour) <= _NEAR_MS
                if is_near and where.source in {None, stated.source}:
                    yield SealedLeaf(shard, epoch, index, order, leaf, stated.source, stated.hour)

    def _entries(self, shard: str) -> Iterator[tuple[int, Leaf]]:
        """Yield index and leaf of everything the newest checkpoint of a shard signs.

        A shard whose entries have another root than it signs is listed as unreadable.
        """
        epoch = self._stored.newest_signed(shard)
        newest = self._stored.checkpoint(shard, epoch)
        size = 0 if newest is None else newest.size
        tree, is_whole = merkle.Growing(), True
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
                is_whole = False
                continue
            for entry in bundle:
                tree.add(merkle.leaf_hash(entry))
            yield from enumerate(leaves, start)
        if newest is not None and is_whole and tree.root() != newest.root:
            why = "the entries are not those that it signs"
            self.unreadable[log.checkpoint_key(shard, epoch)] = why


def _read_of(leaf: SealedLeaf) -> int:
    """Return how much to read of an object: its sealed size plus a byte, which shows if it grew."""
    return min(leaf.leaf.size, objects.MAX_BODY_BYTES) + 1


def _chunks(leaves: Iterable[SealedLeaf]) -> Iterator[list[SealedLeaf]]:
    """Yield leaves in groups small enough for a store to read ahead among their objects."""
    chosen: list[SealedLeaf] = []
    size = 0
    for leaf in leaves:
        size += _read_of(leaf)
        if chosen and (len(chosen) >= _AT_ONCE or size > _BYTES_AT_ONCE):
            yield chosen
            chosen, size = [], _read_of(leaf)
        chosen.append(leaf)
    if chosen:
        yield chosen


def _opened(leaf: ObjectLeaf, body: bytes | None) -> tuple[Table, Sequence[bytes]]:
    table, after = sound.opened(leaf, body)
    lines = list(after)
    for _ in objects.lines_of(table, lines):
        break
    return table, lines


def is_valid(leaf: SealedLeaf, table: Table, unit: UnitLine) -> bool:
    """Whether a claim is in an object of its source and hour, in the first version of its key."""
    return flags.SHADOW not in leaf.leaf.flags and is_in_place(
        leaf.source, leaf.hour, table.header, unit.unit
    )


def distance(hour: str, other: str) -> int:
    """Return the milliseconds between two hours; an unknown hour counts as near."""
    first, second = keys.hour_start(hour), keys.hour_start(other)
    return abs(first - second) if first is not None and second is not None else _NEAR_MS
