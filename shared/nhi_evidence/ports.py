"""What the core needs from the outside world. The comments are contracts.

Every implementation of a port passes the same contract tests (`tests/contract`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from nhi_evidence.stored import AnchorForm, Description, Receipt, Unreadable, Version


class EvidenceWriter(Protocol):
    """Writes into the locked store. Create-only: no method can change what exists."""

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """Persist `body` under `key` unless the key exists.

        `retain_until` requests a lock in COMPLIANCE mode until then, milliseconds since the epoch,
        instead of the store's default; a store that cannot lock ignores it, and reports the version
        as unlocked (`Description.retain_until`).

        When the call returns, something is durably stored under the key: by this call
        (`created`), or by an earlier one (`created` is False). Evidence keys contain the SHA-256
        of their body, so for them an existing key is success, and a repeat changes nothing; whoever
        writes a key of the log compares the existing body.

        Raises `StoreUnavailableError` when the store confirmed neither; the write may
        or may not have happened, and repeating it is safe. Bounded retries of transient faults are
        the implementation's job, not the caller's.
        """
        ...


class EvidenceReader(Protocol):
    """Reads the locked store, as an auditor does."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key under `prefix` that has a version, in byte order."""
        ...

    def get(self, key: str) -> bytes:
        """Return the bytes first stored under `key`: a later version of a key never counts.

        Raises `KeyError` when there is no such key and `StoreUnavailableError` when the
        store cannot be asked.
        """
        ...


class EvidenceVersions(EvidenceReader, Protocol):
    """Reads every version in the locked store, including shadowed and marked ones."""

    @property
    def complete(self) -> bool:
        """Whether all versions and markers are visible; a copy holds only first versions."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the distinct prefixes one segment longer than `prefix`, each ending in `/`.

        A folder counts as long as it has any version or delete marker.
        """
        ...

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield every version and delete marker under `prefix`, keys in byte order.

        For each key, versions come oldest first, then its delete markers.
        """
        ...

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """Yield the store's description of each version, in order; None where it is gone.

        A version that the store refuses to describe, while it describes others, is `undescribed`;
        raises `StoreUnavailableError` when the store is unavailable. A description includes the
        store's own checksum, so bodies are not read to hash them.
        """
        ...

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """Yield the bytes of each (key, version), in order; None where there are none.

        An implementation may read ahead, within its own limit. Raises `StoreUnavailableError` when
        the store is unavailable.
        """
        ...

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """Yield the first bytes of each (key, version), in order; the third value is their number.

        None where there is no such version; everything if it is shorter. Raises like `bodies`.
        """
        ...

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """Return the store's settings (lock, lifecycle, policy ...), by name, as text.

        A setting that cannot be read is `Unreadable`, and never omitted. Raises
        `StoreUnavailableError` when the store is unavailable.
        """
        ...


class EvidenceLog(EvidenceWriter, EvidenceVersions, Protocol):
    """What the sealer needs: every version to read, and create-only writes under `log/`."""

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        """Yield what is directly under `prefix`, in byte order, if it sorts after `after`.

        A folder is yielded as its prefix, ending in `/`; keys without a further slash as all their
        versions and delete markers, in the order of `versions`.
        """
        ...

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """See `EvidenceVersions.versions`; only keys that sort after `after`."""
        ...


class Signer(Protocol):
    """Signs checkpoints; the private key never leaves it."""

    def public_key(self) -> bytes:
        """Return the DER SubjectPublicKeyInfo: Ed25519, ECDSA on P-256, or ML-DSA-44."""
        ...

    def sign(self, text: bytes) -> bytes:
        """Return the signature over a message (the message itself, not its hash).

        Ed25519 (RFC 8032), ECDSA with SHA-256 as DER, or ML-DSA-44 (FIPS 204, pure, empty context).

        Raises `StoreUnavailableError` when the key cannot be used now.
        """
        ...

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """Return the key's settings (who may use it ...), by name, as text.

        See `EvidenceVersions.configuration`.
        """
        ...


class Witness(Protocol):
    """A party outside the evidence account that attests a checkpoint, with a time."""

    @property
    def name(self) -> str:
        """Its name, which the verifier's policy uses."""
        ...

    @property
    def form(self) -> AnchorForm:
        """The format of its attestations."""
        ...

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:
        """Return its attestation of a signed checkpoint.

        `path` gives the consistency proof from an older size, for a witness that keeps state.
        Raises `WitnessError` when it does not answer, refuses, or attests something else.
        """
        ...


class CheckpointCopy(EvidenceWriter, EvidenceReader, Protocol):
    """Another store, controlled by somebody else, that keeps copies of checkpoints."""

    @property
    def name(self) -> str:
        """Its location."""
        ...


class Clock(Protocol):
    """The wall clock."""

    def __call__(self) -> int:
        """Return the current instant, milliseconds since the epoch, UTC."""
        ...
