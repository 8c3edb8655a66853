"""C2SP tlog-tiles, and growing a tree by its right edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import merkle, tiles

LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(1500)]
MANY = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(70_000)]


def grown(sizes: list[int]) -> tuple[dict[str, bytes], tiles.Edge, int]:
    stored: dict[str, bytes] = {}
    edge: tiles.Edge = ()
    size = 0
    for step in sizes:
        new, edge = tiles.grow(edge, size, LEAVES[size : size + step])
        assert not stored.keys() & new.keys(), "a tile is written once"
        stored |= new
        size += step
    return stored, edge, size


@pytest.mark.parametrize(
    ("number", "width", "expected"),
    [
        (0, 256, "tile/0/000"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (273, 112, "tile/0/273.p/112"),
        (1000, 256, "tile/0/x001/000"),
    ],
)
def test_paths_of_the_specification(number: int, width: int, expected: str) -> None:
    """'index 1234067 will be encoded as x001/x234/067'; '.p/<W>' for partial tiles."""
    assert expected == tiles.path(0, number, width)


def test_the_example_of_the_specification() -> None:
    """'a tree of size 70,000': 273 full and one 112 wide; one full and one 17 wide; one 1 wide."""
    assert [112, 17, 1] == tiles.edge_widths(70_000)
    assert [0, 1] == tiles.edge_widths(256)
    leaves = MANY
    stored, edge = tiles.grow((), 0, leaves)
    assert merkle.root(leaves) == tiles.edge_root(edge)
    partial = {name for name in stored if ".p/" in name}
    assert {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"} == partial
    assert 273 + 1 + 3 == len(stored)
    subtree = tiles.subtree_of(70_000, stored.__getitem__)
    for index in (0, 65_535, 65_536, 69_999):
        path = merkle.inclusion_path(index, 70_000, subtree)
        merkle.check_inclusion(leaves[index], index, 70_000, path, merkle.root(leaves))
    for old in (1, 256, 65_536, 65_537, 69_999):
        path = merkle.consistency_path(old, 70_000, subtree)
        roots = (merkle.root(leaves[:old]), merkle.root(leaves))
        merkle.check_consistency(old, 70_000, path, *roots)


@given(st.lists(st.integers(0, 400), max_size=5).filter(lambda sizes: sum(sizes) <= len(LEAVES)))
def test_growth_steps_do_not_matter(steps: list[int]) -> None:
    """The tree, its right edge and every proof are the same, whatever the steps."""
    stored, edge, size = grown(steps)
    root = merkle.root(LEAVES[:size])
    assert root == tiles.edge_root(edge)
    if size:
        assert edge == tiles.read_edge(size, stored.__getitem__)
        subtree = tiles.subtree_of(size, stored.__getitem__)
        for index in {0, size // 2, size - 1}:
            path = merkle.inclusion_path(index, size, subtree)
            assert path == merkle.inclusion_path(index, size, merkle.of_leaves(LEAVES[:size]))
            merkle.check_inclusion(LEAVES[index], index, size, path, root)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=600), st.integers(0, 600))
def test_bundles_hold_the_entries(entries: list[bytes], cut: int) -> None:
    """'sequences of big-endian uint16 length-prefixed log entries', 256 to a bundle."""
    first, rest = entries[:cut], entries[cut:]
    stored = tiles.grow_entries(0, (), first)
    partial = first[len(first) - len(first) % tiles.WIDTH :]
    stored |= tiles.grow_entries(len(first), partial, rest)
    read = []
    for start in range(0, len(entries), tiles.WIDTH):
        width = min(tiles.WIDTH, len(entries) - start)
        read += tiles.unbundle(stored[tiles.path(tiles.ENTRIES, start // tiles.WIDTH, width)])
    assert entries == read


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_a_truncated_bundle_is_an_error(cut: int) -> None:
    """No entry is returned truncated."""
    with pytest.raises(ValueError, match="cut short"):
        tiles.unbundle(tiles.bundle([b"abc", b"def"])[:-cut])


def test_an_entry_too_long_is_refused() -> None:
    """The length field has 16 bits."""
    with pytest.raises(ValueError, match="does not fit"):
        tiles.bundle([b"x" * 65_536])


def test_a_wrong_tile_is_an_error() -> None:
    """A tile of another length is invalid; a missing one is a KeyError."""
    with pytest.raises(ValueError, match=r"tile/0/000\.p/3: 5 bytes"):
        tiles.read_edge(3, lambda _: b"short")
    with pytest.raises(KeyError):
        tiles.read_edge(3, dict[str, bytes]().__getitem__)


def test_entries_go_on_in_the_bundle_that_is_not_full() -> None:
    """With 300 entries the second bundle has 44; the next entries fill it and start a third."""
    entries = [b"%d" % number for number in range(600)]
    bundles = tiles.grow_entries(300, entries[256:300], entries[300:])
    assert ["tile/entries/001", "tile/entries/002.p/88"] == list(bundles)
    assert entries[256:512] == tiles.unbundle(bundles["tile/entries/001"])


@pytest.mark.parametrize("entries", [[], [b""], [b"abc", b""], [b"x" * 65_535]])
def test_an_entry_may_be_empty_or_as_long_as_its_length_can_say(entries: list[bytes]) -> None:
    """16 bits of length: from 0 to 65,535."""
    assert entries == tiles.unbundle(tiles.bundle(entries))


@pytest.mark.parametrize(
    ("start", "end", "names"),
    [
        (0, 1, {"tile/0/000"}),
        (0, 256, {"tile/1/000"}),
        (256, 512, {"tile/1/000"}),
        (512, 768 - 128, {"tile/0/002"}),
        (0, 65_536, {"tile/2/000.p/1"}),
        (0, 32_768, {"tile/1/000"}),
        (65_536, 70_000, {"tile/1/001.p/17", "tile/0/273.p/112"}),
        (69_888, 70_000, {"tile/0/273.p/112"}),
    ],
)
def test_a_subtree_is_read_from_the_highest_tiles(start: int, end: int, names: set[str]) -> None:
    """A proof of a large tree costs a few tiles, not its leaves."""
    stored, _ = tiles.grow((), 0, MANY)
    read: set[str] = set()

    def reading(name: str) -> bytes:
        read.add(name)
        return stored[name]

    assert merkle.root(MANY[start:end]) == tiles.subtree_of(70_000, reading)(start, end)
    assert names == read


def test_a_tile_of_the_wrong_length_cannot_be_in_a_proof() -> None:
    """Shortening a tile does not yield another hash."""
    with pytest.raises(ValueError, match=r"tile/0/000\.p/3: 5 bytes instead of 96"):
        tiles.subtree_of(3, lambda _: b"short")(0, 2)
