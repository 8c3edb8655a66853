"""Reading evidence objects in groups, on all processors; each group writes its rows to a file."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from nhi_evidence.adapters.index import schema
from nhi_evidence.adapters.processes import ProcessEndedError, end_with_parent
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.sealed import ObjectContent, SealedObject

_GROUP_BYTES = 8 << 20
"""Stored bytes of the objects in a group: worth over a second of one process's time, and a file."""

_GROUP_OBJECTS = 256
"""Maximum objects in a group, however small they are."""

_GROUP_ROWS = 65_536
"""Rows held in memory, besides those of one object, before they are written."""


class Numbered(NamedTuple):
    """An object, its bytes, and the number of its first claim."""

    first_claim: int
    at: SealedObject
    body: bytes | None


class Group(NamedTuple):
    """Objects read by one process, and the file their rows go to."""

    folder: Path
    file: str
    objects: list[Numbered]


class Read(NamedTuple):
    """An object that was read, and the number of its first claim."""

    first_claim: int
    at: SealedObject
    content: ObjectContent


class Unread(NamedTuple):
    """An object that could not be read."""

    at: SealedObject
    reason: str


class GroupRead(NamedTuple):
    """The result of reading a group, apart from its rows."""

    file: str | None
    """The file of its rows; None if there are none."""
    objects: list[Read | Unread]
    """Its objects, in order."""


def grouped(objects: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Yield objects, in order, in groups that are each worth a file and a process."""
    group: list[Numbered] = []
    size = 0
    for each in objects:
        group.append(each)
        size += len(each.body or b"")
        if size >= _GROUP_BYTES or len(group) >= _GROUP_OBJECTS:
            yield group
            group, size = [], 0
    if group:
        yield group


def read_all(groups: Iterator[Group], jobs: int) -> Iterator[GroupRead]:
    """Read groups and yield the results in order; use worker processes if there are several.

    Raises `ProcessEndedError` when a worker process dies.
    """
    begun = list(islice(groups, 2))
    if jobs == 1 or len(begun) < 2:  # noqa: PLR2004 one alone is read here
        yield from map(read_group, chain(begun, groups))
        return
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=end_with_parent
    ) as pool:
        # Groups are submitted ahead, so no worker waits while claims are written here.
        waiting: deque[Future[GroupRead]] = deque()
        try:
            for group in chain(begun, groups):
                waiting.append(pool.submit(read_group, group))
                if len(waiting) == 2 * jobs:
                    yield waiting.popleft().result()
            for each in waiting:
                yield each.result()
        except BrokenProcessPool as error:
            raise ProcessEndedError(
                "a worker process died while reading objects for the index; it may have run out of "
                "memory"
            ) from error


def read_group(group: Group) -> GroupRead:
    """Read objects and write their rows; an object that cannot be read in full has none."""
    objects: list[Read | Unread] = []
    with _uncollected(), _File(group.folder / group.file) as file:
        for first_claim, at, body in group.objects:
            rows = schema.EventRows(first_claim)
            try:
                content = sealed.read_values(at, body, rows.put)
            except (ValueError, RecursionError) as error:
                objects.append(Unread(at, str(error)))
                continue
            file.add(rows.table())
            objects.append(Read(first_claim, at, content))
    return GroupRead(group.file if file.is_written else None, objects)


class _File:
    """A file of rows, which is created only if there are any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _File:
        return self

    def __exit__(self, kind: object, _error: object, _traceback: object) -> None:
        if kind is None:
            self._write()
        if self._writer is not None:
            self._writer.close()

    @property
    def is_written(self) -> bool:
        return self._writer is not None

    def add(self, table: pa.Table) -> None:
        self._tables.append(table)
        if sum(each.num_rows for each in self._tables) >= _GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        table = pa.concat_tables(self._tables) if self._tables else schema.EVENTS.empty_table()
        self._tables = []
        if table.num_rows:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self._path, schema.EVENTS, compression="zstd")
            self._writer.write_table(table)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Suspend garbage collection: none of the hundreds of thousands of tuples is in a cycle.

    Scanning them again and again takes a tenth of the time of building an index.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
