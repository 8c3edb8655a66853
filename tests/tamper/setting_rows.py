"""Rows of the matrix: settings, locks, strays and objects that come late."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.evidence import keys
from tests.memory_store import DAY_MS
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR_MS, SealedStore


@row("a setting of the bucket changed between two epochs")
def config(world: SealedStore) -> Done:
    world.store.settings["policy"] = "other"
    world.store.settings["object_lock"] = "GOVERNANCE"
    world.store.add(world.key_of("ev/"), b"x", {})
    world.seal()
    key = world.key_of("ev/")
    return Done(
        {
            ("config_changed", world.plan(4)),
            ("shadow", key),
            ("key_hash", key),
        }
    )


@row("a version locked for less time than the policy requires")
def short_lock(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.add(key, world.store.get(key), world.store.first(key).metadata)
    stored = world.store.versions_by_key[key][-1]
    stored.retain_until = world.now + DAY_MS // 2
    world.seal()
    return Done({("short_lock", key), ("shadow", key)})


@row("a version encrypted with a customer's key")
def customer_key(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.add(key, world.store.get(key)).encryption = "aws:kms"
    world.seal()
    return Done({("encryption", key), ("shadow", key)})


@row("a version for which the store keeps no SHA-256")
def no_checksum(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.add(key, world.store.get(key)).checksum = False
    world.seal()
    return Done({("no_checksum", key), ("shadow", key)})


@row("a key that does not belong to the evidence or its log")
def stray(world: SealedStore) -> Done:
    world.store.add("elsewhere/x", b"x")
    world.seal()
    return Done({("stray_key", "elsewhere/x"), ("key_hash", "elsewhere/x")})


@row("a key at the root of the bucket, sealed")
def at_the_root(world: SealedStore) -> Done:
    world.store.add("x", b"x")
    world.seal()
    return Done({("stray_key", "x"), ("key_hash", "x")})


def _late(world: SealedStore, *, hours_old: int, unsealed_hours: int) -> str:
    """Put an object under an hour of so long ago; it stays unsealed for so long."""
    hour = keys.hour_of(world.now - hours_old * HOUR_MS)
    key = f"op/v1/custody/h={hour}/{sha256(b'late').hexdigest()}"
    world.store.put_new(key, b"late", metadata={})
    world.now += unsealed_hours * HOUR_MS
    return key


@row("an object under an hour ten hours old, unsealed for less than two hours")
def late_hourly(world: SealedStore) -> Done:
    _late(world, hours_old=10, unsealed_hours=1)
    return Done(set())


@row("an object under an hour ten hours old, unsealed for more than two hours")
def overdue_hourly(world: SealedStore) -> Done:
    return Done({("unsealed", _late(world, hours_old=10, unsealed_hours=3))})


@row("an object under an hour nine days old, unsealed for a day")
def late_daily(world: SealedStore) -> Done:
    _late(world, hours_old=9 * 24, unsealed_hours=24)
    return Done(set())


@row("an object under an hour nine days old, unsealed for more than a day and an hour")
def overdue_daily(world: SealedStore) -> Done:
    return Done({("unsealed", _late(world, hours_old=9 * 24, unsealed_hours=26))})


@row("an object under an hour a year old, unsealed for a week")
def late_weekly(world: SealedStore) -> Done:
    _late(world, hours_old=365 * 24, unsealed_hours=7 * 24)
    return Done(set())


@row("an object under an hour a year old, unsealed for more than a week and an hour")
def overdue_weekly(world: SealedStore) -> Done:
    return Done({("unsealed", _late(world, hours_old=365 * 24, unsealed_hours=7 * 24 + 2))})
