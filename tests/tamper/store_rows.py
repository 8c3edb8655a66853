"""Rows of the tamper matrix: what lifecycle does, and what a store does not describe."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.evidence.leaf import MarkerLeaf
from tests.memory_store import DAY_MS
from tests.tamper.forged_epochs import forge_epoch
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import SealedStore


def _marked(world: SealedStore, days: int) -> str:
    key = world.key_of("ev/")
    world.now = world.store.first(key).modified + days * DAY_MS
    world.store.mark(key)
    world.seal()
    return key


@row("a delete marker after lock and grace, as lifecycle leaves it, sealed")
def after_grace(world: SealedStore) -> Done:
    _marked(world, 2)
    return Done(set())


@row("a delete marker after the lock, before the grace ended, sealed")
def before_grace(world: SealedStore) -> Done:
    return Done({("marker", _marked(world, 1))})


@row("a delete marker before the end of the lock, sealed as if lifecycle had left it")
def not_expired(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    marked = world.store.mark(key)
    forge_epoch(world, [MarkerLeaf(key, marked, world.now, ("expired",))])
    return Done({("leaf_false", key)})


@row("a version the store will not describe, sealed")
def undescribed(world: SealedStore) -> Done:
    body = b"encrypted with a key of its writer"
    key = f"op/v1/recon/h=2026030208/{sha256(body).hexdigest()}"
    world.store.add(key, body).described = False
    world.seal()
    return Done({(code, key) for code in ("undescribed", "short_lock", "no_checksum")})
