"""A sealer that finds objects of somebody else, or of another sealer, under the log's keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import checkpoint, log
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.seal import Sealed
from nhi_evidence.stored import Receipt
from tests.memory_store import MemoryStore
from tests.sealing import NAME, World, checkpoint_key
from tests.signing import LocalSigner


def tile_key(width: int) -> str:
    return log.tile_key("2026", f"tile/0/000.p/{width}")


def test_a_tile_with_other_bytes_stops_the_sealer() -> None:
    """With foreign bytes under the key of a tile, nothing is signed."""
    world = World()
    world.write(1)
    world.store.add(tile_key(2), bytes(64))
    with pytest.raises(LogError, match="holds different bytes"):
        world.sealer().run()
    assert [] == list(world.store.keys("log/v1/2026/checkpoint/"))


def test_a_tile_with_the_same_bytes_does_not_stop_the_sealer() -> None:
    """What another run wrote for the same epoch is as good as its own."""
    world, other = World(), World()
    for each in (world, other):
        each.write(1)
    other.sealer().run()
    world.store.add(tile_key(2), other.store.get(tile_key(2)))
    assert 1 == world.sealer().run().added


def forged(world: World, epoch: int, size: int) -> None:
    """Put a checkpoint with another root, signed by the log's own key."""
    head = checkpoint.Checkpoint(f"{NAME}/2026", size, bytes(32))
    world.store.add(checkpoint_key(epoch), LogSigners(NAME, world.signers).sign(head, world.now))


def test_a_contradicting_checkpoint_stops_the_sealer() -> None:
    """It states another root than the plan gives, before the run signs anything."""
    world = World()
    world.write(1)
    forged(world, 1, 2)
    with pytest.raises(LogError, match="its plans give"):
        world.sealer().run()


def test_a_checkpoint_that_appears_meanwhile_is_compared() -> None:
    """If one appears between signing and putting, the run's own does not count as put."""
    world = World()
    world.write(1)

    class Late(LocalSigner):
        def sign(self, text: bytes) -> bytes:
            signature = super().sign(text)
            forged(world, 1, 2)
            return signature

    with pytest.raises(LogError, match="its plans give"):
        world.sealer(signers=[Late("sealer")]).run()


class Overtaken(MemoryStore):
    """A store in which another sealer commits its plan at the same moment."""

    overtake: Callable[[], object] | None = None

    def put_new(self, key: str, body: bytes, **more: Any) -> Receipt:
        overtake, self.overtake = self.overtake, None if "/plan/" in key else self.overtake
        if "/plan/" in key and overtake is not None:
            overtake()
        return super().put_new(key, body, **more)


def test_leaves_added_by_another_sealer_are_not_counted_as_its_own() -> None:
    """Of two concurrent plans one counts; the other sealer adds and flags nothing, and asks to
    rerun.
    """
    world = World()
    world.store = Overtaken(now=lambda: world.now)
    world.store.first(world.write(1)).checksum = False
    winner = world.sealer(ahead=1)
    results: list[Sealed] = []
    world.store.overtake = lambda: results.append(winner.run())
    done = world.sealer().run()
    assert [(1, {"no_checksum": 1}, 1, False)] == [
        (one.added, one.flags, one.checkpoints, one.more) for one in results
    ]
    assert (0, {}, 0, True) == (done.added, done.flags, done.checkpoints, done.more)
    assert (1, results[0].root) == (done.epoch, done.root)
    assert not world.sealer().run().more
