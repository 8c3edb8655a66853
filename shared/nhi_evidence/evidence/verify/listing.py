"""The listing of a store: the log's keys stay in memory, everything else goes to a sorter.

The log is then walked from its listing, without listing the store again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from nhi_evidence.evidence import log
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Description, Unreadable, Version

_ROOT = log.PREFIX.partition("/")[0] + "/"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Version).decode


class Listing:
    """The versions of a store outside the log, in key order."""

    def __init__(self, sorter: Sorter) -> None:
        """Collect versions in `sorter`."""
        self._sorter = sorter

    def add(self, version: Version) -> None:
        """Add one version or delete marker."""
        self._sorter.add(version.key.encode(errors="surrogatepass"), _encode(version))

    def __iter__(self) -> Iterator[Version]:
        """Yield them in key order."""
        for _, value in self._sorter:
            yield _decode(value)


class ListedLog:
    """An `EvidenceVersions` whose keys under `log/` come from one listing."""

    def __init__(self, store: EvidenceVersions, versions: Iterable[Version]) -> None:
        """List from `versions`, which come in key order, and read bodies from `store`."""
        self._store = store
        self._versions: dict[str, list[Version]] = {}
        for version in versions:
            self._versions.setdefault(version.key, []).append(version)
        self._keys = sorted(self._versions)
        self.complete = store.complete

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        for key in self._under(prefix):
            if self._first(key) is not None:
                yield key

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        version = self._first(key)
        body = None
        if version is not None:
            (body,) = self._store.bodies([(key, version.id)])
        if body is None:
            raise KeyError(key)
        return body

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`."""
        last = ""
        for key in self._under(prefix):
            segment, slash, _ = key[len(prefix) :].partition("/")
            if slash and segment != last:
                last = segment
                yield f"{prefix}{segment}/"

    def versions(self, prefix: str) -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        for key in self._under(prefix):
            yield from self._versions[key]

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`."""
        return self._store.describe(versions)

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`."""
        return self._store.bodies(versions)

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        return self._store.beginnings(versions)

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `EvidenceVersions.configuration`."""
        return self._store.configuration()

    def _under(self, prefix: str) -> Iterator[str]:
        for position in range(bisect_left(self._keys, prefix), len(self._keys)):
            if not self._keys[position].startswith(prefix):
                return
            yield self._keys[position]

    def _first(self, key: str) -> Version | None:
        versions = self._versions.get(key, ())
        return next((version for version in versions if not version.marker), None)


def list_once(
    store: EvidenceVersions,
    sorter: Sorter,
    progress: Callable[[int], None] = lambda _count: None,
) -> tuple[ListedLog, Listing]:
    """List a store once; return its log, and everything else.

    The log comes first: whatever is older than a plan in it is then listed, too, and so is known
    to be sealed or not. A later verification relies on that (`Unsealed`).
    """
    listing = Listing(sorter)
    of_log = list(store.versions(_ROOT))
    for count, version in enumerate(store.versions(""), start=1):
        if not version.key.startswith(_ROOT):
            listing.add(version)
        progress(count)
    return ListedLog(store, of_log), listing
