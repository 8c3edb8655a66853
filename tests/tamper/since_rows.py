"""Rows of the tamper matrix: verified from a saved state, with what happened since."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nhi_evidence.evidence import leaf, log
from nhi_evidence.evidence.leaf import EpochLeaf
from nhi_evidence.evidence.verify import Policy, State
from tests.tamper import outside_rows
from tests.tamper.forged_epochs import forge_epoch
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR, HOUR_MS, NAME, SealedStore


def _state(world: SealedStore) -> State:
    state = world.verify().state
    assert state is not None
    return state


def _older(policy: Policy) -> Policy:
    """Ask for an anchor as young as the second epoch."""
    return msgspec.structs.replace(policy, anchor_age_ms=135 * 60_000)


@row("no checkpoint since a saved state, for longer than an idle log may be without one")
def stale_since(world: SealedStore) -> Done:
    policy = msgspec.structs.replace(world.policy, head_age_ms=HOUR_MS)
    return Done({("head_stale", NAME)}, since=_state(world), policy=policy)


@row("the plan of a saved state given a later clock: its age is no longer known")
def younger_plan(world: SealedStore) -> Done:
    state = _state(world)
    first, *rest = world.entries(3)
    opened = leaf.decode(first)
    assert isinstance(opened, EpochLeaf)
    later = msgspec.structs.replace(opened, at=world.now)
    world.rewrite(world.plan(3), log.write_plan([leaf.encode(later), *rest]))
    return Done({("plan_void", world.plan(3))}, since=state)


@row("a clock set back since a saved state")
def clock_since(world: SealedStore) -> Done:
    state = _state(world)
    earlier = state.at - 20 * 60_000
    forge_epoch(world, change=lambda first: msgspec.structs.replace(first, at=earlier))
    return Done({("clock_skew", world.plan(4))}, since=state)


@row("a setting of the bucket changed since a saved state")
def config_since(world: SealedStore) -> Done:
    state = _state(world)
    world.store.settings["policy"] = "other"
    world.store.settings["object_lock"] = "GOVERNANCE"
    world.store.add(f"op/v1/custody/h={HOUR}/{sha256(b'x').hexdigest()}", b"x")
    world.seal()
    return Done({("config_changed", world.plan(4))}, since=state)


@row("no recent enough anchor since a saved state, although the policy requires one")
def anchor_since(world: SealedStore) -> Done:
    state = _state(world)
    outside = outside_rows.no_anchor(world)
    return Done({("anchor_missing", world.checkpoint(3))}, since=state, policy=outside.policy)


@row("a recent anchor of an epoch before a saved state")
def anchored_before(world: SealedStore) -> Done:
    by = outside_rows.stamping()
    text = outside_rows.text_of(world, 2)
    _, policy = outside_rows.anchored(world, by.stamp(text), by, epoch=2)
    return Done(set(), since=_state(world), policy=_older(policy))


@row("a checkpoint copied to another bucket before a saved state")
def copied_before(world: SealedStore) -> Done:
    _, policy = outside_rows.copies(world, 2)
    return Done(set(), since=_state(world), policy=_older(policy))


@row("found once and fixed: what was true only at that time is not repeated from a state")
def of_the_moment(world: SealedStore) -> Done:
    policy = msgspec.structs.replace(world.policy, head_age_ms=HOUR_MS)
    state = world.verify(policy=policy).state
    world.seal()
    return Done(set(), since=state, policy=policy)


@row("an object under an hour a year old, waiting at a saved state and never sealed")
def waiting_and_old(world: SealedStore) -> Done:
    key = f"op/v1/custody/h=2025010101/{sha256(b'late').hexdigest()}"
    world.store.put_new(key, b"late", metadata={})
    state = _state(world)
    world.now += 9 * 24 * HOUR_MS
    return Done({("unsealed", key)}, since=state)
