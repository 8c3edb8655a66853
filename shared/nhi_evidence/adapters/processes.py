"""Looking into objects in processes of their own: one for each core.

What is within an object is a function of its leaf and bytes alone, so it needs nothing of the
process that reads and counts. A process holds one object at a time: what `verify` holds in memory
grows by that for each.
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
"""So much is looked into without another process: to start one costs as much."""


class ProcessEndedError(EvidenceError):
    """A process ended before it said what it found."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Let this process end when the one that started it does, however that ended.

    One of a pool waits for work from a pipe that its siblings hold open, too: for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


class Processes:
    """Looks into objects side by side, as `Options.examiner` asks; with one job, here."""

    def __init__(self, jobs: int, *, deep: bool, reproduce: bool) -> None:
        """Use so many processes; none is started before there is enough to do."""
        self._jobs = jobs
        self._deep = deep
        self._reproduce = reproduce
        self._here = partial(examine, deep=deep, reproduce=Reproducer() if reproduce else None)
        self._bytes = 0
        self._pool: ProcessPoolExecutor | None = None

    @property
    def examiner(self) -> Processes | None:
        """What `Options.examiner` is to be: None where everything is looked into here.

        Without `deep`, handing an object over costs as much as looking at its table.
        """
        return self if self._deep and self._jobs > 1 else None

    def __enter__(self) -> Processes:
        """Begin without any process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes; what was not begun is left."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(self, entry: ObjectLeaf, body: bytes) -> Callable[[], Examined]:
        """Begin to look into an object."""
        self._bytes += len(body)
        if self.examiner is None or self._bytes <= ALONE_BYTES:
            return partial(self._here, entry, body)
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._jobs,
                # Not by `fork`: a store's client has threads.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._deep, self._reproduce),
            )
        return partial(_result, self._pool.submit(_examine, entry, body), entry)


def _result(future: Future[Examined], entry: ObjectLeaf) -> Examined:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ProcessEndedError(
            f"a worker process died, at or near {entry.key}; it may have run out of "
            "memory: --jobs 1 uses a single process"
        ) from error


_own: list[Callable[[ObjectLeaf, bytes], Examined]] = []
"""Of a process: how it looks into objects."""


def _begin(deep: bool, reproduce: bool) -> None:
    end_with_parent()
    _own[:] = [partial(examine, deep=deep, reproduce=Reproducer() if reproduce else None)]


def _examine(entry: ObjectLeaf, body: bytes) -> Examined:
    return _own[0](entry, body)
