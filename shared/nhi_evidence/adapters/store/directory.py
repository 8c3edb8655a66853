"""The locked store as a directory: the same contract as S3, for copies, tests and offline work.

Files are written once, read-only, and made durable before the call returns. A directory locks
nothing against whoever owns the disk; it keeps keys, bodies, and what a bucket said of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.stored import Description, Receipt, Unreadable, Version

_BESIDE = ".metadata"
_PARTIAL = ".partial-"
_READ_ONLY = 0o444
_UNVERSIONED = "null"
"""The version id S3 gives where there are no versions."""


class _Beside(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a store says of a file, beside it."""

    metadata: Mapping[str, str]
    modified: int
    size: int
    sha256: str | None = None
    version: str = _UNVERSIONED
    retain_until: int | None = None
    encryption: str | None = None


class DirectoryStore:
    """An `EvidenceLog` on a directory. It holds one version of each key, the first."""

    complete = False

    def __init__(self, root: Path) -> None:
        """Use `root`, which need not exist yet."""
        self._root = root

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,  # noqa: ARG002 a directory locks nothing
    ) -> Receipt:
        """See `EvidenceWriter.put_new`.

        A directory locks nothing, so a lock that is asked for is not put on record either. Other
        bytes under a key of evidence are a `StoreUnavailableError`; a key of the log is
        for its writer to compare.
        """
        return self._put(key, body, None, dict(metadata))

    def keep(self, version: Version, said: Description, body: bytes) -> Receipt:
        """Copy a version from another store, with all that store says of it."""
        beside = _Beside(
            said.metadata,
            version.modified,
            said.size,
            said.sha256,
            version.id,
            said.retain_until,
            said.encryption,
        )
        return self._put(version.key, body, beside, {})

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        folder = self._root / prefix.rpartition("/")[0]
        if folder.is_dir():
            yield from sorted(key for key in self._below(folder) if key.startswith(prefix))
        return

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(key) from None
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {error}") from error

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`."""
        folder = self._root / prefix
        if folder.is_dir():
            found = (one.name for one in folder.iterdir() if one.is_dir())
            yield from sorted(f"{prefix}{name}/" for name in found if name != _BESIDE)

    def versions(self, prefix: str) -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        for key in self.keys(prefix):
            beside = self._beside(key)
            yield Version(key, beside.version, beside.modified, beside.size)

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`."""
        for version in versions:
            if version.marker or not self._path(version.key).is_file():
                yield None
                continue
            said = self._beside(version.key)
            yield Description(
                said.size, said.sha256, said.metadata, said.retain_until, said.encryption
            )

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`. A copy has one version of a key, whatever its id."""
        for key, _ in versions:
            try:
                yield self.get(key)
            except KeyError:
                yield None

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceTables.beginnings`."""
        for key, _, size in versions:
            try:
                with self._path(key).open("rb") as file:
                    yield file.read(size)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                yield None
            except OSError as error:
                raise StoreUnavailableError(f"{key}: {error}") from error

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `EvidenceVersions.configuration`: a directory is set to nothing."""
        return {}

    def _put(
        self, key: str, body: bytes, beside: _Beside | None, metadata: dict[str, str]
    ) -> Receipt:
        path = self._path(key)
        try:
            if path.exists():
                return self._already(key, path, body)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name[-80:]}")
            _write(partial, body)
            if beside is None:
                taken = partial.stat().st_mtime_ns // 1_000_000
                beside = _Beside(metadata, taken, len(body), sha256(body).hexdigest())
            _write_once(
                self._root / _BESIDE / f"{key}.json",
                msgspec.json.encode(beside, order="deterministic"),
            )
            if not _link(partial, path):
                return self._already(key, path, body)
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {error}") from error
        return Receipt(key, created=True, version=beside.version)

    def _below(self, folder: Path) -> Iterator[str]:
        for place, folders, files in os.walk(folder):
            if Path(place) == self._root and _BESIDE in folders:
                folders.remove(_BESIDE)
            inside = Path(place).relative_to(self._root).as_posix()
            start = "" if inside == "." else f"{inside}/"
            yield from (start + name for name in files if not name.startswith(_PARTIAL))

    def _beside(self, key: str) -> _Beside:
        """Return what stands beside a file; of one that was put there by hand, its own facts."""
        try:
            data = (self._root / _BESIDE / f"{key}.json").read_bytes()
            return msgspec.json.decode(data, type=_Beside)
        except FileNotFoundError:
            found = self._path(key).stat()
            return _Beside({}, found.st_mtime_ns // 1_000_000, found.st_size)
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreUnavailableError(f"{_BESIDE}/{key}.json: {error}") from error

    def _path(self, key: str) -> Path:
        path = self._root / key
        if key.startswith(("/", _BESIDE)) or ".." in key.split("/"):
            raise ValueError(f"not a key: {key!r}")
        return path

    def _already(self, key: str, path: Path, body: bytes) -> Receipt:
        if not key.startswith("log/") and path.read_bytes() != body:
            raise StoreUnavailableError(f"{key}: other bytes are stored under this key")
        return Receipt(key, created=False)


def _write(path: Path, body: bytes) -> None:
    with path.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(_READ_ONLY)


def _write_once(path: Path, body: bytes) -> bool:
    """Create a file with these bytes, durably; False when it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{_PARTIAL}{os.getpid()}-{path.name[-80:]}")
    _write(partial, body)
    return _link(partial, path)


def _link(partial: Path, path: Path) -> bool:
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
