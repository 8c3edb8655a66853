"""Epochs as a sealer's role allows: any plan that follows the log, its tiles, and a signature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nhi_evidence.evidence import flags, leaf, log
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.stored_log import StoredLog
from tests.memory_store import DAY_MS
from tests.tamper.sealed_store import NAME, SealedStore


def same(first: Any) -> Any:
    """Change nothing."""
    return first


def forge_epoch(
    world: SealedStore,
    leaves: Sequence[Leaf] = (),
    change: Callable[[EpochLeaf], Any] = same,
) -> int:
    """Put a plan with these leaves after a changed epoch leaf, and finish it; its number."""
    stored = StoredLog(world.store, NAME, [world.key])
    epoch = stored.newest_epoch("2026")
    before = stored.position(stored.genesis("2026"), epoch)
    config = leaf.decode(world.entries(epoch)[0])
    assert isinstance(config, EpochLeaf)
    first = change(log.epoch_leaf(before, at=world.now, swept={}, config=config.config))
    finish_epoch(world, before, [leaf.encode(first), *map(leaf.encode, leaves)])
    return epoch + 1


def finish_epoch(world: SealedStore, before: log.Position, entries: Sequence[bytes]) -> None:
    """Put a plan of any entries; where it counts, its tiles and its checkpoint."""
    body = log.write_plan(entries)
    world.store.add(log.plan_key(before.shard, before.epoch + 1), body)
    step = log.advance(before, body)
    if step.void is not None:
        return
    for path, data in step.objects.items():
        world.store.add(log.tile_key(before.shard, path), data)
    signed = LogSigners(NAME, [world.signer]).sign(step.after.checkpoint, world.now)
    world.store.add(log.checkpoint_key(before.shard, before.epoch + 1), signed)


def true_leaf(world: SealedStore, key: str) -> leaf.ObjectLeaf:
    """The leaf an honest sealer would make of the first version of a key."""
    version = next(iter(world.store.versions(key)))
    (description,) = world.store.describe([version])
    lock_policy = flags.LockPolicy(retention_ms=DAY_MS, grace_ms=DAY_MS)
    object_leaf = flags.object_leaf(version, description, lock_policy, world.now)
    assert object_leaf is not None
    return object_leaf
