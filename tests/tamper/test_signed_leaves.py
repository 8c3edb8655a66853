"""An entry that is stored and not signed is read by nobody who shows what is sealed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nhi_evidence.coverage import signed
from nhi_evidence.errors import LogError
from nhi_evidence.evidence import leaf, log, merkle, signed_leaves, tiles
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from tests.memory_store import MemoryStore
from tests.tamper.sealed_store import EPOCHS, NAME, SealedStore

Reader = Callable[[StoredLog], object]


def by_investigation(stored: StoredLog) -> object:
    return sealed.listed(stored, sealed.heads(stored))


def bundle_key(world: SealedStore) -> str:
    return log.tile_key("2026", tiles.path(tiles.ENTRIES, 0, world.size(EPOCHS)))


def stored_log(world: SealedStore) -> StoredLog:
    return StoredLog(world.store, NAME, (world.key,))


def test_every_signed_leaf_is_read_with_its_index() -> None:
    world = SealedStore()
    stored = stored_log(world)
    head = stored.checkpoint("2026", EPOCHS)
    assert head is not None
    expected = [leaf.decode(one) for epoch in range(1, EPOCHS + 1) for one in world.entries(epoch)]
    read = list(signed_leaves.read(stored, "2026", head.size, head.root))
    assert list(enumerate(expected)) == read


@pytest.mark.parametrize("more", [0, 1])
def test_a_log_of_several_bundles_is_read_to_its_end(more: int) -> None:
    """Whether the last bundle is full or not."""
    expected = [leaf.MarkerLeaf("ev/x", str(at), at) for at in range(2 * tiles.WIDTH + more)]
    entries = [leaf.encode(one) for one in expected]
    store = MemoryStore()
    for path, body in tiles.grow_entries(0, (), entries).items():
        store.add(log.tile_key("2026", path), body, {})
    root = merkle.root([merkle.leaf_hash(one) for one in entries])
    stored = StoredLog(store, NAME, ())
    assert list(enumerate(expected)) == list(signed_leaves.read(stored, "2026", len(entries), root))


def swapped(entries: list[bytes]) -> list[bytes]:
    return [entries[1], entries[0], *entries[2:]]


def shortened(entries: list[bytes]) -> list[bytes]:
    return entries[:-1]


def garbled(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-1], b"{}"]


@pytest.mark.parametrize("reader", [by_investigation, signed.read])
@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (swapped, "the entries of shard 2026 are not those its checkpoint signs"),
        (shortened, "{key}: {fewer} entries, not {size}"),
        (garbled, "entry {fewer} of shard 2026: "),
    ],
)
def test_entries_that_are_not_the_signed_ones_are_refused(
    reader: Reader, change: Callable[[list[bytes]], list[bytes]], refusal: str
) -> None:
    """Whoever can rewrite a tile cannot have it read; the refusal names what is wrong."""
    world = SealedStore()
    key, size = bundle_key(world), world.size(EPOCHS)
    world.rewrite(key, tiles.bundle(change(tiles.unbundle(world.store.get(key)))))
    with pytest.raises(LogError) as refused:
        reader(stored_log(world))
    assert str(refused.value).startswith(refusal.format(key=key, size=size, fewer=size - 1))


@pytest.mark.parametrize("reader", [by_investigation, signed.read])
@pytest.mark.parametrize("body", [None, b"\0"])
def test_a_bundle_that_is_gone_or_cut_off_is_named(reader: Reader, body: bytes | None) -> None:
    world = SealedStore()
    key = bundle_key(world)
    if body is None:
        world.store.remove(key)
    else:
        world.rewrite(key, body)
    with pytest.raises(LogError, match=key):
        reader(stored_log(world))
