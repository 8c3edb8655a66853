"""Reading the next objects of a batch while the previous one is mapped, within bounds.

At most `MAX_OBJECTS` bodies, of together at most `MAX_BYTES`, are read ahead, however many objects
a batch has.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from functools import partial

from nhi_evidence.adapters.aws.s3_source import AnnouncedObject, LargerThanAnnouncedError, S3Source
from nhi_evidence.event import Announced, Delivery

MAX_OBJECTS = 8
MAX_BYTES = 64 * 1024 * 1024


class FetchAhead:
    """Fetches objects in order, for a single consumer that takes them in that order."""

    def __init__(
        self, source: S3Source, objects: Sequence[AnnouncedObject], executor: Executor
    ) -> None:
        """Read `objects` from `source`, in threads of `executor`."""
        self._source = source
        self._objects = objects
        self._executor = executor
        self._ahead: dict[int, Future[Delivery]] = {}
        self._next = 0
        self._bytes = 0

    def announced(self) -> list[Announced]:
        """Return the objects as deliveries to be read when their turn comes."""
        return [
            Announced(stored.unit, partial(self._take, index))
            for index, stored in enumerate(self._objects)
        ]

    def _take(self, index: int) -> Delivery:
        self._next = max(self._next, index)
        self._read_on()
        future = self._ahead.pop(index, None)
        stored = self._objects[index]
        if future is None:  # its size is unknown, or too large to read ahead
            self._next = max(self._next, index + 1)
            return self._source.fetch(stored)
        try:
            return future.result()
        except LargerThanAnnouncedError:
            return self._source.fetch(stored)
        finally:
            self._bytes -= stored.size or 0

    def _read_on(self) -> None:
        while self._next < len(self._objects) and len(self._ahead) < MAX_OBJECTS:
            stored = self._objects[self._next]
            if stored.size is None or self._bytes + stored.size > MAX_BYTES:
                return
            self._ahead[self._next] = self._executor.submit(
                self._source.fetch, stored, at_most=stored.size
            )
            self._bytes += stored.size
            self._next += 1
