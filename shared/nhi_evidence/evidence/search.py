"""Finding one record in a sealed store, in an object that counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from nhi_evidence.evidence import counting, keys, log, prove
from nhi_evidence.evidence.leaf import Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look. A native id does not say; source and hour spare reading the rest."""

    source: str | None = None
    hour: str | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One record, where it is sealed."""

    shard: str
    epoch: int
    """Newest signed epoch of the shard."""
    index: int
    """Place of the object's leaf in the shard."""
    leaf: ObjectLeaf
    lines: list[bytes]
    """The lines of the object, the header first."""
    number: int
    """Place of the record among them."""
    status: counting.Status
    """What became of its unit."""


def find(
    store: EvidenceVersions,
    stored: StoredLog,
    uid: str,
    where: Where,
    progress: Callable[[str, int], None],
) -> Found | None:
    """Return the record with a native id, from an object that counts if one holds it.

    Every signed shard is searched. Raises `prove.ProveError` when an object cannot be read.
    """
    best: Found | None = None
    for shard in stored.shards():
        epoch = stored.newest_signed(shard)
        leaves = [
            (index, leaf)
            for index, leaf in _leaves(stored, shard, epoch)
            if isinstance(leaf, ObjectLeaf) and _wanted(leaf, where)
        ]
        claims = [counting.claim(index, leaf) for index, leaf in leaves]
        units = counting.count(one for one in claims if isinstance(one, counting.Claim))
        bodies = store.bodies((leaf.key, leaf.vid) for _, leaf in leaves)
        for done, ((index, leaf), body) in enumerate(zip(leaves, bodies, strict=True)):
            progress("objects", done)
            match = prove.find(body, uid) if body is not None else None
            if match is None:
                continue
            place = keys.place(leaf.key)
            unit = units[place.source, place.unit or ""]
            found = Found(
                shard=shard,
                epoch=epoch,
                index=index,
                leaf=leaf,
                lines=match[0],
                number=match[1],
                status=unit.status,
            )
            if any(one.index == index for one in unit.counted):
                return found
            best = best or found
    return best


def _wanted(leaf: ObjectLeaf, where: Where) -> bool:
    place = keys.place(leaf.key)
    return (
        place.kind == "ev"
        and isinstance(counting.claim(0, leaf), counting.Claim)
        and where.source in {None, place.source}
        and where.hour in {None, place.hour}
    )


def _leaves(stored: StoredLog, shard: str, newest: int) -> Iterator[tuple[int, Leaf]]:
    index = 0
    for epoch in range(1, newest + 1):
        if stored.checkpoint(shard, epoch) is None:
            continue
        for entry in log.entries_of(stored.plan(shard, epoch) or b""):
            yield index, decode(entry)
            index += 1
