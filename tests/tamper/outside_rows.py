"""Rows of the matrix about what somebody outside says: time stamps, cosignatures, copies."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import msgspec

from nhi_evidence.evidence import anchor, log
from nhi_evidence.evidence.anchor import Trust
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.stored import AnchorForm
from tests.memory_store import MemoryStore
from tests.outsiders import Stamping
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import SealedStore

TSA = "tsa.example"
MINUTE_MS = 60_000


@cache
def stamping(*, expired: bool = False) -> Stamping:
    return Stamping(Path(tempfile.mkdtemp(prefix="nhi-evidence-tsa-")), expired=expired)


def text_of(world: SealedStore, epoch: int) -> bytes:
    head, _, _ = world.store.get(world.checkpoint(epoch)).rpartition(b"\n\n")
    return head + b"\n"


def anchored(
    world: SealedStore, stamp: bytes, by: Stamping, *, epoch: int = 3, required: int = 1
) -> tuple[str, Policy]:
    """Put a time stamp beside a checkpoint; return its key, and a policy that asks for one."""
    key = log.anchor_key("2026", epoch, anchor.file_name(TSA, AnchorForm.TIMESTAMP))
    world.store.put_new(key, stamp, metadata={})
    trust = anchor.authority(TSA, by.roots)
    return key, _asking(world, trust, required=required)


def _asking(world: SealedStore, *trusts: Trust, required: int = 1) -> Policy:
    return msgspec.structs.replace(
        world.policy, trusts=trusts, anchors_required=required, anchor_age_ms=129 * MINUTE_MS
    )


@row("the newest checkpoint stamped by a time-stamping authority that the policy names")
def stamped(world: SealedStore) -> Done:
    by = stamping()
    _, policy = anchored(world, by.stamp(text_of(world, 3)), by)
    return Done(set(), policy=policy)


@row("a time stamp of another digest")
def other_digest(world: SealedStore) -> Done:
    by = stamping()
    key, policy = anchored(world, by.stamp(text_of(world, 2)), by)
    return Done({("anchor_invalid", key), ("anchor_missing", world.checkpoint(3))}, policy=policy)


@row("a time stamp whose chain had expired when it was made")
def expired_chain(world: SealedStore) -> Done:
    by = stamping(expired=True)
    key, policy = anchored(world, by.stamp(text_of(world, 3)), by)
    return Done({("anchor_invalid", key), ("anchor_missing", world.checkpoint(3))}, policy=policy)


@row("a time stamp by an authority of the same name with other roots")
def other_roots(world: SealedStore) -> Done:
    other = stamping(expired=True)
    key, policy = anchored(world, stamping().stamp(text_of(world, 3)), other)
    return Done({("anchor_invalid", key), ("anchor_missing", world.checkpoint(3))}, policy=policy)


@row("no anchor, although the policy requires one")
def no_anchor(world: SealedStore) -> Done:
    trust = anchor.authority(TSA, stamping().roots)
    return Done({("anchor_missing", world.checkpoint(3))}, policy=_asking(world, trust))


@row("a checkpoint sealed under a clock years ahead of the time stamp")
def ahead_of_its_stamp(world: SealedStore) -> Done:
    world.now = 4_000_000_000_000
    world.store.put_new(f"op/v1/custody/h=unknown/{SHA_OF_X}", b"x", metadata={})
    world.seal()
    shard = "2096"
    by = stamping()
    checkpoint = log.checkpoint_key(shard, 1)
    head, _, _ = world.store.get(checkpoint).rpartition(b"\n\n")
    key = log.anchor_key(shard, 1, anchor.file_name(TSA, AnchorForm.TIMESTAMP))
    world.store.put_new(key, by.stamp(head + b"\n"), metadata={})
    policy = _asking(world, anchor.authority(TSA, by.roots))
    return Done({("clock_skew", key)}, policy=policy)


def copies(world: SealedStore, *epochs: int) -> tuple[MemoryStore, Policy]:
    elsewhere = MemoryStore()
    for epoch in epochs:
        key = world.checkpoint(epoch)
        elsewhere.put_new(key, world.store.get(key), metadata={})
    policy = msgspec.structs.replace(
        world.policy,
        copies=(("elsewhere", elsewhere),),
        anchors_required=1,
        anchor_age_ms=129 * MINUTE_MS,
    )
    return elsewhere, policy


@row("checkpoints copied to another bucket, as they are")
def copied(world: SealedStore) -> Done:
    return Done(set(), policy=copies(world, 1, 3)[1])


@row("the log forked after a checkpoint was copied to another bucket")
def forked(world: SealedStore) -> Done:
    _, policy = copies(world, 2, 3)
    removed = world.objects(3)[-1]
    for key in [key for key in world.store.keys("log/") if _belongs_to(key, 3, world)]:
        world.store.remove(key)
    world.store.remove(removed)
    world.seal()
    expected = {("copy_differs", world.checkpoint(3)), ("anchor_missing", world.checkpoint(3))}
    return Done(expected, policy=policy)


@row("the log rolled back behind a checkpoint copied to another bucket")
def rolled_back_behind_copy(world: SealedStore) -> Done:
    _, policy = copies(world, 3)
    unsealed = world.roll_back()
    expected = {("rolled_back", world.checkpoint(3)), ("anchor_missing", world.checkpoint(2))}
    return Done(expected | {("unsealed", key) for key in unsealed}, policy=policy)


def _belongs_to(key: str, epoch: int, world: SealedStore) -> bool:
    size = world.size(epoch)
    return key in {world.plan(epoch), world.checkpoint(epoch)} or key.endswith(f".p/{size}")


SHA_OF_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
