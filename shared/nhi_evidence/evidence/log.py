"""The sealed log as a chain of plans: what each one adds, decided by its bytes alone.

A plan is the commit point of an epoch. Everything else in the epoch (tiles, bundles, the text of
its checkpoint) is derived from it, so anyone can finish the epoch, and anyone can check it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.evidence import frame, keys, merkle, tiles
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import (
    FORMAT_VERSION,
    Closed,
    Cursor,
    EpochLeaf,
    Leaf,
    MarkerLeaf,
    ObjectLeaf,
    Sweep,
    decode,
    encode,
)

PREFIX = keys.LOG_PREFIX

GENESIS = f"{PREFIX}genesis"
"""Key that names the first shard. Create-only, so that all sealers start the same log."""

MAX_LEAVES = 50_000
"""Maximum leaves of one plan; a sealer that finds more puts the rest into the next."""

MAX_PLAN_BYTES = 128 << 20
"""Maximum inflated size of a plan."""

MAX_LEAVES_BYTES = 64 << 20
"""Maximum bytes of the leaves of one plan; a sealer that finds more puts the rest into the next."""

MAX_OBJECT_BYTES = keys.LOG_OBJECT_BYTES
"""Maximum bytes read of any object of the log."""

_INDEX_BITS = 40


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """A log after some epoch: everything the next plan depends on."""

    shard: str
    origin: str
    epoch: int = 0
    plan: str | None = None
    """SHA-256 of the latest plan, hex."""
    size: int = 0
    edge: tiles.Edge = ()
    tail: tuple[bytes, ...] = ()
    """Entries of the partial bundle at the right edge."""
    follows: Closed | None = None
    """The shard this one continues."""
    closed: str | None = None
    """The shard that continues, once this one takes no more plans."""

    @property
    def root(self) -> bytes:
        """Root of the tree."""
        return tiles.edge_root(self.edge)

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this position."""
        return Checkpoint(self.origin, self.size, self.root)

    @property
    def as_closed(self) -> Closed:
        """What the first plan of the next shard states about this one."""
        return Closed(self.shard, self.epoch, self.plan or "", self.size, self.root.hex())


class Step(msgspec.Struct, frozen=True):
    """The effect of one plan on a log."""

    after: Position
    leaves: Sequence[Leaf]
    """Its entries, the epoch leaf first; empty for a void plan."""
    objects: Mapping[str, bytes]
    """Tiles and bundles of the grown tree, by path below the shard; empty for a void plan."""
    void: str | None = None
    """Why the plan is void, if it is."""

    @property
    def at(self) -> int:
        """The sealer's clock when it made the plan, milliseconds since the epoch; 0 if void."""
        first = self.leaves[0] if self.leaves else None
        return first.at if isinstance(first, EpochLeaf) else 0


def order(shard: str, index: int) -> int:
    """Return the index of a leaf in the whole log, from its shard and its index there.

    Shards are ordered by year, with a gap between them larger than any number of leaves.
    """
    return (int(shard) << _INDEX_BITS) + index


def index_of(place: int) -> int:
    """Return the index in its shard of a leaf, from its index in the whole log."""
    return place & ((1 << _INDEX_BITS) - 1)


_SHARD = re.compile(r"\d{4}", re.ASCII)

_KEY = re.compile(
    r"log/v1/(?:genesis|\d{4}/(?:(?:plan|checkpoint)/\d{12}|anchor/\d{12}/[^/]+"
    r"|tile/(?:\d{1,2}|entries)/(?:x\d{3}/)*\d{3}(?:\.p/\d{1,3})?))",
    re.ASCII,
)


def is_key(key: str) -> bool:
    """Whether a key has one of the forms used in a log."""
    return _KEY.fullmatch(key) is not None


def plan_key(shard: str, epoch: int) -> str:
    """Return the key of a plan."""
    return f"{PREFIX}{shard}/plan/{epoch:012d}"


def checkpoint_key(shard: str, epoch: int) -> str:
    """Return the key of a checkpoint."""
    return f"{PREFIX}{shard}/checkpoint/{epoch:012d}"


def anchor_key(shard: str, epoch: int, name: str) -> str:
    """Return the key of an anchor of a checkpoint."""
    return f"{PREFIX}{shard}/anchor/{epoch:012d}/{name}"


def tile_key(shard: str, path: str) -> str:
    """Return the key of a tile or bundle."""
    return f"{PREFIX}{shard}/{path}"


def lock_end(shard: str, now: int, kept_ms: int) -> int:
    """Return until when a key of a shard is locked, milliseconds since the epoch.

    It is `kept_ms`, the time sealed objects may exist, after the end of the shard's year, and at
    least that long after `now`: a shard of last year may be finished late.
    """
    year_ends = keys.hour_start(f"{int(shard) + 1:04d}010100") or 0
    return max(year_ends, now) + kept_ms


def write_plan(entries: Sequence[bytes]) -> bytes:
    """Return the body of a plan: its entries as lines, in one zstd frame."""
    return frame.pack(entries)[0]


def epoch_leaf(
    before: Position,
    *,
    at: int,
    swept: Mapping[str, Sweep],
    config: Mapping[str, str],
    more: bool = False,
    closes: str | None = None,
    until: int | None = None,
    cursors: Mapping[str, Cursor] | None = None,
) -> EpochLeaf:
    """Return the first entry of the plan that follows a position."""
    return EpochLeaf(
        v=FORMAT_VERSION,
        origin=before.origin,
        epoch=before.epoch + 1,
        at=at,
        size=before.size,
        root=before.root.hex(),
        previous=before.plan,
        swept=swept,
        config=config,
        opens=before.follows if before.epoch == 0 else None,
        more=more,
        closes=closes,
        until=until,
        cursors=cursors or {},
    )


def entries_of(body: bytes) -> list[bytes]:
    """Return the entries of a plan. Raises `ValueError` when it is not one."""
    return frame.unpack(body, limit=MAX_PLAN_BYTES)


def first_leaf(body: bytes) -> EpochLeaf | None:
    """Return the epoch leaf a plan opens with, or None when it is not a plan."""
    try:
        first = decode(entries_of(body)[0])
    except ValueError:
        return None
    return first if isinstance(first, EpochLeaf) else None


def versions_in(body: bytes) -> frozenset[tuple[str, str]]:
    """Return key and version id of each version in a plan; none if it is not a plan."""
    try:
        leaves = [decode(entry) for entry in entries_of(body)]
    except ValueError:
        return frozenset()
    return frozenset(
        (one.key, one.vid) for one in leaves if isinstance(one, ObjectLeaf | MarkerLeaf)
    )


def fits(leaf: Leaf) -> bool:
    """Whether a plan can hold an entry: within its limit, and read back as written."""
    try:
        entry = encode(leaf)
        return len(entry) <= tiles.MAX_ENTRY_BYTES and decode(entry) == leaf
    except ValueError:
        return False


def bytes_of(leaf: Leaf) -> int:
    """Return how many bytes an entry takes in a plan."""
    return len(encode(leaf)) + 1


def advance(before: Position, body: bytes) -> Step:
    """Add a plan to a log. A plan that does not follow is void, and adds nothing."""
    digest = sha256(body).hexdigest()
    passed = msgspec.structs.replace(before, epoch=before.epoch + 1, plan=digest)
    try:
        entries = entries_of(body)
        if len(entries) > MAX_LEAVES + 1:
            raise ValueError(f"{len(entries)} entries")
        leaves = [decode(entry) for entry in entries]
    except ValueError as error:
        return Step(passed, (), {}, f"not a plan: {error}"[:500])
    void = _void(before, leaves, entries)
    if void is not None:
        return Step(passed, (), {}, void)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    objects, edge = tiles.grow(before.edge, before.size, hashes)
    objects |= tiles.grow_entries(before.size, before.tail, entries)
    size = before.size + len(entries)
    tail = (*before.tail, *entries)
    after = msgspec.structs.replace(
        passed,
        size=size,
        edge=edge,
        tail=tail[len(tail) - size % tiles.WIDTH :],
        closed=leaves[0].closes if isinstance(leaves[0], EpochLeaf) else None,
    )
    return Step(after, leaves, objects)


def _void(before: Position, leaves: Sequence[Leaf], entries: Sequence[bytes]) -> str | None:
    """Return why a plan does not follow a position, or None when it does."""
    first = leaves[0]
    if before.closed is not None:
        return f"shard {before.shard} was closed"
    if not isinstance(first, EpochLeaf):
        return "does not open with an epoch leaf"
    if first.closes is not None and not (
        _SHARD.fullmatch(first.closes) and first.closes > before.shard
    ):
        return f"closes for no later shard: {first.closes[:40]!r}"
    expected = epoch_leaf(
        before,
        at=first.at,
        swept=first.swept,
        config=first.config,
        more=first.more,
        closes=first.closes,
        until=first.until,
        cursors=first.cursors,
    )
    if first != expected:
        wrong = [
            name
            for name in EpochLeaf.__struct_fields__
            if getattr(first, name) != getattr(expected, name)
        ]
        return f"does not follow epoch {before.epoch}: {', '.join(wrong)}"
    if any(len(entry) > tiles.MAX_ENTRY_BYTES for entry in entries):
        return f"an entry of more than {tiles.MAX_ENTRY_BYTES} bytes"
    seen: set[tuple[str, str]] = set()
    for leaf, entry in zip(leaves, entries, strict=True):
        if encode(leaf) != entry:
            return "an entry is not in canonical form"
        if isinstance(leaf, ObjectLeaf | MarkerLeaf):
            seen.add((leaf.key, leaf.vid))
    if len(seen) != len(leaves) - 1:
        return "contains a version twice, or a second epoch leaf"
    return None
