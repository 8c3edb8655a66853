"""Facts about epochs before a saved state, each proven against the tree the state ended with.

An incremental verification does not walk the older epochs. When it needs something from one (its
clock, its settings, its checkpoint), it proves that the entry or the root is part of the tree it
resumes from, and takes nothing on trust.
"""

from __future__ import annotations

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import leaf, log, merkle, tiles
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import EpochLeaf
from nhi_evidence.evidence.stored_log import StoredLog


def epoch_leaf(stored: StoredLog, tree: Checkpoint, *, shard: str, epoch: int) -> EpochLeaf | None:
    """Return the epoch leaf that an older plan opens with, if `tree` contains it; otherwise None.

    `tree` is a verified checkpoint of the same shard, at that epoch or a later one.
    """
    try:
        entries = log.entries_of(stored.plan(shard, epoch) or b"")
        first = leaf.decode(entries[0])
        end = stored.checkpoint(shard, epoch)
        if end is None or not isinstance(first, EpochLeaf) or first.epoch != epoch:
            return None
        index = end.size - len(entries)
        path = merkle.inclusion_path(index, tree.size, _subtree(stored, shard, tree.size))
        merkle.check_inclusion(merkle.leaf_hash(entries[0]), index, tree.size, path, tree.root)
    except (KeyError, LogError, ValueError):
        return None
    return first


def is_part(stored: StoredLog, tree: Checkpoint, *, shard: str, older: Checkpoint) -> bool:
    """Whether `tree` is an extension of an older checkpoint of the same shard."""
    try:
        subtree = _subtree(stored, shard, tree.size)
        path = merkle.consistency_path(older.size, tree.size, subtree)
        merkle.check_consistency(older.size, tree.size, path, older.root, tree.root)
    except (KeyError, ValueError):
        return False
    return True


def _subtree(stored: StoredLog, shard: str, size: int) -> merkle.Subtree:
    return tiles.subtree_of(size, lambda path: stored.tile(shard, path))
