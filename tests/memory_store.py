"""A strict in-memory locked store, with versions, markers, locks, one fault hook and adversaries.

It fails the test itself when anything breaks the contract of the port: an empty body, a key
whose hash is not that of its body, other bytes under a known key. It behaves as S3 does: a
conditional write looks at the current version alone, so a delete marker opens a key again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import groupby

import msgspec

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.stored import Description, Receipt, Version

Fault = tuple[bool, bool]
"""Whether the write is persisted, and whether the caller is told it failed."""

DAY_MS = 86_400_000


class Stored(msgspec.Struct, kw_only=True):
    """One version, or a marker."""

    id: str
    modified: int
    body: bytes = b""
    metadata: Mapping[str, str] = {}
    marker: bool = False
    checksum: bool = True
    retain_until: int | None = None
    encryption: str | None = "AES256"
    described: bool = True


class MemoryStore:
    """An `EvidenceLog` in memory."""

    complete = True

    def __init__(
        self,
        fault: Callable[[int, str], Fault] | None = None,
        *,
        now: Callable[[], int] = lambda: 1_790_000_000_000,
        retention_ms: int = DAY_MS,
    ) -> None:
        """`fault(call number, key)` decides each write; None: all succeed."""
        self.versions_by_key: dict[str, list[Stored]] = {}
        self.calls: list[str] = []
        self.settings: dict[str, str] = {"object_lock": "COMPLIANCE"}
        self._fault = fault
        self._now = now
        self._retention_ms = retention_ms
        self._count = 0

    @property
    def objects(self) -> dict[str, bytes]:
        """The first version of every key."""
        return {key: self.get(key) for key in self.keys("")}

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """See `EvidenceWriter.put_new`."""
        assert body, f"empty body under {key}"
        if not key.startswith("log/"):
            assert sha256(body).hexdigest() in key, f"{key} does not hold the hash of its body"
        assert all(one.isascii() for pair in metadata.items() for one in pair)
        number = len(self.calls)
        self.calls.append(key)
        persisted, failed = self._fault(number, key) if self._fault else (True, False)
        current = self.versions_by_key.get(key, [])
        created = not current or current[-1].marker
        if persisted and created:
            stored = self.add(key, body, metadata)
            if retain_until is not None:
                stored.retain_until = retain_until
        if failed:
            raise StoreUnavailableError(f"{key}: injected")
        return Receipt(key, created=created)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        for key in sorted(self.versions_by_key):
            if key.startswith(prefix) and any(not one.marker for one in self.versions_by_key[key]):
                yield key

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        for stored in self.versions_by_key.get(key, []):
            if not stored.marker:
                return stored.body
        raise KeyError(key)

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`."""
        folders = {
            prefix + key[len(prefix) :].partition("/")[0] + "/"
            for key in self.versions_by_key
            if key.startswith(prefix) and "/" in key[len(prefix) :]
        }
        yield from sorted(folders)

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        """See `EvidenceVersions.level`."""
        for key, versions in groupby(self.versions(prefix), key=lambda version: version.key):
            name, slash, _ = key[len(prefix) :].partition("/")
            entry = f"{prefix}{name}{slash}"
            if entry <= after:
                continue
            after = entry
            if slash:
                yield entry
            else:
                yield from versions

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        keys = (one for one in self.versions_by_key if one.startswith(prefix) and one > after)
        for key in sorted(keys):
            stored = [one for one in self.versions_by_key[key] if not one.marker]
            for position, version in enumerate(stored):
                size = len(version.body)
                yield Version(key, version.id, version.modified, size, shadow=position > 0)
            for version in self.versions_by_key[key]:
                if version.marker:
                    yield Version(key, version.id, version.modified, marker=True)

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`."""
        for version in versions:
            stored = self._find(version.key, version.id)
            if stored is None or stored.marker:
                yield None
                continue
            if not stored.described:
                yield Description(len(stored.body), None, {}, None, None, undescribed="400")
                continue
            yield Description(
                len(stored.body),
                sha256(stored.body).hexdigest() if stored.checksum else None,
                stored.metadata,
                stored.retain_until,
                stored.encryption,
            )

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`."""
        for key, version in versions:
            stored = self._find(key, version)
            yield None if stored is None or stored.marker else stored.body

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        for key, version, size in versions:
            stored = self._find(key, version)
            yield None if stored is None or stored.marker else stored.body[:size]

    def configuration(self) -> Mapping[str, str]:
        """See `EvidenceVersions.configuration`."""
        return dict(self.settings)

    # What the owner of the bucket, or an attacker, does beside the port.

    def add(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> Stored:
        """Put a version on top of a key, whatever is there."""
        self._count += 1
        stored = Stored(
            id=f"v{self._count:06d}",
            modified=self._now(),
            body=body,
            metadata=dict(metadata or {}),
            retain_until=self._now() + self._retention_ms,
        )
        self.versions_by_key.setdefault(key, []).append(stored)
        return stored

    def mark(self, key: str) -> str:
        """Put a delete marker on a key; return its version id."""
        self._count += 1
        marker = Stored(id=f"v{self._count:06d}", modified=self._now(), marker=True)
        self.versions_by_key.setdefault(key, []).append(marker)
        return marker.id

    def remove(self, key: str, version: str | None = None) -> None:
        """Remove a version for good (or all of a key's), as nobody can before its lock ends."""
        self.versions_by_key[key] = [
            one for one in self.versions_by_key[key] if version is not None and one.id != version
        ]
        if not self.versions_by_key[key]:
            del self.versions_by_key[key]

    def first(self, key: str) -> Stored:
        """Return the version of a key that counts, to be altered by a test."""
        return next(one for one in self.versions_by_key[key] if not one.marker)

    def copy(self) -> MemoryStore:
        """Return a store with the same versions, sharing none of them."""
        other = MemoryStore(now=self._now, retention_ms=self._retention_ms)
        other.versions_by_key = {
            key: [msgspec.structs.replace(one) for one in stored]
            for key, stored in self.versions_by_key.items()
        }
        other.settings = dict(self.settings)
        other._count = self._count
        return other

    def _find(self, key: str, version: str) -> Stored | None:
        return next((one for one in self.versions_by_key.get(key, []) if one.id == version), None)
