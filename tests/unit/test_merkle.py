"""RFC 6962 section 2.1: the Merkle tree hash."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree, verify_consistency

from nhi_evidence.evidence import merkle

# Leaves and roots of the reference tree of the Certificate Transparency implementation
# (google/certificate-transparency, merkletree test vectors).
LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    """The root over the first n reference leaves is the published root."""
    assert ROOTS[size - 1] == merkle.root(map(merkle.leaf_hash, LEAVES[:size])).hex()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_a_growing_tree_has_the_root_of_its_leaves(leaves: list[bytes]) -> None:
    """After every leaf, whatever the size."""
    tree = merkle.Growing()
    assert merkle.root([]) == tree.root()
    for count, leaf in enumerate(leaves, start=1):
        tree.add(leaf)
        assert merkle.root(leaves[:count]) == tree.root()


def test_empty_tree_hashes_to_the_hash_of_nothing() -> None:
    """MTH({}) = SHA-256()."""
    assert sha256(b"").digest() == merkle.root([])


def test_a_leaf_cannot_pass_for_a_node() -> None:
    """The prefixes keep leaf and node hashes apart (second preimage)."""
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.root([left, right]) != merkle.leaf_hash(left + right)


# Proofs of the same reference tree (transparency-dev/merkle, testonly: leaf counted from 1).
HASHES = {
    "a": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "b": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "c": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    "d": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "e": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "f": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "g": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "h": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "i": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
}
INCLUSION = [(1, 1, ""), (1, 8, "abc"), (6, 8, "def"), (3, 3, "g"), (2, 5, "hbd")]
CONSISTENCY = [(1, 1, ""), (1, 8, "abc"), (6, 8, "ief"), (2, 5, "bd")]


def _tree(size: int) -> tuple[list[bytes], bytes]:
    hashes = [merkle.leaf_hash(one) for one in LEAVES[:size]]
    return hashes, merkle.root(hashes)


@pytest.mark.parametrize(("leaf", "size", "names"), INCLUSION)
def test_published_inclusion_proofs(leaf: int, size: int, names: str) -> None:
    """PATH(m, D[n]) is the published one, and leads to the published root."""
    hashes, root = _tree(size)
    path = merkle.inclusion_path(leaf - 1, size, merkle.of_leaves(hashes))
    assert [HASHES[one] for one in names] == [one.hex() for one in path]
    merkle.check_inclusion(hashes[leaf - 1], leaf - 1, size, path, root)


@pytest.mark.parametrize(("old", "new", "names"), CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int, names: str) -> None:
    """PROOF(m, D[n]) is the published one, and leads from root to root."""
    hashes, root = _tree(new)
    path = merkle.consistency_path(old, new, merkle.of_leaves(hashes))
    assert [HASHES[one] for one in names] == [one.hex() for one in path]
    merkle.check_consistency(old, new, path, _tree(old)[1], root)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
@settings(deadline=None)
def test_another_implementation_agrees(entries: list[bytes], data: st.DataObject) -> None:
    """Pymerkle gives the same roots and inclusion proofs, and finds our roots consistent."""
    other = InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root(hashes[:size])
    assert other.get_root(size) == root
    path = merkle.inclusion_path(index, size, merkle.of_leaves(hashes))
    theirs = other.prove_inclusion(index + 1, size).serialize()["path"]
    assert sorted(theirs) == sorted(one.hex() for one in (*path, hashes[index]))
    old = data.draw(st.integers(1, size))
    old_root = merkle.root(hashes[:old])
    steps = merkle.consistency_path(old, size, merkle.of_leaves(hashes))
    merkle.check_consistency(old, size, steps, old_root, root)
    # Its consistency proofs are longer than RFC 6962's, so each side checks its own.
    verify_consistency(old_root, root, other.prove_consistency(old, size))


@given(st.integers(1, 40), st.data())
@settings(deadline=None)
def test_no_other_proof_verifies(size: int, data: st.DataObject) -> None:
    """I11: wrong index, length or hash, a flipped bit, a node for a leaf: each fails."""
    hashes = [merkle.leaf_hash(bytes([one])) for one in range(size)]
    root = merkle.root(hashes)
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(index, size, merkle.of_leaves(hashes))
    leaf = hashes[index]
    wrong: list[tuple[bytes, int, int, list[bytes]]] = [
        (leaf, size, size, path),
        (leaf, -1, size, path),
        (leaf, index, size, [*path, root]),
        (leaf, index, size, [one[:-1] for one in path]),
        (merkle.node_hash(leaf, leaf), index, size, path),
    ]
    wrong += [(leaf, other, size, path) for other in range(size) if other != index]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
        wrong += [
            (leaf, index, size, path[:-1]),
            (leaf, index, size, [*path[:at], flipped, *path[at + 1 :]]),
        ]
    for arguments in wrong:
        if arguments[3] == path and arguments[:3] == (leaf, index, size):
            continue
        with pytest.raises(merkle.ProofError):
            merkle.check_inclusion(*arguments, root)


SIZES = range(1, 34)


@pytest.mark.parametrize("size", SIZES)
def test_every_proof_of_a_small_tree_verifies(size: int) -> None:
    """Proofs of each leaf, and from each older tree, even the empty one and the tree itself."""
    hashes = [merkle.leaf_hash(bytes([one])) for one in range(size)]
    root, subtree = merkle.root(hashes), merkle.of_leaves(hashes)
    for index, leaf in enumerate(hashes):
        path = merkle.inclusion_path(index, size, subtree)
        merkle.check_inclusion(leaf, index, size, path, root)
    for old in range(size + 1):
        path = merkle.consistency_path(old, size, subtree)
        old_root = merkle.root(hashes[:old]) if old else merkle.EMPTY_ROOT
        merkle.check_consistency(old, size, path, old_root, root)


@pytest.mark.parametrize("size", SIZES)
def test_each_proof_error_is_named(size: int) -> None:
    """The message says whether it is too long, too short, of another length, or to another root."""
    hashes = [merkle.leaf_hash(bytes([one])) for one in range(size)]
    root, subtree = merkle.root(hashes), merkle.of_leaves(hashes)
    for index, leaf in enumerate(hashes):
        path = merkle.inclusion_path(index, size, subtree)
        included = (leaf, index, size)
        for wrong, message in _wrong_paths(path, root):
            with pytest.raises(merkle.ProofError, match=message):
                merkle.check_inclusion(*included, wrong, root)
        with pytest.raises(merkle.ProofError, match="a different root"):
            merkle.check_inclusion(*included, path, merkle.EMPTY_ROOT)
    for old in range(1, size):
        path = merkle.consistency_path(old, size, subtree)
        old_root = merkle.root(hashes[:old])
        for wrong, message in _wrong_paths(path, root):
            with pytest.raises(merkle.ProofError, match=message):
                merkle.check_consistency(old, size, wrong, old_root, root)
        for roots in ((old_root, old_root), (root, root)):
            with pytest.raises(merkle.ProofError, match="different roots"):
                merkle.check_consistency(old, size, path, *roots)


def _wrong_paths(path: list[bytes], root: bytes) -> list[tuple[list[bytes], str]]:
    wrong = [([*path, root], "too long")]
    if path:
        wrong += [(path[:-1], "too short"), ([*path[:-1], path[-1][:-1]], "hash of 31 bytes")]
    return wrong


def test_between_equal_trees_the_proof_is_empty() -> None:
    """The path is empty and the root the same; an empty tree has the root of the empty tree."""
    root = merkle.leaf_hash(b"a")
    for old, old_root in ((0, merkle.EMPTY_ROOT), (1, root)):
        merkle.check_consistency(old, 1, [], old_root, root)
        with pytest.raises(merkle.ProofError, match="too long"):
            merkle.check_consistency(old, 1, [root], old_root, root)
        with pytest.raises(merkle.ProofError, match="the same size has two roots"):
            merkle.check_consistency(old, 1, [], merkle.leaf_hash(b"b"), root)


def test_an_empty_path_does_not_prove_growth() -> None:
    """The proof from a tree that is not complete begins with a hash of its own."""
    roots = (merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b"))
    for old in (2, 3):
        with pytest.raises(merkle.ProofError, match="too short"):
            merkle.check_consistency(old, 5, [], *roots)


@pytest.mark.parametrize(("old", "new"), [(-1, 3), (4, 3)])
def test_no_proof_that_a_tree_extends_a_larger_one(old: int, new: int) -> None:
    """None can be made, and none passes."""
    root = merkle.leaf_hash(b"a")
    with pytest.raises(ValueError, match=f"a tree of {new} does not extend one of {old}"):
        merkle.consistency_path(old, new, merkle.of_leaves([root] * 4))
    with pytest.raises(merkle.ProofError, match=f"a tree of {new} does not extend one of {old}"):
        merkle.check_consistency(old, new, [], root, root)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_outside_the_tree_has_no_path(index: int) -> None:
    """None can be made, and none passes."""
    root = merkle.leaf_hash(b"a")
    with pytest.raises(ValueError, match=f"no leaf {index} in a tree of 3"):
        merkle.inclusion_path(index, 3, merkle.of_leaves([root] * 3))
    with pytest.raises(merkle.ProofError, match=f"no leaf {index} in a tree of 3"):
        merkle.check_inclusion(root, index, 3, [], root)
