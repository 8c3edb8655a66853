"""What signed heads commit to, for coverage: every object leaf, with its place.

The entries of each shard are hashed and compared with the root in its newest checkpoint: an
unsigned entry is never seen here.
"""

from __future__ import annotations

from sys import intern

import msgspec

from nhi_evidence.evidence import flags, keys, signed_leaves
from nhi_evidence.evidence.leaf import EpochLeaf, ObjectLeaf
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import sound


class Head(msgspec.Struct, frozen=True):
    """The newest signed state of one shard."""

    shard: str
    origin: str
    epoch: int
    size: int
    root: str
    """Hex."""


class Placed(msgspec.Struct, frozen=True, gc=False):
    """One sealed object."""

    shard: str
    index: int
    """Index of its leaf in the shard."""
    order: int
    """Position of its leaf among those of all shards, in the order of sealing."""
    key: str
    vid: str
    locked_at: int
    """When the store received it, milliseconds since the epoch."""
    kind: str
    """`ev` or `op`."""
    source: str
    """The source, or the kind of operation: `config`, `recon`, ..."""
    hour: str
    brief: str
    """What the object is compared with (`sound.brief`)."""


class SignedLog(msgspec.Struct, frozen=True):
    """Everything that is signed, oldest first."""

    heads: tuple[Head, ...]
    placed: tuple[Placed, ...]
    at: int | None
    """The sealer's clock at the newest log epoch, in Unix milliseconds; None without any."""

    def of(self, kind: str, source: str | None = None) -> tuple[Placed, ...]:
        """Return the objects of a kind, or only those of one source."""
        return tuple(
            one for one in self.placed if one.kind == kind and source in (None, one.source)
        )


def read(stored: StoredLog) -> SignedLog:
    """Read the log. Raises `LogError` if its entries are not the signed ones."""
    heads: list[Head] = []
    placed: list[Placed] = []
    at: int | None = None
    order = 0
    for shard in stored.shards():
        epoch = stored.newest_signed(shard)
        checkpoint = stored.checkpoint(shard, epoch) if epoch else None
        if checkpoint is None:
            continue
        for index, leaf in signed_leaves.read(stored, shard, checkpoint.size, checkpoint.root):
            order += 1
            if isinstance(leaf, EpochLeaf):
                at = leaf.at
            if isinstance(leaf, ObjectLeaf) and (
                placed_leaf := placed_at(shard, index, order, leaf)
            ):
                placed.append(placed_leaf)
        heads.append(Head(shard, checkpoint.origin, epoch, checkpoint.size, checkpoint.root.hex()))
    return SignedLog(tuple(heads), tuple(placed), at)


def placed_at(shard: str, index: int, order: int, leaf: ObjectLeaf) -> Placed | None:
    """Return a leaf with its place; None for one that claims nothing.

    That is a later version of a key, and one whose key has no hour or no hash of its body.
    """
    named = keys.parse_key(leaf.key)
    if not named.hour or not named.body_sha256 or flags.SHADOW in leaf.flags:
        return None
    # A log has few distinct names, but very many leaves.
    kind, source, hour = intern(named.kind), intern(named.source), intern(named.hour)
    return Placed(
        shard, index, order, leaf.key, leaf.vid, leaf.at, kind, source, hour, sound.brief(leaf)
    )  # fmt: skip
