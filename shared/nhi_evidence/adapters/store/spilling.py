"""Sorting more than fits in memory: sorted runs in temporary files, merged when read."""

from __future__ import annotations

import heapq
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RUN_BYTES = 48 * 1024 * 1024
"""Bytes of entries held in memory before a run is written, including their overhead."""

_LENGTH_BYTES = 4
_OVERHEAD_BYTES = 150
"""Memory that an entry takes besides its own bytes."""


class SpillingSorter:
    """A `Sorter` (evidence.verify) that uses bounded memory, however much is added."""

    def __init__(self, folder: Path, *, run_bytes: int = RUN_BYTES) -> None:
        """Write runs under `folder`, which the caller removes."""
        self._folder = folder
        self._run_bytes = run_bytes
        self._entries: list[tuple[bytes, int, bytes]] = []
        self._bytes = self._count = 0
        self._runs: list[Path] = []
        self._sorted = True

    def add(self, key: bytes, value: bytes) -> None:
        """See `Sorter.add`."""
        self._entries.append((key, self._count, value))
        self._count += 1
        self._sorted = False
        self._bytes += len(key) + len(value) + _OVERHEAD_BYTES
        if self._bytes >= self._run_bytes:
            self._spill()

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """See `Sorter.__iter__`."""
        if not self._sorted:
            self._entries.sort()
            self._sorted = True
        for key, _, value in heapq.merge(*map(_read, self._runs), self._entries):
            yield key, value

    def _spill(self) -> None:
        if not self._runs:
            self._folder = Path(tempfile.mkdtemp(dir=self._folder))
        self._entries.sort()
        path = self._folder / f"run-{len(self._runs):06d}"
        with zstd.open(path, "wb", level=1) as run:
            for key, number, value in self._entries:
                for piece in (key, value):
                    run.write(len(piece).to_bytes(_LENGTH_BYTES) + piece)
                run.write(number.to_bytes(2 * _LENGTH_BYTES))
        self._runs.append(path)
        self._entries, self._bytes = [], 0


def _read(path: Path) -> Iterator[tuple[bytes, int, bytes]]:
    with zstd.open(path, "rb") as run:
        while length := run.read(_LENGTH_BYTES):
            key = run.read(int.from_bytes(length))
            value = run.read(int.from_bytes(run.read(_LENGTH_BYTES)))
            yield key, int.from_bytes(run.read(2 * _LENGTH_BYTES)), value


class Sorters:
    """Makes sorters, and removes their files when closed. Use as a context manager."""

    def __enter__(self) -> Sorters:
        """Create the folder for their files."""
        self._folder = tempfile.TemporaryDirectory(prefix="nhi-evidence-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the folder."""
        self._folder.cleanup()

    def __call__(self) -> SpillingSorter:
        """Return a new sorter."""
        return SpillingSorter(Path(self._folder.name))
