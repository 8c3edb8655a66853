"""The leaves of a log and the versions of a store, merged by key in one pass over both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import msgspec

from nhi_evidence.evidence import flags, leaf
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify.report import Part
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.stored import Version

_INDEX_BYTES = 8
_FOLDERS = len(("ev", "v1", "source", "hour"))


class Entries:
    """The leaves of a log with their places, in key order."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect leaves in `sorter`."""
        self._sorter = sorter

    def add(self, index: int, entry: Leaf) -> None:
        """Add the leaf at a place; epoch leaves are skipped, as they describe no version."""
        if isinstance(entry, EpochLeaf):
            return
        value = index.to_bytes(_INDEX_BYTES) + leaf.encode(entry)
        self._sorter.add(entry.key.encode(errors="surrogatepass"), value)

    def __iter__(self) -> Iterator[tuple[int, ObjectLeaf | MarkerLeaf]]:
        """Yield each place and leaf, by key and then by place."""
        for _, value in self._sorter:
            entry = leaf.decode(value[_INDEX_BYTES:])
            if not isinstance(entry, EpochLeaf):
                yield int.from_bytes(value[:_INDEX_BYTES]), entry


class OfKey(msgspec.Struct):
    """Everything sealed and listed under one key."""

    key: str
    sealed: list[tuple[int, ObjectLeaf | MarkerLeaf]] = msgspec.field(default_factory=list)
    listed: list[Version] = msgspec.field(default_factory=list)

    def expires_at(self, grace_ms: int) -> int:
        """Return when lifecycle may leave a marker on it at the earliest, as far as is sealed."""
        leaves = (each for _, each in self.sealed if isinstance(each, ObjectLeaf))
        ends = [leaf.until for leaf in leaves if leaf.until is not None]
        return max(ends) + grace_ms - flags.LOCK_SLACK_MS if ends else 0


def merge(
    entries: Iterable[tuple[int, ObjectLeaf | MarkerLeaf]], listing: Iterable[Version]
) -> Iterator[OfKey]:
    """Yield what is sealed and what is listed, key by key; both inputs come in key order."""
    sealed, listed = iter(entries), iter(listing)
    entry, version = next(sealed, None), next(listed, None)
    while entry is not None or version is not None:
        # A sealer may have signed an empty key, which is false.
        own = [] if entry is None else [entry[1].key]
        keys = own if version is None else [*own, version.key]
        group = OfKey(min(keys, key=_order))
        while entry is not None and entry[1].key == group.key:
            group.sealed.append(entry)
            entry = next(sealed, None)
        while version is not None and version.key == group.key:
            group.listed.append(version)
            version = next(listed, None)
        yield group


def _order(key: str) -> bytes:
    return key.encode(errors="surrogatepass")


def folder(key: str) -> str:
    """Return the source hour of a key, `ev/v1/<source>/h=<hour>`, or as much of it as there is."""
    return "/".join(key.split("/")[:_FOLDERS][: max(1, key.count("/"))])


def is_in(part: Part | None, key: str) -> bool:
    """Whether a key belongs to a part; all keys of a source hour belong to the same one."""
    if part is None:
        return True
    return order(b"", folder(key)) % part.of == part.number - 1


def order(seed: bytes, *names: str) -> int:
    """Return the rank of a name in a pseudorandom order, by a hash keyed with `seed`."""
    text = "\0".join(names).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, key=seed[:64], digest_size=8).digest())
