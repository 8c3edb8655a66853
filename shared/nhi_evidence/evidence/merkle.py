"""Merkle tree hashing and proofs of RFC 6962 section 2.1 (RFC 9162 section 2.1). Bytes in and out.

A *subtree* function gives the Merkle tree hash over the leaves `start` to `end`; the proofs below
request the hashes they need and never hold the leaves themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
HASH_BYTES = 32

EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof does not show what it claims; the message says how."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the MTH of a one-element list: SHA-256(0x00 || entry)."""
    return sha256(LEAF_PREFIX + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the MTH of two subtrees: SHA-256(0x01 || left || right)."""
    return sha256(NODE_PREFIX + left + right).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf hashes; for an empty tree, the SHA-256 of nothing.

    Level by level: pairing neighbors and carrying an odd last node up unchanged gives the
    same tree as the recursive split at the largest power of two below n.
    """
    level = list(leaves)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        carried = level[-1:] if len(level) % 2 else []
        level = [
            sha256(NODE_PREFIX + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level += carried
    return level[0]


class Growing:
    """A tree to which leaves are added one by one, keeping only the roots of full subtrees.

    There are as many of these as there are one bits in the size.
    """

    def __init__(self) -> None:
        """Start with an empty tree."""
        self._full: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        height, node = 0, leaf
        while self._full and self._full[-1][0] == height:
            node = node_hash(self._full.pop()[1], node)
            height += 1
        self._full.append((height, node))

    def root(self) -> bytes:
        """Return the Merkle tree hash over the leaves so far."""
        if not self._full:
            return EMPTY_ROOT
        node = self._full[-1][1]
        for _, left in reversed(self._full[:-1]):
            node = node_hash(left, node)
        return node


def of_leaves(leaves: Sequence[bytes]) -> Subtree:
    """Return the subtree function of leaf hashes held in memory."""
    return lambda start, end: root(leaves[start:end])


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return PATH(m, D[n]) of RFC 6962 section 2.1.1: siblings from the leaf up.

    Raises `ValueError` when the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(subtree(split, end))
            end = split
        else:
            path.append(subtree(start, split))
            start = split
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return PROOF(m, D[n]) of RFC 6962 section 2.1.2; empty for equal sizes or an empty tree.

    Raises `ValueError` when the new size is smaller than the old one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    path: list[bytes] = []
    if old in {0, new}:
        return path
    start, end, is_old_root = 0, new, True
    while end != old:
        split = start + _split(end - start)
        if old <= split:
            path.append(subtree(split, end))
            end = split
        else:
            path.append(subtree(start, split))
            start, is_old_root = split, False
    if not is_old_root:
        path.append(subtree(start, end))
    return path[::-1]


def check_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> None:
    """Check an inclusion proof by RFC 9162 section 2.1.3.2. Raises `ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    number, last, computed = index, size - 1, leaf
    for sibling in path:
        _check_hash(sibling)
        if last == 0:
            raise ProofError("inclusion path is too long")
        if number % 2 or number == last:
            computed = node_hash(sibling, computed)
            while number % 2 == 0 and number:
                number, last = number >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        number, last = number >> 1, last >> 1
    if last != 0:
        raise ProofError("inclusion path is too short")
    if computed != expected_root:
        raise ProofError("inclusion path leads to a different root")


def check_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check a consistency proof by RFC 9162 section 2.1.4.2. Raises `ProofError`."""
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} does not extend one of {old}")
    if old in {0, new}:
        _check_trivial(path, old_root, EMPTY_ROOT if old == 0 else new_root)
        return
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    if not rest:
        raise ProofError("consistency path is too short")
    number, last = old - 1, new - 1
    while number % 2:
        number, last = number >> 1, last >> 1
    from_old = from_new = rest[0]
    for sibling in rest[1:]:
        _check_hash(sibling)
        if last == 0:
            raise ProofError("consistency path is too long")
        if number % 2 or number == last:
            from_old = node_hash(sibling, from_old)
            from_new = node_hash(sibling, from_new)
            while number % 2 == 0 and number:
                number, last = number >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        number, last = number >> 1, last >> 1
    if last != 0:
        raise ProofError("consistency path is too short")
    if (from_old, from_new) != (old_root, new_root):
        raise ProofError("consistency path leads to different roots")


def _check_trivial(path: Sequence[bytes], old_root: bytes, expected: bytes) -> None:
    if path:
        raise ProofError("consistency path is too long")
    if old_root != expected:
        raise ProofError("the same size has two roots")


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hash(value: bytes) -> None:
    if len(value) != HASH_BYTES:
        raise ProofError(f"a path contains a hash of {len(value)} bytes")
