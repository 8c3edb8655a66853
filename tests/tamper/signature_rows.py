"""Rows of the tamper matrix: the cosignature of the head, for a policy that asks for it."""

from __future__ import annotations

import msgspec

from nhi_evidence.evidence import checkpoint, note
from nhi_evidence.evidence.log_signers import LogSigners
from tests.signing import LocalCosigner
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import NAME, SealedStore


def _cosigned(world: SealedStore) -> bytes:
    """Return the newest checkpoint with the cosignature its sealer would have put."""
    signers = LogSigners(NAME, [world.signer, LocalCosigner("log")])
    head = note.split(world.store.get(world.checkpoint(3)))[0]
    return signers.sign(checkpoint.parse(head), world.now)


def _done(world: SealedStore, *expected: tuple[str, str]) -> Done:
    keys = (world.key, note.from_spki(NAME, LocalCosigner("log").public_key()))
    policy = msgspec.structs.replace(world.policy, keys=keys, require_cosignature=True)
    return Done(set(expected), policy=policy)


@row("no cosignature at the newest checkpoint, although the policy requires one")
def missing(world: SealedStore) -> Done:
    return _done(world, ("cosignature_missing", world.checkpoint(3)))


@row("the newest checkpoint cosigned, the older ones not")
def cosigned(world: SealedStore) -> Done:
    world.rewrite(world.checkpoint(3), _cosigned(world))
    return _done(world)


@row("a cosignature over another root, by the right key")
def of_another_root(world: SealedStore) -> Done:
    head = checkpoint.parse(note.split(_cosigned(world))[0])
    forged = msgspec.structs.replace(head, root=bytes(32))
    signers = LogSigners(NAME, [world.signer, LocalCosigner("log")])
    line = signers.sign(forged, world.now).decode().splitlines(keepends=True)[-1]
    own = world.store.get(world.checkpoint(3))
    world.rewrite(world.checkpoint(3), own + line.encode())
    older = ("cosignature_missing", world.checkpoint(2))
    unsealed = [("unsealed", key) for key in world.objects(3)]
    return _done(world, ("checkpoint_invalid", world.checkpoint(3)), older, *unsealed)
