"""The log as stored: reads the first version of every key, and nothing later.

A delete marker or a second version on top of a plan, tile or checkpoint thus has no effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log, note, tiles
from nhi_evidence.evidence.checkpoint import Checkpoint, Signed, read_signed
from nhi_evidence.evidence.leaf import Closed
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

_SHARD = re.compile(r"\d{4}", re.ASCII)
_EPOCH_DIGITS, _BLOCK_DIGITS = 12, 3
_EPOCH = re.compile(rf"\d{{{_EPOCH_DIGITS}}}", re.ASCII)

BLOCK = 10**_BLOCK_DIGITS
"""Plans listed in one request: as many keys as S3 returns."""


class StoredLog:
    """Reads one log. A checkpoint is this log's if one of `keys` signed it."""

    def __init__(self, store: EvidenceVersions, name: str, keys: Sequence[note.Key]) -> None:
        """Read the log `name`, whose shards are `<name>/<year>`."""
        self._store = store
        self._name = name
        self._keys = tuple(keys)

    def first_shard(self) -> str | None:
        """Return the log's first shard, or None if there is no log."""
        named = (self.get(log.GENESIS) or b"").decode("ascii", "replace")
        return named if _SHARD.fullmatch(named) else None

    def shards(self) -> list[str]:
        """Return the existing shards, oldest first."""
        named = (one.split("/")[-2] for one in self._store.folders(log.PREFIX))
        return sorted(one for one in named if _SHARD.fullmatch(one))

    def genesis(self, shard: str) -> log.Position:
        """Return the position before a shard's first plan, and the shard it continues, if any."""
        first = log.first_leaf(self.plan(shard, 1) or b"")
        return self.start(shard, first.opens if first else None)

    def start(self, shard: str, follows: Closed | None = None) -> log.Position:
        """Return the position of a shard that has no plan yet."""
        return log.Position(shard=shard, origin=f"{self._name}/{shard}", follows=follows)

    def plan_version(self, shard: str, epoch: int) -> Version | None:
        """Return the version of a plan that counts, the first one, or None."""
        key = log.plan_key(shard, epoch)
        for version in self._store.versions(key):
            if version.key == key and not version.marker:
                return version
        return None

    def plan(self, shard: str, epoch: int) -> bytes | None:
        """Return the bytes of a plan, or None."""
        return self.get(log.plan_key(shard, epoch))

    def newest_epoch(self, shard: str) -> int:
        """Return the number of the last plan before any gap; 0 without plans."""
        return _last(lambda number: self.plan_version(shard, number) is not None)

    def checkpoint(self, shard: str, epoch: int) -> Checkpoint | None:
        """Return the checkpoint of an epoch, or None if there is none.

        Raises `LogError` when it is not signed by the log's key.
        """
        signed = self.signed(shard, epoch)
        return None if signed is None else signed.checkpoint

    def signed(self, shard: str, epoch: int) -> Signed | None:
        """Return the checkpoint of an epoch and who signed it; otherwise like `checkpoint`."""
        body = self.get(log.checkpoint_key(shard, epoch))
        if body is None:
            return None
        try:
            return read_signed(body, self._keys, f"{self._name}/{shard}")
        except note.NoteError as error:
            raise LogError(f"{log.checkpoint_key(shard, epoch)}: {error}") from error

    def newest_signed(self, shard: str) -> int:
        """Return the last epoch that has a checkpoint; 0 without any."""
        epoch = self.newest_epoch(shard)
        while epoch and self.checkpoint(shard, epoch) is None:
            epoch -= 1
        return epoch

    def position(self, genesis: log.Position, epoch: int) -> log.Position:
        """Rebuild the position after a signed epoch from its checkpoint and tiles.

        Raises `LogError` when the stored tree is not the signed one.
        """
        shard = genesis.shard
        signed = self.checkpoint(shard, epoch)
        body = self.plan(shard, epoch)
        first = log.first_leaf(body or b"")
        if signed is None or body is None or first is None:
            raise LogError(f"epoch {epoch} of {genesis.origin} is incomplete")
        size, width = signed.size, signed.size % tiles.WIDTH
        try:
            edge = tiles.read_edge(size, lambda path: self.tile(shard, path))
            bundle = tiles.path(tiles.ENTRIES, size // tiles.WIDTH, width)
            tail = tiles.unbundle(self.tile(shard, bundle)) if width else []
        except (KeyError, ValueError) as error:
            raise LogError(f"tiles of {genesis.origin} at size {size}: {error}") from error
        if tiles.edge_root(edge) != signed.root or len(tail) != width:
            raise LogError(f"checkpoint {epoch} of {genesis.origin} does not match the stored tree")
        return msgspec.structs.replace(
            genesis,
            epoch=epoch,
            plan=sha256(body).hexdigest(),
            size=size,
            edge=edge,
            tail=tuple(tail),
            closed=first.closes,
        )

    def plan_times(self, shard: str, block: int) -> dict[int, int]:
        """Return, by epoch, when the store received each plan of a block of `BLOCK` epochs."""
        stem = log.plan_key(shard, block * BLOCK)[:-_BLOCK_DIGITS]
        times: dict[int, int] = {}
        for version in self._store.versions(stem):
            number = version.key[len(stem) - (_EPOCH_DIGITS - _BLOCK_DIGITS) :]
            if not version.marker and _EPOCH.fullmatch(number):
                times.setdefault(int(number), version.modified)
        return times

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys under a prefix of the log."""
        return self._store.keys(prefix)

    def tile(self, shard: str, path: str) -> bytes:
        """Return a tile or bundle. Raises `KeyError` when there is none."""
        return self._store.get(log.tile_key(shard, path))

    def get(self, key: str) -> bytes | None:
        """Return the bytes that count under a key, or None."""
        try:
            return self._store.get(key)
        except KeyError:
            return None


def _last(holds: Callable[[int], bool]) -> int:
    """Return the largest n such that `holds` is true for every number from 1 to n; else 0."""
    low, high = 0, 1
    while holds(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
