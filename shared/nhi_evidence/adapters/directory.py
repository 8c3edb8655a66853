"""The locked store as a directory: the same contract as S3, for copies, tests and offline work.

Files are written once, read-only, and made durable before the call returns. A directory locks
nothing against whoever owns the disk; it keeps the keys, bodies and metadata of a bucket.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.event import Receipt

_METADATA = ".metadata"
_READ_ONLY = 0o444


class DirectoryStore:
    """An `EvidenceWriter` and `EvidenceReader` on a directory."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which need not exist yet."""
        self._root = root

    def put_new(self, key: str, body: bytes, *, metadata: Mapping[str, str]) -> Receipt:
        """See `EvidenceWriter.put_new`; a key with other bytes is a `StoreUnavailableError`."""
        path = self._path(key)
        try:
            if path.exists():
                return self._already(key, path, body)
            sidecar = self._root / _METADATA / f"{key}.json"
            _write_once(sidecar, msgspec.json.encode(dict(metadata), order="deterministic"))
            if not _write_once(path, body):
                return self._already(key, path, body)
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {error}") from error
        return Receipt(key, created=True)

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        found = (
            path.relative_to(self._root).as_posix()
            for path in self._root.rglob("*")
            if path.is_file() and not path.name.startswith(".partial-")
        )
        yield from sorted(
            key for key in found if key.startswith(prefix) and not key.startswith(_METADATA)
        )

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {error}") from error

    def metadata(self, key: str) -> Mapping[str, str]:
        """Return the metadata fixed with a key. Raises `KeyError` when there is none."""
        try:
            data = (self._root / _METADATA / f"{key}.json").read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None
        return msgspec.json.decode(data, type=dict[str, str])

    def _path(self, key: str) -> Path:
        path = self._root / key
        if key.startswith(("/", _METADATA)) or ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return path

    def _already(self, key: str, path: Path, body: bytes) -> Receipt:
        if path.read_bytes() != body:
            raise StoreUnavailableError(f"{key}: other bytes are stored under this key")
        return Receipt(key, created=False)


def _write_once(path: Path, body: bytes) -> bool:
    """Create a file with these bytes, durably; False when it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name[-80:]}")
    with partial.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    partial.chmod(_READ_ONLY)
    try:
        os.link(partial, path)
    except FileExistsError:
        return False
    finally:
        partial.unlink()
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True
