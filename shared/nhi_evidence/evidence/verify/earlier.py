"""What came before a saved state, shown by the tree that state ended in: nothing is believed.

An incremental verification does not walk the older epochs. Where it needs one (its clock, its
settings, its checkpoint), the entry or the root is proven to be part of the tree it resumes at.
"""

from __future__ import annotations

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import leaf, log, merkle, tiles
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import EpochLeaf
from nhi_evidence.evidence.stored_log import StoredLog


def epoch_leaf(stored: StoredLog, tree: Checkpoint, *, shard: str, epoch: int) -> EpochLeaf | None:
    """Return the entry an older plan opens with, where a tree of the shard holds it; else None.

    The tree is that of a signed checkpoint of an epoch at or after it.
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
    """Whether an older checkpoint of a shard is of the beginning of a tree of it."""
    try:
        subtree = _subtree(stored, shard, tree.size)
        path = merkle.consistency_path(older.size, tree.size, subtree)
        merkle.check_consistency(older.size, tree.size, path, older.root, tree.root)
    except (KeyError, ValueError):
        return False
    return True


def _subtree(stored: StoredLog, shard: str, size: int) -> merkle.Subtree:
    return tiles.subtree_of(size, lambda path: stored.tile(shard, path))
