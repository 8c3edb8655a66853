"""Safely reading the files of a tree that someone else made: nothing outside it, nothing unbounded.

No link is followed, no pipe or device is read, and no more than a bound is read of any file,
whatever size it claims.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC
_ABSENT = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL}
)
"""Errors of `open` that mean there is no plain file under a name."""


class PlainFile(msgspec.Struct, frozen=True):
    """A plain (regular) file, as far as it was read."""

    modified_ns: int
    size: int
    body: bytes
    """At most as many bytes as were requested."""


def parts(key: str) -> list[str] | None:
    """Return the segments of a path below a tree; None if the path is not in canonical form."""
    segments = key.split("/")
    if any(segment in {"", ".", ".."} or "\0" in segment for segment in segments):
        return None
    try:
        key.encode()
    except UnicodeEncodeError:
        return None
    return segments


def read(root: Path, key: str, limit: int) -> PlainFile | None:
    """Return a plain file below `root` with at most `limit` bytes of its content.

    None if there is none: a link, folder, pipe or device is not a plain file, nor is anything
    behind a link. Raises `OSError` when a file exists but cannot be read.
    """
    segments = parts(key)
    if segments is None:
        return None
    try:
        descriptor = _open(root, segments)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        return None
    # `read` allocates what is requested before reading, so no more is requested than the file's
    # size and one byte, which shows that the file has grown.
    limit = min(limit, status.st_size + 1)
    with os.fdopen(descriptor, "rb") as file:
        return PlainFile(status.st_mtime_ns, status.st_size, file.read(limit) if limit else b"")


def _open(root: Path, segments: list[str]) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for segment in segments[:-1]:
            inner = os.open(segment, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Non-blocking: a pipe without a writer opens at once, and is then skipped.
        return os.open(segments[-1], os.O_RDONLY | os.O_NONBLOCK | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)


def below(root: Path, prefix: str) -> Iterator[str]:
    """Yield the paths, relative to `root`, of all plain files below a folder, in no order.

    `prefix` is empty, or ends in a slash. Names that are not UTF-8 are skipped: no key of a bucket
    has one. Raises `OSError` for a folder that cannot be read: what is in it must not pass for
    absent.
    """
    segments = parts(prefix[:-1]) if prefix else []
    if segments is None or not _is_inside(root, segments):
        return
    for place, _, files in os.walk(root.joinpath(*segments), onerror=_unless_absent):
        inside = Path(place).relative_to(root).as_posix()
        start = "" if inside == "." else f"{inside}/"
        for name in files:
            if parts(start + name) is not None and _is_plain(Path(place, name)):
                yield start + name


def folders(root: Path, prefix: str) -> Iterator[str]:
    """Yield the names of the folders in a folder, in no order; links are skipped.

    Raises `OSError` for a folder that cannot be read.
    """
    segments = parts(prefix[:-1]) if prefix else []
    if segments is None or not _is_inside(root, segments):
        return
    with os.scandir(root.joinpath(*segments)) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and parts(entry.name) is not None:
                yield entry.name


def has_link(root: Path, key: str) -> bool:
    """Whether a link is among the folders on the way to a path."""
    place = root
    for segment in key.split("/")[:-1]:
        place /= segment
        if place.is_symlink():
            return True
    return False


def _is_inside(root: Path, segments: list[str]) -> bool:
    """Whether a folder exists, with no link on the way to it."""
    place = root
    for segment in segments:
        place /= segment
        try:
            if not stat.S_ISDIR(place.lstat().st_mode):
                return False
        except ValueError:
            return False
        except OSError as error:
            _unless_absent(error)
            return False
    return place.is_dir()


def _is_plain(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError as error:
        _unless_absent(error)
        return False


def _unless_absent(error: OSError) -> None:
    """Raise an error, unless it says that nothing is there: files may vanish while being listed."""
    if error.errno not in _ABSENT:
        raise error
