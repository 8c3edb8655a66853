"""Objects checked in parallel give the same report, and an error rather than less if one fails."""

from __future__ import annotations

import os
import signal
from concurrent.futures.process import BrokenProcessPool

import msgspec
import pytest

from nhi_evidence.adapters import processes
from nhi_evidence.adapters.processes import ProcessEndedError, Processes
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify import Options, Report, Verifier
from nhi_evidence.pipeline.reproduce import Reproducer
from tests.bench import sealed
from tests.memory_store import MemoryStore


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """A sealed store of six files."""
    return sealed.evidence(files=6, records=30)


def verified(store: MemoryStore, jobs: int | None) -> Report:
    options = Options(deep=True, reproduce=Reproducer())
    if jobs is None:
        return Verifier(store, sealed.POLICY, now=sealed.NOW + 1, options=options).run()
    with Processes(jobs, deep=True, reproduce=True) as examiner:
        options = msgspec.structs.replace(options, examiner=examiner)
        return Verifier(store, sealed.POLICY, now=sealed.NOW + 1, options=options).run()


def document(report: Report) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(report, state=None))


def test_several_processes_report_the_same_as_one(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, both for a sound store and for one with a falsified record."""
    monkeypatch.setattr(processes, "ALONE_BYTES", 0)
    sound = document(verified(store, None))
    assert sound == document(verified(store, 2)) == document(verified(store, 1))
    altered = store.copy()
    key = next(iter(altered.keys("ev/")))
    (stored,) = altered.versions_by_key[key]
    stored.body = stored.body[:-20] + b"x" * 20
    report = verified(altered, 2)
    assert {"object_altered"} <= {each.code for each in report.findings}
    assert document(report) == document(verified(altered, None))


def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never a report that lacks what the process would have found."""
    monkeypatch.setattr(processes, "ALONE_BYTES", 0)
    leaf = ObjectLeaf(key="ev/v1/x/h=2026030208/" + "0" * 64, vid="1", at=1, size=1)
    with Processes(1 + 1, deep=True, reproduce=False) as examiner:
        examiner(leaf, b"x")()
        assert examiner._pool is not None
        for pid in list(examiner._pool._processes):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(ProcessEndedError, match="--jobs 1"):
            [examiner(leaf, b"x")() for _ in range(100)]


def test_an_object_that_comes_after_a_dead_process_is_an_error_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool refuses it at once, before the result of an earlier one is asked for."""
    monkeypatch.setattr(processes, "ALONE_BYTES", 0)
    leaf = ObjectLeaf(key="ev/v1/x/h=2026030208/" + "0" * 64, vid="1", at=1, size=1)
    with Processes(1 + 1, deep=True, reproduce=False) as examiner:
        examiner(leaf, b"x")()
        assert examiner._pool is not None
        for pid in list(examiner._pool._processes):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            examiner._pool.submit(os.getpid).result()
        with pytest.raises(ProcessEndedError, match=leaf.key):
            examiner(leaf, b"x")


def test_few_objects_are_read_without_extra_processes(store: MemoryStore) -> None:
    """Starting one costs more than it saves."""
    with Processes(4, deep=True, reproduce=False) as examiner:
        options = Options(deep=True, examiner=examiner)
        Verifier(store, sealed.POLICY, now=sealed.NOW + 1, options=options).run()
        assert examiner._pool is None
