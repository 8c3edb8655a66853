"""Open a zip without reading a list of files larger than it may have.

`zipfile` reads that list whole, and makes an object of each entry, before it says how many there
are. What the zip states of their number decides nothing: only what is read is measured.
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.12
"""

from __future__ import annotations

import zipfile
from typing import IO

_ENTRY = b"PK\x01\x02"
"""How an entry of the list begins; `zipfile` refuses one that does not."""


class ListingError(ValueError):
    """The list of files is larger than is read."""


def opened(stream: IO[bytes], files: int, size: int) -> zipfile.ZipFile:
    """Open a zip of at most so many files, whose list has at most `size` bytes.

    Raises `ListingError`, and whatever `zipfile` raises for a zip that is damaged.
    """
    bounded = _Bounded(stream, files, size)
    archive = zipfile.ZipFile(bounded)
    bounded.is_open = True
    return archive


class _Bounded:
    """A zip whose list is measured while it is opened: each part of it is read at once."""

    def __init__(self, stream: IO[bytes], files: int, size: int) -> None:
        self._stream, self._files, self._size = stream, files, size
        self.is_open = False
        self.seek, self.tell = stream.seek, stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        """Read, as the stream does. Raises `ListingError` while the zip is not open yet."""
        if not self.is_open and size > self._size:
            raise ListingError(f"a list of files of {size:,} bytes, more than {self._size:,}")
        data = self._stream.read(size)
        if not self.is_open and data.count(_ENTRY) > self._files:
            raise ListingError(f"more than {self._files:,} files")
        return data
