"""What the core needs of the outside. The comments are contracts.

Every implementation of a port passes the same contract tests (`tests/contract`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from nhi_evidence.event import Receipt


class EvidenceWriter(Protocol):
    """Writes into the locked store. Create-only: nothing it offers can change what is there."""

    def put_new(self, key: str, body: bytes, *, metadata: Mapping[str, str]) -> Receipt:
        """Persist `body` under `key` unless the key exists.

        When the call returns, the bytes are durably stored under the key: by this call
        (`created`), or by an earlier one (`created` is False). Every key holds the SHA-256 of
        its body, so "already there" is success and a repeat changes nothing.

        Raises `StoreUnavailableError` when the store did not confirm either; the write may
        or may not have happened, and repeating it is safe. Retrying transient faults within a
        bound is the implementation's job, not the caller's.
        """
        ...


class EvidenceReader(Protocol):
    """Reads the locked store, as an auditor does."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key under `prefix`, in byte order."""
        ...

    def get(self, key: str) -> bytes:
        """Return the bytes first stored under `key`: a later version of a key never counts.

        Raises `KeyError` when there is no such key and `StoreUnavailableError` when the
        store cannot be asked.
        """
        ...
