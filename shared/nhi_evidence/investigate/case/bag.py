"""A BagIt bag in a zip (RFC 8493): written as a stream, read within limits.

https://www.rfc-editor.org/rfc/rfc8493
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import BinaryIO, Protocol

from nhi_evidence import zip_listing
from nhi_evidence.evidence import bundle

PAYLOAD = "data/"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
BAGIT, INFO = "bagit.txt", "bag-info.txt"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
_TAGS = (BAGIT, INFO, MANIFEST)

MAX_FILES = 200_000
MAX_FILE_BYTES = 1 << 30
MAX_BAG_BYTES = 8 << 30
_MAX_TAG_BYTES = 64 << 20
_MAX_LISTING_BYTES = 64 << 20

NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/){0,8}[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
"""Paths in a bag: none that escapes it, and nothing a shell or a terminal would interpret.

No two differ only in capitals: on many computers one would replace the other when unpacked, after
the zip was checked.
"""

_LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can express; fixed, so that the same case has the same bytes."""


class BagError(ValueError):
    """The input is not a bag, or not an intact one: says where."""


class Writer:
    """Writes a bag, one file at a time."""

    def __init__(self, sink: BinaryIO, folder: str) -> None:
        """Write a zip whose only folder is the bag."""
        self._zip = zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED)
        self._folder = folder
        self._hashes: dict[str, str] = {}
        self._folded: set[str] = set()
        self._bytes = 0

    def __enter__(self) -> Writer:
        """Return itself."""
        return self

    def __exit__(self, *_raised: object) -> None:
        """Release the zip; without `close` before, it is not a valid bag."""
        self._zip.close()

    def add(self, name: str, data: bytes) -> None:
        """Add a file under `data/`. Raises `ValueError` for an invalid or duplicate name."""
        path = PAYLOAD + name
        if not NAME.fullmatch(path) or path.lower() in self._folded:
            raise ValueError(f"invalid or duplicate file name in a bag: {name!r}")
        self._folded.add(path.lower())
        self._hashes[path] = sha256(data).hexdigest()
        self._bytes += len(data)
        self._put(path, data)

    def close(self, info: Mapping[str, str]) -> None:
        """Write the tag files and finish the bag; `info` becomes lines of `bag-info.txt`."""
        oxum = f"{self._bytes}.{len(self._hashes)}"
        lines = {**info, "Payload-Oxum": oxum}
        tags = {
            BAGIT: DECLARATION,
            INFO: "".join(f"{key}: {value}\n" for key, value in lines.items()).encode(),
            MANIFEST: _manifest(self._hashes),
        }
        for name, data in tags.items():
            self._put(name, data)
        self._put(TAG_MANIFEST, _manifest({n: sha256(d).hexdigest() for n, d in tags.items()}))
        self._zip.close()

    def _put(self, path: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(f"{self._folder}/{path}", _EPOCH)
        entry.external_attr = (stat.S_IFREG | 0o644) << 16
        self._zip.writestr(entry, data, zipfile.ZIP_DEFLATED)


def _manifest(hashes: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode()


class Files(Protocol):
    """The files of a bag, wherever they are."""

    def names(self) -> Iterator[str]:
        """Yield the path of every file in the bag. Raises `BagError` for anything but a file."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Return a file. Raises `BagError` if it is missing or larger than `limit` bytes."""
        ...


class ZippedFiles:
    """`Files` of a zip whose only folder is the bag."""

    def __init__(self, stream: BinaryIO) -> None:
        """Open the zip. Raises `BagError` if it is not one, or not a safe one."""
        try:
            self._zip = zip_listing.opened(stream, MAX_FILES, _MAX_LISTING_BYTES)
            infos = self._zip.infolist()
        except zip_listing.ListingError as error:
            raise BagError(str(error)) from error
        except bundle.UNREADABLE as error:
            raise BagError(f"not a zip, or damaged; get the case again ({error})") from error
        folders = {info.filename.partition("/")[0] for info in infos}
        if len(folders) != 1:
            raise BagError("not a case, which is exactly one folder")
        self._folder = folders.pop() + "/"
        self._entries: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for info in infos:
            name = info.filename.removeprefix(self._folder)
            if info.is_dir():
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}:
                raise BagError(f"{name!r}: not a regular file")
            if info.compress_type not in bundle.METHODS:
                raise BagError(f"{name!r}: compressed in an unsupported way")
            if not NAME.fullmatch(name) or name.lower() in folded:
                raise BagError(f"{name!r}: invalid or duplicate file name in a bag")
            folded.add(name.lower())
            self._entries[name] = info
        if sum(info.file_size for info in self._entries.values()) > MAX_BAG_BYTES:
            raise BagError("too large")

    def names(self) -> Iterator[str]:
        """See `Files.names`."""
        return iter(self._entries)

    def read(self, name: str, limit: int) -> bytes:
        """See `Files.read`."""
        info = self._entries.get(name)
        if info is None:
            raise BagError(f"{name}: missing")
        try:
            with self._zip.open(info) as file:
                data = file.read(limit + 1)
        except bundle.UNREADABLE as error:
            raise BagError(f"{name}: cannot be read: {error}") from error
        if len(data) > limit:
            raise BagError(f"{name}: larger than {limit} bytes")
        return data


def check(files: Files) -> list[str]:
    """Return how a bag differs from its manifests; empty for an intact one.

    Raises `BagError` if it is not a bag at all.
    """
    if files.read(BAGIT, _MAX_TAG_BYTES) != DECLARATION:
        raise BagError(f"{BAGIT}: not BagIt 1.0")
    wrong = []
    tags = _read_manifest(files, TAG_MANIFEST)
    payload = _read_manifest(files, MANIFEST)
    wrong += [f"{name}: not in {TAG_MANIFEST}" for name in _TAGS if name not in tags]
    wrong += [f"{name}: outside {PAYLOAD}" for name in payload if not name.startswith(PAYLOAD)]
    wrong += [f"{name}: not a tag file" for name in tags if name not in _TAGS]
    present = set(files.names())
    wrong += [
        f"{name}: in no manifest"
        for name in sorted(present - set(tags) - set(payload) - {TAG_MANIFEST})
    ]
    for name, digest in {**tags, **payload}.items():
        try:
            actual = sha256(files.read(name, MAX_FILE_BYTES)).hexdigest()
        except BagError as error:
            wrong.append(str(error))
            continue
        if actual != digest:
            wrong.append(f"{name}: hash does not match the manifest")
    return wrong


def _read_manifest(files: Files, name: str) -> dict[str, str]:
    try:
        text = files.read(name, _MAX_TAG_BYTES).decode()
    except UnicodeDecodeError as error:
        raise BagError(f"{name}: {error}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or not NAME.fullmatch(match[2]) or match[2] in hashes:
            raise BagError(f"{name}, line {number}: not a line of a manifest")
        hashes[match[2]] = match[1]
        if len(hashes) > MAX_FILES:
            raise BagError(f"{name}: more than {MAX_FILES} files")
    return hashes
