"""Rows of the tamper matrix: what a sealer may sign, who has the log's key and its role."""

from __future__ import annotations

import msgspec

from nhi_evidence.evidence.leaf import MarkerLeaf, ObjectLeaf
from tests.tamper.forged_epochs import forge_epoch, true_leaf
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR_MS, NAME, SealedStore


def _new_object(world: SealedStore) -> ObjectLeaf:
    """A sound object that is not sealed yet, as an honest sealer would put it on record."""
    key = world.key_of("ev/")
    edited = world.edit(key)
    edited.header["codec"] = "other"
    return true_leaf(world, world.put(edited, key))


@row("a leaf that calls the first version of a key a later one, so that it would not count")
def false_shadow(world: SealedStore) -> Done:
    sound = _new_object(world)
    forge_epoch(world, [msgspec.structs.replace(sound, flags=("shadow",))])
    return Done({("leaf_false", sound.key), ("shadow", sound.key)})


@row("a leaf that calls the first version of a key a later one, beside one that is")
def false_shadow_beside(world: SealedStore) -> Done:
    sound = _new_object(world)
    body = world.store.get(sound.key)
    world.now += 1
    later = world.store.add(sound.key, body, world.store.first(sound.key).metadata)
    forged = [
        msgspec.structs.replace(sound, flags=("shadow",)),
        msgspec.structs.replace(
            sound, vid=later.id, at=later.modified, until=later.retain_until, flags=("shadow",)
        ),
    ]
    forge_epoch(world, forged)
    return Done({("leaf_false", sound.key), ("shadow", sound.key)})


@row("a leaf that calls the first version of a key a later one, below a delete marker")
def false_shadow_below(world: SealedStore) -> Done:
    sound = _new_object(world)
    marked = world.store.mark(sound.key)
    forge_epoch(
        world,
        [
            msgspec.structs.replace(sound, flags=("shadow",)),
            MarkerLeaf(sound.key, marked, world.now),
        ],
    )
    return Done({(code, sound.key) for code in ("leaf_false", "shadow", "marker")})


@row("a leaf that does not say that a version is a later one")
def hidden_shadow(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    later = world.store.add(key, world.store.get(key), world.store.first(key).metadata)
    sound = msgspec.structs.replace(true_leaf(world, key), vid=later.id, at=later.modified)
    forge_epoch(world, [msgspec.structs.replace(sound, until=later.retain_until)])
    return Done({("leaf_false", key)})


@row("a leaf that says that the key of a sound object is not the hash of its bytes")
def false_key_hash(world: SealedStore) -> Done:
    sound = _new_object(world)
    forge_epoch(world, [msgspec.structs.replace(sound, flags=("key_hash",))])
    return Done({("leaf_false", sound.key)})


@row("a leaf with an unknown flag")
def no_such_flag(world: SealedStore) -> Done:
    sound = _new_object(world)
    forge_epoch(world, [msgspec.structs.replace(sound, flags=("\x1b[2J",))])
    return Done({("leaf_false", sound.key)})


@row("a leaf that says that a version was not described, and describes it")
def false_undescribed(world: SealedStore) -> Done:
    sound = _new_object(world)
    forge_epoch(world, [msgspec.structs.replace(sound, flags=("undescribed",))])
    return Done({("leaf_false", sound.key), ("undescribed", sound.key)})


@row("a leaf that states a longer lock than its version has")
def false_lock(world: SealedStore) -> Done:
    sound = _new_object(world)
    until = (sound.until or 0) + 900 * HOUR_MS
    forge_epoch(world, [msgspec.structs.replace(sound, until=until)])
    return Done({("leaf_false", sound.key)})


@row("a plan whose clock exceeds any number that a reader accepts")
def no_instant(world: SealedStore) -> Done:
    forge_epoch(world, change=lambda first: msgspec.structs.replace(first, at=10**30))
    return Done({("plan_void", world.plan(4))})


@row("an epoch sealed under a clock years ahead: that does not make it younger")
def young_by_its_clock(world: SealedStore) -> Done:
    forge_epoch(world, change=lambda first: msgspec.structs.replace(first, at=3 * 10**14))
    world.now += 2 * HOUR_MS
    policy = msgspec.structs.replace(world.policy, head_age_ms=HOUR_MS)
    return Done({("clock_skew", world.plan(4)), ("head_stale", NAME)}, policy=policy)


@row("a plan that closes its shard in favor of one that is not of a later year")
def closed_for_good(world: SealedStore) -> Done:
    forge_epoch(world, change=lambda first: msgspec.structs.replace(first, closes="²"))
    return Done({("plan_void", world.plan(4))})


@row("keys under the log that no log has, one of them a number in non-ASCII digits")
def stray_in_the_log(world: SealedStore) -> Done:
    strays = ("log/v1/2026/plan/²", "log/v1/2026/plan/junk", "log/v2/2026/plan/000000000001")
    for stray in strays:
        world.store.add(stray, b"x")
    return Done({("stray_key", stray) for stray in strays})
