"""Port for sorting more entries than fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Sorter(Protocol):
    """Takes entries in any order and yields them by key; equal keys keep their insertion order."""

    def add(self, key: bytes, value: bytes) -> None:
        """Take one entry."""
        ...

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every entry, sorted. May be iterated repeatedly, after the last `add`."""
        ...


class MemorySorter:
    """A `Sorter` that keeps everything in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[tuple[bytes, int, bytes]] = []
        self._sorted = True

    def add(self, key: bytes, value: bytes) -> None:
        """See `Sorter.add`."""
        self._entries.append((key, len(self._entries), value))
        self._sorted = False

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """See `Sorter.__iter__`."""
        if not self._sorted:
            self._entries.sort()
            self._sorted = True
        for key, _, value in self._entries:
            yield key, value
