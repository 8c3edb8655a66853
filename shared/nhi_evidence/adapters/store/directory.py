"""The locked store as a directory: the same contract as S3, for copies, tests and offline work.

Files are written once, read-only, and are durable before the call returns. A directory locks
nothing against the owner of the disk; it keeps keys, bodies, and a bucket's descriptions of them.
A directory that is read may have been made by anyone: see `plain_files`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

from nhi_evidence.adapters.store import plain_files
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import log
from nhi_evidence.evidence.objects import MAX_BODY_BYTES
from nhi_evidence.stored import Description, Receipt, Unreadable, Version

_BESIDE = ".metadata"
_PARTIAL = ".partial-"
_READ_ONLY = 0o444
_UNWRITABLE = frozenset(
    {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EILSEQ, errno.EINVAL}
)
"""Errors due to the key alone: its name, or a file where it needs a folder."""

_UNVERSIONED = "null"
"""The version id S3 gives without versioning."""


_LATEST_MS = 253_402_300_800_000
"""The end of the calendar."""

_LOG = log.PREFIX.partition("/")[0] + "/"


_BESIDE_BYTES = 1 << 20

_Size = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
_Instant = Annotated[int, msgspec.Meta(ge=0, lt=_LATEST_MS)]


class UnwritableKeyError(StoreUnavailableError):
    """A directory cannot hold a file under this key; the message says why. Nothing was written."""


class OtherBytesError(StoreUnavailableError):
    """The directory holds different bytes under this key, which are left alone."""


class _Beside(msgspec.Struct, frozen=True, omit_defaults=True):
    """A store's description of a file, kept beside it."""

    metadata: Mapping[str, str]
    modified: _Instant
    size: _Size
    sha256: str | None = None
    version: str = _UNVERSIONED
    retain_until: _Instant | None = None
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

        A directory locks nothing, so a requested lock is not recorded either. Different bytes under
        a key outside the log are a `StoreUnavailableError`; the log's own are compared by its
        writer.
        """
        return self._put(key, body, None, dict(metadata))

    def keep(self, version: Version, description: Description, body: bytes) -> Receipt:
        """Copy a version from another store, with its description.

        Raises `UnwritableKeyError` for a key that cannot be a file name here, and `OtherBytesError`
        when different bytes exist, even under a key of the log.
        """
        beside = _Beside(
            description.metadata,
            version.modified,
            description.size,
            description.sha256,
            version.id,
            description.retain_until,
            description.encryption,
        )
        receipt = self._put(version.key, body, beside, {})
        if not receipt.created:
            self._check_same(version.key, body)
        return receipt

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        inside = prefix.rpartition("/")[0]
        paths = plain_files.below(self._root, inside and f"{inside}/")
        yield from _sorted(key for key in paths if key.startswith(prefix) and _is_key(key))

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`. Reads one byte more than the limit, so that excess shows."""
        body = self._read(key, _bound(key) + 1)
        if body is None:
            raise KeyError(key)
        return body

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`."""
        names = plain_files.folders(self._root, prefix)
        yield from _sorted(f"{prefix}{name}/" for name in names if name != _BESIDE)

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        """See `EvidenceVersions.level`."""
        last = ""
        for key in self.keys(prefix):
            name, slash, _ = key[len(prefix) :].partition("/")
            entry = f"{prefix}{name}{slash}"
            if entry == last or entry <= after:
                continue
            last = entry
            listed = entry if slash else self._version(key)
            if listed is not None:
                yield listed

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        for key in self.keys(prefix):
            version = self._version(key) if key > after else None
            if version is not None:
                yield version

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`."""
        for version in versions:
            beside = None if version.marker else self._beside(version.key)
            if beside is None:
                yield None
                continue
            yield Description(
                beside.size,
                beside.sha256,
                beside.metadata,
                beside.retain_until,
                beside.encryption,
            )

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`. A copy has one version per key, so ids are ignored."""
        for key, _ in versions:
            yield self._read(key, _bound(key) + 1)

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        for key, _, size in versions:
            yield self._read(key, min(max(size, 0), _bound(key) + 1))

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `EvidenceVersions.configuration`: a directory has no settings."""
        return {}

    def _put(
        self, key: str, body: bytes, beside: _Beside | None, metadata: dict[str, str]
    ) -> Receipt:
        path = self._writable(key)
        try:
            if path.is_symlink() or path.exists():
                return self._already(key, body)
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
                return self._already(key, body)
        except OSError as error:
            if error.errno in _UNWRITABLE:
                raise UnwritableKeyError(f"{key}: {error.strerror}") from error
            raise StoreUnavailableError(f"{key}: {_why(error)}") from error
        return Receipt(key, created=True, version=beside.version)

    def _version(self, key: str) -> Version | None:
        beside = self._beside(key)
        if beside is None:
            return None
        return Version(key, beside.version, beside.modified, beside.size)

    def _read(self, key: str, limit: int) -> bytes | None:
        if not _is_key(key):
            return None
        try:
            file = plain_files.read(self._root, key, limit)
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {_why(error)}") from error
        return None if file is None else file.body

    def _beside(self, key: str) -> _Beside | None:
        """Return a file's stored description, or its own facts; None if there is no file.

        Its own facts are used if the file was placed by hand or its description cannot be read:
        they then differ from the log, which verification finds.
        """
        try:
            file = plain_files.read(self._root, key, 0) if _is_key(key) else None
            if file is None:
                return None
            beside = plain_files.read(self._root, f"{_BESIDE}/{key}.json", _BESIDE_BYTES)
        except OSError as error:
            raise StoreUnavailableError(f"{key}: {_why(error)}") from error
        try:
            if beside is not None:
                return msgspec.json.decode(beside.body, type=_Beside)
        except (ValueError, RecursionError):
            pass
        modified = min(max(file.modified_ns // 1_000_000, 0), _LATEST_MS - 1)
        return _Beside({}, modified, file.size)

    def _writable(self, key: str) -> Path:
        if not _is_key(key):
            raise UnwritableKeyError(f"{key}: cannot be a file name")
        for place in (key, f"{_BESIDE}/{key}"):
            if plain_files.has_link(self._root, place):
                raise UnwritableKeyError(f"{key}: there is a link in its path")
        return self._root / key

    def _already(self, key: str, body: bytes) -> Receipt:
        if not key.startswith("log/"):
            self._check_same(key, body)
        return Receipt(key, created=False)

    def _check_same(self, key: str, body: bytes) -> None:
        if self._read(key, len(body) + 1) != body:
            raise OtherBytesError(f"{key}: different bytes are stored under this key")


def _sorted(names: Iterable[str]) -> list[str]:
    try:
        return sorted(names)
    except OSError as error:
        raise StoreUnavailableError(f"{error.filename}: {error.strerror}") from error


def _is_key(key: str) -> bool:
    """Whether a key can be a file of its own, clashing with no other key and no description."""
    segments = plain_files.parts(key)
    return (
        segments is not None
        and segments[0] != _BESIDE
        and not any(segment.startswith(_PARTIAL) for segment in segments)
    )


def _bound(key: str) -> int:
    return log.MAX_OBJECT_BYTES if key.startswith(_LOG) else MAX_BODY_BYTES


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


def _why(error: OSError) -> str:
    """Return an error of the system in words, with the path it is about."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
