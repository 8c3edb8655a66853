"""What the core needs of the outside. The comments are contracts.

Every implementation of a port passes the same contract tests (`tests/contract`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from nhi_evidence.stored import AnchorForm, Description, Receipt, Unreadable, Version


class EvidenceWriter(Protocol):
    """Writes into the locked store. Create-only: nothing it offers can change what is there."""

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """Persist `body` under `key` unless the key exists.

        `retain_until` asks for a lock in COMPLIANCE mode until then, milliseconds since the epoch,
        in place of the store's own; a store that locks nothing leaves it out of account, and says
        so of the version (`Description.retain_until`).

        When the call returns, something is durably stored under the key: by this call
        (`created`), or by an earlier one (`created` is False). Keys of evidence hold the SHA-256
        of their body, so there "already there" is success and a repeat changes nothing; whoever
        writes a key of the log compares what is there.

        Raises `StoreUnavailableError` when the store did not confirm either; the write may
        or may not have happened, and repeating it is safe. Retrying transient faults within a
        bound is the implementation's job, not the caller's.
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
    """Reads every version of the locked store, shadowed and marked ones too."""

    @property
    def complete(self) -> bool:
        """Whether all versions and markers can be seen; a copy holds first versions alone."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the distinct prefixes one segment longer than `prefix`, each ending in `/`.

        A folder counts as long as it has any version or delete marker.
        """
        ...

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield every version and delete marker under `prefix`, keys in byte order.

        Of one key, versions come oldest first, then its delete markers.
        """
        ...

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """Yield what the store says of each version, in order; None where it is gone.

        A version the store will not describe, while it does others, is `undescribed`; raises
        `StoreUnavailableError` when it cannot be asked. The store's own checksum is part of a
        description, so nothing is read to hash it.
        """
        ...

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """Yield the bytes of each (key, version), in order; None where there are none.

        An implementation may read ahead, within a bound of its own. Raises
        `StoreUnavailableError` when the store cannot be asked.
        """
        ...

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """Yield the first bytes of each (key, version), as many as its third value says, in order.

        None where there is no such version; all of a shorter one. Raises as `bodies` does.
        """
        ...

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """Return what the store is set to (lock, lifecycle, policy ...), by name, as text.

        A setting that cannot be read is `Unreadable`, and is never left out. Raises
        `StoreUnavailableError` when the store cannot be asked.
        """
        ...


class EvidenceLog(EvidenceWriter, EvidenceVersions, Protocol):
    """What the sealer needs: every version to read, and create-only writes under `log/`."""

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        """Yield what lies directly under `prefix`, in byte order, as far as it sorts after `after`.

        A folder as its prefix, ending in `/`; every version and delete marker of a key without a
        further slash, as `versions` yields them.
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
        """Return the signature over a message, the message itself and not its hash.

        Ed25519 (RFC 8032), ECDSA with SHA-256 as DER, or ML-DSA-44 (FIPS 204, pure, empty context).

        Raises `StoreUnavailableError` when the key cannot be used now.
        """
        ...

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """Return what the key is set to (who may use it ...), by name, as text.

        See `EvidenceVersions.configuration`.
        """
        ...


class Witness(Protocol):
    """Somebody outside the evidence account who says that a checkpoint was there, and when."""

    @property
    def name(self) -> str:
        """Who it is; the verifier's policy knows it by this name."""
        ...

    @property
    def form(self) -> AnchorForm:
        """How what it says is written."""
        ...

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:
        """Return what it says of a signed checkpoint.

        `path` gives the consistency proof from an older size, for one who remembers. Raises
        `WitnessError` when it does not answer, refuses, or speaks of something else.
        """
        ...


class CheckpointCopy(EvidenceWriter, EvidenceReader, Protocol):
    """Another store, in other hands, that keeps copies of checkpoints."""

    @property
    def name(self) -> str:
        """Where it is."""
        ...


class Clock(Protocol):
    """The wall clock."""

    def __call__(self) -> int:
        """Return the current instant, milliseconds since the epoch, UTC."""
        ...
