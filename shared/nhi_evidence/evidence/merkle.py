"""Merkle tree hashing of RFC 6962 section 2.1 (RFC 9162 section 2.1.1). Bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """MTH of a one-element list: SHA-256(0x00 || entry)."""
    return sha256(LEAF_PREFIX + entry).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """Merkle tree hash over leaf hashes; the empty tree hashes to SHA-256 of nothing.

    Level by level: pairing neighbours and carrying an odd last node up unchanged gives the
    same tree as the recursive split at the largest power of two below n.
    """
    level = list(leaves)
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        carried = level[-1:] if len(level) % 2 else []
        level = [
            sha256(NODE_PREFIX + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level += carried
    return level[0]
