"""The leaves that a signed head commits to.

An entry that is stored and not signed is no leaf: whoever shows an investigator what is sealed
reads it here.
"""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log, merkle, tiles
from nhi_evidence.evidence.leaf import Leaf, decode
from nhi_evidence.evidence.stored_log import StoredLog


def read(stored: StoredLog, shard: str, size: int, root: bytes) -> Iterator[tuple[int, Leaf]]:
    """Yield index and leaf of each of a shard's first `size` entries, whose tree has this root.

    Raises `LogError` if an entry cannot be read, and after the last one if the tree has another
    root: what was yielded is to be believed only once nothing is left.
    """
    tree = merkle.Growing()
    for index, entry in _entries(stored, shard, size):
        tree.add(merkle.leaf_hash(entry))
        try:
            leaf = decode(entry)
        except ValueError as error:
            raise LogError(f"entry {index} of shard {shard}: {error}") from error
        yield index, leaf
    if tree.root() != root:
        raise LogError(f"the entries of shard {shard} are not those its checkpoint signs")


def _entries(stored: StoredLog, shard: str, size: int) -> Iterator[tuple[int, bytes]]:
    for start in range(0, size, tiles.WIDTH):
        width = min(tiles.WIDTH, size - start)
        path = tiles.path(tiles.ENTRIES, start // tiles.WIDTH, width)
        try:
            bundle = tiles.unbundle(stored.tile(shard, path))
        except (KeyError, ValueError) as error:
            raise LogError(f"{log.tile_key(shard, path)}: {error}") from error
        if len(bundle) != width:
            raise LogError(f"{log.tile_key(shard, path)}: {len(bundle)} entries, not {width}")
        yield from enumerate(bundle, start)
