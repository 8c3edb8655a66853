"""Finding one record in a sealed store, in an object that counts, and making its proof bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.evidence import counting, keys, log, note, proof, prove, provider
from nhi_evidence.evidence.batch import Header
from nhi_evidence.evidence.leaf import Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look. A native id does not say; source and hour spare reading the rest."""

    source: str | None = None
    hour: str | None = None


class SealedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, where it is sealed."""

    shard: str
    sealed_in: int
    """Epoch that holds the object's leaf."""
    newest: int
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


class Search:
    """Looks through one store. What cannot be read there is named, and keeps nothing from view."""

    def __init__(
        self,
        store: EvidenceVersions,
        stored: StoredLog,
        progress: Callable[[str, int], None] = lambda _what, _done: None,
    ) -> None:
        """Search the signed shards of `stored`."""
        self._store = store
        self._stored = stored
        self._progress = progress
        self.unreadable: list[str] = []
        """Objects that are no evidence objects inside, or gone; see `verify`."""

    def find(self, uid: str, where: Where) -> SealedRecord | None:
        """Return the record with a native id, from an object that counts if one holds it."""
        best: SealedRecord | None = None
        for shard in self._stored.shards():
            newest = self._stored.newest_signed(shard)
            leaves = [
                (epoch, index, leaf)
                for epoch, index, leaf in self._leaves(shard, newest)
                if isinstance(leaf, ObjectLeaf) and _wanted(leaf, where)
            ]
            claims = [counting.claim(index, leaf) for _, index, leaf in leaves]
            units = counting.count(one for one in claims if isinstance(one, counting.Claim))
            bodies = self._store.bodies((leaf.key, leaf.vid) for _, _, leaf in leaves)
            pairs = zip(leaves, bodies, strict=True)
            for done, ((epoch, index, leaf), body) in enumerate(pairs):
                self._progress("objects", done)
                match = self._match(leaf, body, uid)
                if match is None:
                    continue
                parsed = keys.parse_key(leaf.key)
                unit = units[parsed.source, parsed.unit or ""]
                found = SealedRecord(
                    shard=shard,
                    sealed_in=epoch,
                    newest=newest,
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

    def bundle(
        self,
        found: SealedRecord,
        pinned: Sequence[note.Key],
        provider_keys: Mapping[str, bytes] | None = None,
    ) -> dict[str, bytes]:
        """Return the files of a record's proof. Raises `proof.ProveError`.

        Under the newest checkpoint somebody outside spoke of, where there is one; with what the
        provider signed of the file, where that is sealed too.
        """
        epoch = prove.anchored_epoch(self._stored, found.shard, found.sealed_in, found.newest)
        header = msgspec.json.decode(found.lines[0], type=Header)
        hour = keys.parse_key(found.leaf.key).hour or keys.UNKNOWN_HOUR
        every = (
            leaf
            for shard in self._stored.shards()
            for _, _, leaf in self._leaves(shard, self._stored.newest_signed(shard))
            if isinstance(leaf, ObjectLeaf)
        )
        return {
            **prove.record(found.lines, found.number),
            **prove.entry(self._stored, found.shard, epoch, found.index),
            **prove.anchors(self._stored, found.shard, epoch),
            **provider.find(self._store, every, header, hour, provider_keys or {}),
            proof.KEYS: prove.keys_file(pinned),
        }

    def _match(
        self, leaf: ObjectLeaf, body: bytes | None, uid: str
    ) -> tuple[list[bytes], int] | None:
        try:
            if body is None:
                raise ValueError("it is gone")
            return prove.find(body, uid)
        except ValueError as error:
            self.unreadable.append(f"{leaf.key}: {error}")
            return None

    def _leaves(self, shard: str, newest: int) -> Iterator[tuple[int, int, Leaf]]:
        """Yield epoch, index and leaf of everything signed in a shard."""
        index = 0
        for epoch in range(1, newest + 1):
            if self._stored.checkpoint(shard, epoch) is None:
                continue
            for entry in log.entries_of(self._stored.plan(shard, epoch) or b""):
                yield epoch, index, decode(entry)
                index += 1


def _wanted(leaf: ObjectLeaf, where: Where) -> bool:
    parsed = keys.parse_key(leaf.key)
    return (
        parsed.kind == "ev"
        and isinstance(counting.claim(0, leaf), counting.Claim)
        and where.source in {None, parsed.source}
        and where.hour in {None, parsed.hour}
    )
