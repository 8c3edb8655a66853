"""The files of a case in a folder: regular files only; no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from nhi_evidence.investigate.case.bag import MAX_FILES, NAME, BagError


class CaseFolder:
    """See `investigate.case.bag.Files`."""

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises `BagError` if it contains anything but regular files, or a folder in it cannot be
        read: a file that nobody listed could be in there.
        """
        self._files: dict[str, Path] = {}
        for place, folders, files in os.walk(folder, onerror=_unread, followlinks=False):
            for name in (*folders, *files):
                path = Path(place, name)
                mode = path.lstat().st_mode
                if stat.S_ISDIR(mode):
                    continue
                relative = path.relative_to(folder).as_posix()
                if not stat.S_ISREG(mode) or not NAME.fullmatch(relative):
                    raise BagError(f"{relative!r}: not a regular file of a case")
                self._files[relative] = path
                if len(self._files) > MAX_FILES:
                    raise BagError(f"more than {MAX_FILES} files")

    def names(self) -> Iterator[str]:
        """See `Files.names`."""
        return iter(sorted(self._files))

    def read(self, name: str, limit: int) -> bytes:
        """See `Files.read`."""
        path = self._files.get(name)
        if path is None:
            raise BagError(f"{name}: missing")
        try:
            # A file that became a link or a pipe since it was listed is not opened as one.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise BagError(f"{name}: not a regular file")
                data = file.read(limit + 1)
        except OSError as error:
            raise BagError(f"{name}: cannot be read: {error.strerror}") from error
        if len(data) > limit:
            raise BagError(f"{name}: larger than {limit} bytes")
        return data


def _unread(error: OSError) -> None:
    raise BagError(f"{error.filename}: cannot be read: {error.strerror}") from error
