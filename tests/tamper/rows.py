"""The tamper matrix: act, and the findings it must give. docs/verification.md prints this table."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

import msgspec

from nhi_evidence.evidence import leaf, log, note
from nhi_evidence.evidence.verify import Policy, State
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner
from tests.tamper.sealed_store import HOUR, HOUR_MS, NAME, SealedStore


class Done(NamedTuple):
    """What an act gives to expect."""

    expected: set[tuple[str, str]]
    """Code and key of every finding."""
    since: State | None = None
    policy: Policy | None = None


class Row(NamedTuple):
    """One act."""

    text: str
    do: Callable[[SealedStore], Done]


ROWS: list[Row] = []


def row(text: str) -> Callable[[Callable[[SealedStore], Done]], Callable[[SealedStore], Done]]:
    """Put an act into the matrix."""

    def put(do: Callable[[SealedStore], Done]) -> Callable[[SealedStore], Done]:
        ROWS.append(Row(text, do))
        return do

    return put


def flip(world: SealedStore, key: str) -> None:
    """Flip one bit in the middle of what is stored under a key."""
    body = bytearray(world.store.get(key))
    body[len(body) // 2] ^= 1
    world.rewrite(key, bytes(body))


@row("nothing")
def nothing(_world: SealedStore) -> Done:
    return Done(set())


@row("a delete marker put on an evidence object, sealed")
def marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.mark(key)
    world.seal()
    return Done({("marker", key)})


@row("a delete marker put on an evidence object, two hours and more before verification")
def unsealed_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.mark(key)
    world.now += 3 * HOUR_MS
    return Done({("unsealed", key)})


@row("a delete marker sealed, then removed again")
def removed_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    marked = world.store.mark(key)
    world.seal()
    world.store.remove(key, marked)
    return Done({("marker", key)})


@row("a delete marker added and removed again between two sweeps: nothing stays hidden")
def passing_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.remove(key, world.store.mark(key))
    world.seal()
    return Done(set())


@row("a second version written over an evidence object")
def shadow(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.add(key, b"laid over it", world.store.first(key).metadata)
    world.seal()
    return Done({("shadow", key), ("key_hash", key)})


@row("other bytes put under a key of evidence before the genuine ones")
def occupied(world: SealedStore) -> Done:
    key = f"{world.key_of('ev/').rpartition('/')[0]}/{'ab' * 32}.ndjson.zst"
    world.store.add(key, b"occupied", {"root": "00" * 32})
    world.seal()
    return Done({("key_hash", key)})


@row("other bytes put under the key of an object before the object itself")
def occupied_first(world: SealedStore) -> Done:
    edited = world.edit(world.key_of("ev/"))
    edited.header["codec"] = "other"
    edited.units[:] = edited.units[:1]
    edited.units[0].rename(f"trail/laid-over@1!h={HOUR}")
    edited.reroot()
    key = edited.key(world.key_of("ev/"))
    world.store.add(key, b"occupied", edited.metadata())
    world.store.add(key, edited.body(), edited.metadata())
    world.seal()
    return Done({("key_hash", key), ("shadow", key)})


@row("a version removed before its lock ended")
def removed_early(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.remove(key)
    return Done({("object_missing", key)})


@row("a version removed after its lock, before the grace ended")
def removed_in_grace(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.remove(key)
    world.now += DAY_MS + 3_600_000
    return Done({("gone_early", key)})


@row("a version removed after lock and grace")
def removed_by_policy(world: SealedStore) -> Done:
    world.store.remove(world.key_of("ev/"))
    world.now += 2 * DAY_MS + 3_600_000
    return Done(set())


@row("the leaves of a plan reordered")
def reordered(world: SealedStore) -> Done:
    first, *rest = world.entries(3)
    world.rewrite(world.plan(3), log.write_plan([first, *reversed(rest)]))
    expected = _tiles(world, 3) | {("checkpoint_mismatch", world.checkpoint(3))}
    return Done(expected | _unsealed(world, 3))


@row("the last leaf of the newest plan dropped")
def dropped(world: SealedStore) -> Done:
    entries = world.entries(3)
    size = world.size(3) - 1
    unsealed = _unsealed(world, 3)
    world.rewrite(world.plan(3), log.write_plan(entries[:-1]))
    missing = {
        ("tile_missing", log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        for kind in ("0", "entries")
    }
    return Done(missing | unsealed | {("checkpoint_mismatch", world.checkpoint(3))})


@row("the newest epoch removed completely; verified for the first time")
def rolled_back(world: SealedStore) -> Done:
    return Done({("unsealed", key) for key in world.roll_back()})


@row("the newest epoch removed completely; verified from a saved state")
def rolled_back_since(world: SealedStore) -> Done:
    state = world.verify().state
    world.roll_back()
    return Done({("rolled_back", world.checkpoint(3))}, since=state)


@row("a tile replaced")
def tile(world: SealedStore) -> Done:
    key = log.tile_key("2026", f"tile/0/000.p/{world.size(3)}")
    flip(world, key)
    return Done({("tile_altered", key)})


@row("a tile removed")
def no_tile(world: SealedStore) -> Done:
    key = log.tile_key("2026", f"tile/0/000.p/{world.size(2)}")
    world.store.remove(key)
    return Done({("tile_missing", key)})


@row("a full tile of a larger log replaced")
def full_tile(world: SealedStore) -> Done:
    for number in range(300):
        body = b"%d" % number
        key = f"op/v1/custody/h=unknown/{sha256(body).hexdigest()}"
        world.store.put_new(key, body, metadata={})
    world.seal()
    key = log.tile_key("2026", "tile/0/000")
    flip(world, key)
    return Done({("tile_altered", key)})


@row("an entry bundle cut short")
def bundle(world: SealedStore) -> Done:
    key = log.tile_key("2026", f"tile/entries/000.p/{world.size(3)}")
    world.rewrite(key, world.store.get(key)[:-5])
    return Done({("tile_altered", key)})


@row("a checkpoint of the same size with another root, signed by another key")
def forged_checkpoint(world: SealedStore) -> Done:
    other = LocalSigner("other")
    key = note.from_spki(f"{NAME}/2026", other.public_key())
    text = f"{NAME}/2026\n{world.size(3)}\n{'A' * 43}=\n"
    world.rewrite(world.checkpoint(3), note.write(text, [(key, other.sign(text.encode()))]))
    return Done({("checkpoint_invalid", world.checkpoint(3))} | _unsealed(world, 3))


@row("a checkpoint of another log, signed by the right key")
def wrong_origin(world: SealedStore) -> Done:
    key = world.key.named("example.org/other/2026")
    size = world.size(3)
    text = f"example.org/other/2026\n{size}\n{'A' * 43}=\n"
    signed = note.write(text, [(key, world.signer.sign(text.encode()))])
    world.rewrite(world.checkpoint(3), signed)
    return Done({("checkpoint_invalid", world.checkpoint(3))} | _unsealed(world, 3))


@row("a second root of the same size, signed by the right key")
def two_roots(world: SealedStore) -> Done:
    key = world.key.named(f"{NAME}/2026")
    text = f"{NAME}/2026\n{world.size(3)}\n{'A' * 43}=\n"
    signed = note.write(text, [(key, world.signer.sign(text.encode()))])
    world.rewrite(world.checkpoint(3), signed)
    return Done({("checkpoint_mismatch", world.checkpoint(3))} | _unsealed(world, 3))


@row("signature lines of unknown keys added to a checkpoint")
def extra_signatures(world: SealedStore) -> Done:
    body = world.store.get(world.checkpoint(3))
    extra = "— example.org/witness AAAAAAAAAAAA\n".encode()
    world.rewrite(world.checkpoint(3), body + extra)
    return Done(set())


@row("a checkpoint removed")
def no_checkpoint(world: SealedStore) -> Done:
    world.store.remove(world.checkpoint(2))
    return Done({("checkpoint_missing", world.checkpoint(2))})


@row("the newest checkpoint removed, an hour after its plan")
def no_newest_checkpoint(world: SealedStore) -> Done:
    world.store.remove(world.checkpoint(3))
    return Done({("checkpoint_overdue", world.checkpoint(3))} | _unsealed(world, 3))


@row("every checkpoint removed: nothing is sealed")
def no_checkpoints(world: SealedStore) -> Done:
    unsealed = {pair for epoch in (1, 2, 3) for pair in _unsealed(world, epoch)}
    expected = {("checkpoint_missing", world.checkpoint(epoch)) for epoch in (1, 2)}
    for epoch in (1, 2, 3):
        world.store.remove(world.checkpoint(epoch))
    newest = world.checkpoint(3)
    return Done(unsealed | expected | {("checkpoint_overdue", newest), ("log_unsigned", newest)})


@row("a log without a new checkpoint for longer than an idle log may be")
def stale_head(world: SealedStore) -> Done:
    policy = msgspec.structs.replace(world.policy, head_age_ms=HOUR_MS)
    return Done({("head_stale", NAME)}, policy=policy)


@row("another log with the same key and size shown to a second verifier")
def split_view(world: SealedStore) -> Done:
    state = world.verify().state
    if state is None:
        raise AssertionError("a sealed store has a state")
    other = State(state.name, state.shard, state.epoch, state.size, "00" * 32, state.at)
    return Done({("split_view", world.checkpoint(3))}, since=other)


@row("a plan removed from the middle")
def missing_epoch(world: SealedStore) -> Done:
    later = [leaf.decode(entry) for epoch in (2, 3) for entry in world.entries(epoch)]
    world.store.remove(world.plan(2))
    unsealed = {("unsealed", entry.key) for entry in later if isinstance(entry, leaf.ObjectLeaf)}
    return Done(unsealed | {("plan_missing", world.plan(2))})


@row("a plan that repeats the epoch before it")
def duplicate_epoch(world: SealedStore) -> Done:
    world.store.add(world.plan(4), world.store.get(world.plan(3)))
    return Done({("plan_void", world.plan(4))})


@row("a plan that is not a plan")
def void_plan(world: SealedStore) -> Done:
    world.store.add(world.plan(4), b"junk")
    return Done({("plan_void", world.plan(4))})


@row("a second version written over a plan, a tile and a checkpoint")
def shadowed_log(world: SealedStore) -> Done:
    for key in list(world.store.keys("log/")):
        world.store.add(key, b"laid over it")
        world.store.mark(key)
    return Done(set())


@row("a plan whose clock is an hour wrong")
def clock_skew(world: SealedStore) -> Done:
    world.store.first(world.plan(3)).modified += 3_600_000
    return Done({("clock_skew", world.plan(3))})


def _unsealed(world: SealedStore, epoch: int) -> set[tuple[str, str]]:
    """What an epoch without a valid checkpoint seals counts for nobody."""
    return {("unsealed", key) for key in world.objects(epoch)}


def _tiles(world: SealedStore, epoch: int) -> set[tuple[str, str]]:
    size = world.size(epoch)
    return {
        ("tile_altered", log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        for kind in ("0", "entries")
    }
