"""A strict in-memory locked store with one fault hook.

It fails the test itself when anything breaks the contract of the port: an empty body, a key
whose hash is not that of its body, other bytes under a known key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.event import Receipt

Fault = tuple[bool, bool]
"""Whether the write is persisted, and whether the caller is told it failed."""


class MemoryStore:
    """An `EvidenceWriter` and `EvidenceReader` in memory."""

    def __init__(self, fault: Callable[[int, str], Fault] | None = None) -> None:
        """`fault(call number, key)` decides each write; None: all succeed."""
        self.objects: dict[str, bytes] = {}
        self.calls: list[str] = []
        self._fault = fault

    def put_new(self, key: str, body: bytes, *, metadata: Mapping[str, str]) -> Receipt:
        """See `EvidenceWriter.put_new`."""
        assert body or key.startswith("src/"), f"empty body under {key}"
        digest = sha256(body).hexdigest()
        held = digest[:16] if key.endswith(".meta.json") else digest
        assert held in key, f"{key} does not hold the hash of its body"
        assert all(one.isascii() for pair in metadata.items() for one in pair)
        number = len(self.calls)
        self.calls.append(key)
        persisted, failed = self._fault(number, key) if self._fault else (True, False)
        created = key not in self.objects
        if persisted:
            assert self.objects.setdefault(key, body) == body, f"{key} changed"
        if failed:
            raise StoreUnavailableError(f"{key}: injected")
        return Receipt(key, created=created)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        return self.objects[key]
