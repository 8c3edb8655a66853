"""The tamper matrix: act, and the findings it must give. docs/verification.md prints this table."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from backports import zstd

from nhi_evidence.evidence import batch, frame, keys, leaf, log, note
from nhi_evidence.evidence.verify import Policy, State
from tests.memory_store import DAY_MS
from tests.signing import LocalSigner
from tests.tamper.sealed_store import HOUR_MS, NAME, SealedStore, header_with


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


def _flip(world: SealedStore, key: str) -> None:
    body = bytearray(world.store.get(key))
    body[len(body) // 2] ^= 1
    world.rewrite(key, bytes(body))


@row("nothing")
def nothing(_world: SealedStore) -> Done:
    return Done(set())


@row("one bit of an evidence object flipped")
def flip_evidence(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    _flip(world, key)
    return Done({("object_altered", key)})


@row("one bit of a source copy flipped")
def flip_source(world: SealedStore) -> Done:
    key = next(one for one in world.store.keys("src/") if not one.endswith(".json"))
    _flip(world, key)
    evidence = next(
        one for one in world.store.keys("ev/") if one.split("/")[4:6] == key.split("/")[4:6]
    )
    return Done({("object_altered", key), ("source_mismatch", evidence)})


@row("two evidence objects swapped")
def swap(world: SealedStore) -> Done:
    one, other = world.key_of("ev/", 0), world.key_of("ev/", 1)
    first, second = world.store.get(one), world.store.get(other)
    world.rewrite(one, second)
    world.rewrite(other, first)
    return Done({("object_altered", one), ("object_altered", other)})


@row("bytes appended after the frame of a sealed object")
def append(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.rewrite(key, world.store.get(key) + b"hidden")
    return Done({("object_altered", key)})


@row("the same lines compressed again, otherwise")
def recompress(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    world.rewrite(key, zstd.compress(b"\n".join([*lines, b""]), 19))
    return Done({("object_altered", key)})


@row("an object with bytes after its frame, written and sealed")
def sealed_with_tail(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    forged = world.forge(key, world.store.get(key) + b"hidden")
    world.seal()
    return Done({("frame_invalid", forged), ("unit_contested", _unit(key))})


@row("an object whose header counts fewer records, its record root made anew, sealed")
def lower_count(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    short = header_with(lines, n=2, kept=2)
    forged = world.forge(key, frame.pack(short), lines=short, records="2", kept="2")
    world.seal()
    return Done({("arithmetic", forged), ("unit_contested", _unit(key))})


@row("an object that names fewer left out than its header counts, sealed")
def fewer_left_out(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    more = header_with(lines, n=len(lines) + 1, out_of_scope={"human": 2}, left_out=True)
    one = [*more, batch.out_of_scope_ids_line(["11111111-2222-4333-8444-555555555555"])]
    forged = world.forge(key, frame.pack(one), lines=one, records=str(len(lines) + 1))
    world.seal()
    return Done({("arithmetic", forged), ("unit_contested", _unit(key))})


@row("an object whose header announces what was left out, and no line names it, sealed")
def no_left_out(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    none = header_with(lines, left_out=True)
    forged = world.forge(key, frame.pack(none), lines=none)
    world.seal()
    return Done({("arithmetic", forged), ("unit_contested", _unit(key))})


@row("an object whose header is not what its metadata said")
def other_header(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    other = header_with(lines, unit="trail/other.json.gz@v1")
    forged = world.forge(key, frame.pack(other), lines=other)
    world.seal()
    return Done({("header_mismatch", forged), ("unit_contested", _unit(key))})


@row("an object whose raw text was altered, its record root made anew, sealed")
def altered_raw(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    altered = [*lines[:-1], lines[-1].replace(b"eventVersion", b"EventVersion")]
    forged = world.forge(key, frame.pack(altered), lines=altered)
    world.seal()
    return Done({("raw_hash", forged), ("source_mismatch", forged), ("unit_contested", _unit(key))})


@row("an object with another record root than its lines give, sealed")
def wrong_root(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    forged = world.forge(key, frame.pack([*lines, lines[-1]]))
    world.seal()
    expected = {("record_root", forged), ("arithmetic", forged), ("source_mismatch", forged)}
    return Done(expected | {("unit_contested", _unit(key))})


@row("a delete marker put on an evidence object, sealed")
def marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.mark(key)
    world.seal()
    return Done({("marker", key)})


@row("a delete marker put on an evidence object, an hour and more before verification")
def unsealed_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.mark(key)
    world.now += 2 * 3_600_000
    return Done({("unsealed", key)})


@row("a delete marker sealed, then removed again")
def removed_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    marked = world.store.mark(key)
    world.seal()
    world.store.remove(key, marked)
    return Done({("marker", key)})


@row("a delete marker put on and removed again between two sweeps: nothing was hidden meanwhile")
def passing_marker(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.remove(key, world.store.mark(key))
    world.seal()
    return Done(set())


@row("another version laid over an evidence object")
def shadow(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    world.store.add(key, b"laid over it", world.store.first(key).metadata)
    world.seal()
    return Done({("shadow", key), ("key_hash", key), ("not_countable", key)})


@row("a key squatted before the genuine write")
def squat(world: SealedStore) -> Done:
    key = world.key_of("ev/").replace("0.json.gz", "9.json.gz")
    world.store.add(key, b"squatted", {"part": "1/1"})
    world.seal()
    return Done({("key_hash", key), ("not_countable", key)})


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
    return Done(_tiles(world, 3) | {("checkpoint_mismatch", world.checkpoint(3))})


@row("the last leaf of the newest plan dropped")
def dropped(world: SealedStore) -> Done:
    entries = world.entries(3)
    size = world.size(3) - 1
    world.rewrite(world.plan(3), log.write_plan(entries[:-1]))
    lost = leaf.decode(entries[-1])
    missing = {
        ("tile_missing", log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        for kind in ("0", "entries")
    }
    key = lost.key if isinstance(lost, leaf.ObjectLeaf) else ""
    return Done(missing | {("checkpoint_mismatch", world.checkpoint(3)), ("unsealed", key)})


@row("the newest epoch removed whole; verified for the first time")
def rolled_back(world: SealedStore) -> Done:
    return Done({("unsealed", key) for key in world.roll_back()})


@row("the newest epoch removed whole; verified from a saved state")
def rolled_back_since(world: SealedStore) -> Done:
    state = world.verify().state
    world.roll_back()
    return Done({("rolled_back", world.checkpoint(3))}, since=state)


@row("a tile replaced")
def tile(world: SealedStore) -> Done:
    key = log.tile_key("2026", f"tile/0/000.p/{world.size(3)}")
    _flip(world, key)
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
        unit = f"src/v1/aws_cloudtrail/h=unknown/{number}"
        world.store.put_new(f"{unit}/{sha256(body).hexdigest()}", body, metadata={})
    world.seal()
    key = log.tile_key("2026", "tile/0/000")
    _flip(world, key)
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
    return Done({("checkpoint_invalid", world.checkpoint(3))})


@row("a checkpoint of another log, signed by the right key")
def wrong_origin(world: SealedStore) -> Done:
    key = world.key.named("example.org/other/2026")
    size = world.size(3)
    text = f"example.org/other/2026\n{size}\n{'A' * 43}=\n"
    signed = note.write(text, [(key, world.signer.sign(text.encode()))])
    world.rewrite(world.checkpoint(3), signed)
    return Done({("checkpoint_invalid", world.checkpoint(3))})


@row("a second root of the same size, signed by the right key")
def two_roots(world: SealedStore) -> Done:
    key = world.key.named(f"{NAME}/2026")
    text = f"{NAME}/2026\n{world.size(3)}\n{'A' * 43}=\n"
    signed = note.write(text, [(key, world.signer.sign(text.encode()))])
    world.rewrite(world.checkpoint(3), signed)
    return Done({("checkpoint_mismatch", world.checkpoint(3))})


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
    unsealed = {("unsealed", one.key) for one in later if isinstance(one, leaf.ObjectLeaf)}
    return Done(unsealed | {("plan_missing", world.plan(2))})


@row("a plan that repeats the epoch before it")
def duplicate_epoch(world: SealedStore) -> Done:
    world.store.add(world.plan(4), world.store.get(world.plan(3)))
    return Done({("plan_void", world.plan(4))})


@row("a plan that is no plan")
def void_plan(world: SealedStore) -> Done:
    world.store.add(world.plan(4), b"junk")
    return Done({("plan_void", world.plan(4))})


@row("a second version laid over a plan, a tile and a checkpoint")
def shadowed_log(world: SealedStore) -> Done:
    for key in list(world.store.keys("log/")):
        world.store.add(key, b"laid over it")
        world.store.mark(key)
    return Done(set())


@row("a plan whose clock is an hour wrong")
def clock_skew(world: SealedStore) -> Done:
    world.store.first(world.plan(3)).modified += 3_600_000
    return Done({("clock_skew", world.plan(3))})


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
            ("not_countable", key),
        }
    )


@row("a version locked for less than the policy asks")
def short_lock(world: SealedStore) -> Done:
    key = world.forge(world.key_of("ev/"), world.store.get(world.key_of("ev/")) + b"")
    stored = world.store.versions_by_key[key][-1]
    stored.retain_until = world.now + DAY_MS // 2
    world.seal()
    return Done({("short_lock", key), ("shadow", key)})


@row("a version encrypted with a customer's key")
def customer_key(world: SealedStore) -> Done:
    key = world.key_of("src/")
    world.store.add(key, world.store.get(key)).encryption = "aws:kms"
    world.seal()
    return Done({("encryption", key), ("shadow", key)})


@row("a version the store keeps no SHA-256 of")
def no_checksum(world: SealedStore) -> Done:
    key = world.key_of("src/")
    world.store.add(key, world.store.get(key)).checksum = False
    world.seal()
    return Done({("no_checksum", key), ("shadow", key)})


@row("a key that belongs to nothing of ours")
def stray(world: SealedStore) -> Done:
    world.store.add("elsewhere/x", b"x")
    world.seal()
    return Done({("stray_key", "elsewhere/x"), ("key_hash", "elsewhere/x")})


@row("a key at the root of the bucket, which no sweep lists, an hour and more before verification")
def at_the_root(world: SealedStore) -> Done:
    world.store.add("x", b"x")
    world.seal()
    world.now += 2 * HOUR_MS
    return Done({("stray_key", "x"), ("unsealed", "x")})


def _late(world: SealedStore, *, hours_old: int, unsealed_hours: int) -> str:
    """Put an object under an hour of so long ago; it stays unsealed for so long."""
    hour = keys.hour_of(world.now - hours_old * HOUR_MS)
    key = f"src/v1/aws_cloudtrail/h={hour}/late/{sha256(b'late').hexdigest()}"
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


@row("half of the parts of a unit by one mapper, half by another")
def mixed_parts(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    unit = "trail/parts.json.gz@v1"
    for part, digest in ((1, "aa"), (2, "bb")):
        place = key.replace("/trail/0.json.gz@v1/", f"/{unit}.p0{part}/")
        mapper = {"version": "0.1.0", "digest": digest * 32}
        header = header_with(lines, unit=unit, part=part, parts=2, mapper=mapper)
        said = {"part": f"{part}/2", "mapper": f"0.1.0 {digest * 32}"}
        world.store.add(place, b"", world.store.first(key).metadata)
        world.forge(place, frame.pack(header), lines=header, **said)
        world.store.remove(place)
    world.seal()
    return Done({("unit_incomplete", f"aws_cloudtrail: {unit}")})


@row("the same unit delivered twice with the same bytes, by another mapper")
def duplicate(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    mapper = {"version": "9.0.0", "digest": "cd" * 32}
    newer = header_with(lines, mapper=mapper)
    world.forge(key, frame.pack(newer), lines=newer, mapper=f"9.0.0 {'cd' * 32}")
    world.seal()
    return Done(set())


@row("two objects of one unit with different source bytes")
def contested(world: SealedStore) -> Done:
    key = world.key_of("ev/")
    lines = frame.unpack(world.store.get(key), limit=1 << 30)
    other = "ab" * 32
    changed = header_with(lines, src_sha256=other, raw_sha256=other)
    said = {"src-sha256": other, "raw-sha256": other}
    world.forge(key, frame.pack(changed), lines=changed, **said)
    world.seal()
    return Done({("unit_contested", _unit(key))})


def _unit(key: str) -> str:
    return f"aws_cloudtrail: {'/'.join(key.split('/')[4:-1])}"


def _tiles(world: SealedStore, epoch: int) -> set[tuple[str, str]]:
    size = world.size(epoch)
    return {
        ("tile_altered", log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        for kind in ("0", "entries")
    }
