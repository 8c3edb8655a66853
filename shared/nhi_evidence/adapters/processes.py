"""Examining objects in worker processes, one per core.

Examining an object depends only on its leaf and bytes, so it needs nothing from the process that
reads and counts. A worker holds one object at a time: `verify` needs that much more memory for each
worker.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from types import TracebackType

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify.examining import Examined, examine
from nhi_evidence.pipeline.reproduce import Reproducer

ALONE_BYTES = 4 << 20
"""This much is examined without a worker process: starting one costs as much time."""


class ProcessEndedError(EvidenceError):
    """A worker process ended before it returned its result."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """End this process when its parent ends, for whatever reason.

    Otherwise a worker of a pool would wait forever for work from a pipe that its siblings also hold
    open.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


class Processes:
    """Examines objects in parallel, for `Options.examiner`; with one job, in this process."""

    def __init__(self, jobs: int, *, deep: bool, reproduce: bool) -> None:
        """Use up to `jobs` processes; none is started before there is enough to do."""
        self._jobs = jobs
        self._deep = deep
        self._reproduce = reproduce
        self._here = partial(examine, deep=deep, reproduce=Reproducer() if reproduce else None)
        self._bytes = 0
        self._pool: ProcessPoolExecutor | None = None

    @property
    def examiner(self) -> Processes | None:
        """The value for `Options.examiner`: None if everything is examined in this process.

        Without `deep`, handing an object over costs as much as checking its table.
        """
        return self if self._deep and self._jobs > 1 else None

    def __enter__(self) -> Processes:
        """Start without worker processes."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the worker processes; work that was not started is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(self, entry: ObjectLeaf, body: bytes) -> Callable[[], Examined]:
        """Start examining an object; see `Examiner`."""
        self._bytes += len(body)
        if self.examiner is None or self._bytes <= ALONE_BYTES:
            return partial(self._here, entry, body)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._jobs,
                # Not `fork`: a store's client has threads.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._deep, self._reproduce),
            )
        try:
            future = self._pool.submit(_examine, entry, body)
        except BrokenProcessPool as error:  # by an object before this one
            raise _ended(entry) from error
        return partial(_result, future, entry)


def _result(future: Future[Examined], entry: ObjectLeaf) -> Examined:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _ended(entry) from error


def _ended(entry: ObjectLeaf) -> ProcessEndedError:
    return ProcessEndedError(
        f"a worker process died, at or near {entry.key}; it may have run out of "
        "memory: --jobs 1 uses a single process"
    )


_own: list[Callable[[ObjectLeaf, bytes], Examined]] = []
"""In a worker process: how it examines objects."""


def _begin(deep: bool, reproduce: bool) -> None:
    end_with_parent()
    _own[:] = [partial(examine, deep=deep, reproduce=Reproducer() if reproduce else None)]


def _examine(entry: ObjectLeaf, body: bytes) -> Examined:
    return _own[0](entry, body)
