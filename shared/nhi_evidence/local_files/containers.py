"""Read gzip, zip and tar, nested and detected by content, as bounded streams.

https://www.rfc-editor.org/rfc/rfc1952 (gzip),
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (zip),
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (tar)
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Self, cast

import msgspec

from nhi_evidence import zip_listing
from nhi_evidence.local_files.unreadable import HEAD_BYTES, Unreadable

_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_TAR_MAGIC, _TAR_OFFSET = b"ustar", 257
_DEPTH = 4
_FREE_BYTES = 256 * 1024 * 1024
_RATIO = 300
"""A log compresses 10 to 40 times, a repetitive one up to 200 times, a bomb 1,000 times."""
_NESTED_ZIP_BYTES = 64 * 1024 * 1024
_ZIP_FILES, _ZIP_LISTING_BYTES = 1_000_000, 256 * 1024 * 1024
"""How long the list of files of a zip may be: it is in memory as a whole."""
_NO_LOGS = ("__MACOSX/", ".DS_Store")

DAMAGED = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a damaged, truncated or encrypted container raises."""
_ZIP_DAMAGED = (*DAMAGED, ValueError, LookupError, struct.error)
"""What `zipfile` raises besides for damaged positions, names and extra fields."""


class BombError(OSError):
    """Content decompresses to more than a log plausibly does."""


class Budget(msgspec.Struct):
    """How much an input may decompress to, in proportion to its compressed size."""

    packed: int = 0
    inflated: int = 0

    def spend(self, count: int) -> None:
        """Count decompressed bytes. Raises `BombError` beyond the limit."""
        self.inflated += count
        if self.inflated > _FREE_BYTES + _RATIO * self.packed:
            raise BombError(f"inflates to more than {_RATIO} times its size")


class Member(msgspec.Struct, frozen=True):
    """A file, by itself or in a container: its name, and its content or why there is none."""

    name: str
    content: io.BufferedReader | Unreadable


class _Counted(io.RawIOBase):
    """Counts the bytes of a container as they are read."""

    def __init__(self, inner: IO[bytes], budget: Budget, *, is_packed: bool) -> None:
        self._read = getattr(inner, "read1", inner.read)
        self._budget, self._is_packed = budget, is_packed
        self._damage: BaseException | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        if self._damage is not None:
            raise self._damage
        # `read1` returns what comes before any damage; `read` would lose it. Nor may an error lose
        # the line that a reader has in part: the content ends here, and reading on raises it.
        try:
            data = self._read(len(view))
        except DAMAGED as error:
            self._damage = error
            return 0
        view[: len(data)] = data
        if self._is_packed:
            self._budget.packed += len(data)
        else:
            self._budget.spend(len(data))
        return len(data)


def members(name: str, stream: IO[bytes]) -> Iterator[Member]:
    """Yield every file in an input, or the input itself if it is not a container.

    Read a member before asking for the next. Its stream ends early if the container is damaged;
    reading on raises one of `DAMAGED`. A zip needs a seekable stream.
    """
    budget = Budget()
    if stream.seekable():
        is_zip = _is_zip(stream.read(len(_ZIP)))
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        if is_zip:
            budget.packed = size
            yield from _zip(name, stream, budget, 0)
            return
    yield from _open(name, _buffered(stream, budget, is_packed=True), budget, 0)


def damaged(error: BaseException) -> Unreadable:
    """Describe the error of a damaged container."""
    if isinstance(error, BombError):
        return Unreadable("inflation_limit", "a decompression bomb", str(error))
    if "password" in str(error) or "encrypted" in str(error):
        return Unreadable("damaged_archive", "an encrypted archive", "unpack it first")
    detail = str(error)[:120] or type(error).__name__
    return Unreadable(
        "damaged_archive", f"a damaged or truncated archive ({detail})", "fetch it again"
    )


def _buffered(inner: IO[bytes], budget: Budget, *, is_packed: bool = False) -> io.BufferedReader:
    return io.BufferedReader(_Counted(inner, budget, is_packed=is_packed), 1 << 16)


def _is_zip(head: bytes) -> bool:
    return head.startswith((_ZIP, _EMPTY_ZIP))


def _open(name: str, stream: io.BufferedReader, budget: Budget, depth: int) -> Iterator[Member]:
    try:
        head = stream.peek(HEAD_BYTES)
    except DAMAGED as error:
        yield Member(name, damaged(error))
        return
    is_tar = head[_TAR_OFFSET : _TAR_OFFSET + len(_TAR_MAGIC)] == _TAR_MAGIC
    is_gzip = head.startswith(_GZIP)
    if not (is_tar or is_gzip or _is_zip(head)):
        yield Member(name, stream)
    elif depth == _DEPTH:
        yield Member(
            name, Unreadable("unknown_form", "archives in archives", "unpack it first", head)
        )
    elif is_gzip:
        unpacked = _buffered(cast("IO[bytes]", gzip.GzipFile(fileobj=stream)), budget)
        yield from _open(name, unpacked, budget, depth + 1)
    elif is_tar:
        yield from _tar(name, stream, budget, depth)
    else:
        body = stream.read(_NESTED_ZIP_BYTES + 1)
        if len(body) > _NESTED_ZIP_BYTES:
            yield Member(
                name, Unreadable("unknown_form", "a large zip in an archive", "unpack it first")
            )
        else:
            yield from _zip(name, io.BytesIO(body), budget, depth)


def _zip(name: str, stream: IO[bytes], budget: Budget, depth: int) -> Iterator[Member]:
    try:
        with zip_listing.opened(stream, _ZIP_FILES, _ZIP_LISTING_BYTES) as archive:
            if "xl/workbook.xml" in archive.namelist():
                yield Member(
                    name, Unreadable("unknown_form", "an Excel workbook", "save it as CSV or JSON")
                )
                return
            for entry in archive.infolist():
                inside = f"{name}:{entry.filename}"
                if entry.is_dir() or _is_added_by_macos(entry.filename):
                    continue
                try:
                    with archive.open(entry) as content:
                        yield from _open(inside, _buffered(content, budget), budget, depth + 1)
                except _ZIP_DAMAGED as error:
                    yield Member(inside, damaged(error))
    except zip_listing.ListingError as error:
        yield Member(name, Unreadable("unknown_form", f"a zip with {error}", "unpack it first"))
    except _ZIP_DAMAGED as error:
        yield Member(name, damaged(error))


def _tar(name: str, stream: io.BufferedReader, budget: Budget, depth: int) -> Iterator[Member]:
    # Archives that follow each other are read like a single one.
    try:
        with tarfile.open(
            fileobj=stream, mode="r|", tarinfo=_strict_headers(), ignore_zeros=True
        ) as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and not _is_added_by_macos(entry.name):
                    inside = f"{name}:{entry.name}"
                    yield from _open(inside, _buffered(content, budget), budget, depth + 1)
    except DAMAGED as error:
        yield Member(name, damaged(error))


def _strict_headers() -> type[tarfile.TarInfo]:
    """Return a reader of the headers of a tar that raises `tarfile.ReadError` for a damaged one.

    `tarfile` takes a damaged header after the first for the end of the archive.
    """
    is_ended = False

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            nonlocal is_ended
            is_zero = len(buf) == tarfile.BLOCKSIZE and not any(buf)
            try:
                header = super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                if not (is_zero or (is_ended and not buf)):
                    raise tarfile.ReadError(str(error)) from error
                is_ended = True
                raise
            is_ended = False
            return header

    return Header


def _is_added_by_macos(inside: str) -> bool:
    """Whether a member is one of those that macOS adds to archives."""
    return inside.startswith(_NO_LOGS[0]) or inside.endswith(_NO_LOGS[1])
