"""Rows of the tamper matrix: what lifecycle does after lock and grace, and what only looks so."""

from __future__ import annotations

from tests.memory_store import DAY_MS
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
