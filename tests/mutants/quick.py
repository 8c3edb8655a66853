"""Mutants tried in a process that has collected the tests: each costs a fork and the tests alone.

The functions that a mutant changes get its code where they are. What is made while modules are
imported is that of the unchanged code, so that one may live here that would not: who is noticed
here is noticed, the others are run again from the beginning (`run.fate`).
"""

from __future__ import annotations

import gc
import mmap
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from hypothesis import given
from hypothesis import strategies as st

Changes = list[tuple[CodeType, CodeType]]


def noticed(
    path: Path,
    sources: Sequence[bytes],
    *,
    start: Callable[[Sequence[object]], None],
    slower: int,
) -> set[int]:
    """Return the places in `sources`, a file changed in one way each, of those that tests notice.

    `start` runs the tests with plugins, and does not return; a mutant that takes `slower` times
    the processor time of the unchanged code, and 3 seconds, is noticed.
    """
    read_end, write_end = os.pipe()
    host = os.fork()
    if host == 0:
        os.close(read_end)
        start([_Trying(path, sources, write_end, slower)])
    os.close(write_end)
    with os.fdopen(read_end) as answers:
        places = {int(line) for line in answers}
    os.waitpid(host, 0)
    return places


class _Trying:
    """A plugin of pytest: in place of running the tests, runs them once for each mutant."""

    def __init__(self, path: Path, sources: Sequence[bytes], answers: int, slower: int) -> None:
        self._path = path
        self._sources = sources
        self._answers = answers
        self._slower = slower

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of the loop over the tests."""
        gc.unfreeze()  # the collector lists nothing that was set apart (tests/conftest.py)
        functions = {
            each.__code__: each
            for each in gc.get_objects()
            if isinstance(each, FunctionType) and each.__code__.co_filename == str(self._path)
        }
        original = compile(self._path.read_bytes(), str(self._path), "exec", dont_inherit=True)
        given(st.integers())(_nothing)()  # Hypothesis looks once for constants of all modules
        gc.freeze()
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        if _passes(session, [], 600):
            used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            for place, source in enumerate(self._sources):
                changed = compile(source, str(self._path), "exec", dont_inherit=True)
                changes = _changes(original, changed)
                patches = None if changes is None else _patches(functions, changes)
                if patches and not _passes(session, patches, int(used * self._slower) + 3):
                    os.write(self._answers, b"%d\n" % place)
        return True


def _nothing(_: int) -> None:
    """Take an example."""


Patches = list[tuple[FunctionType, CodeType]]


def _passes(session: pytest.Session, patches: Patches, seconds: int) -> bool:
    noticing = mmap.mmap(-1, 8)  # shared with the child: the place of the test that fails
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            for function, changed in patches:
                function.__code__ = changed
            code = _run(session, noticing)
        finally:
            os._exit(code)
    deadline = time.monotonic() + 30 * seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if status:
                # Who notices one mutant notices the next, more often than not.
                session.items.insert(0, session.items.pop(int.from_bytes(noticing[:], "little")))
            return status == 0
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run(session: pytest.Session, noticing: mmap.mmap) -> int:
    items = session.items
    for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
        noticing[:] = place.to_bytes(8, "little")
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _parts(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _is_body_the_same(before: CodeType, after: CodeType) -> bool:
    """Whether two bodies of a module or class differ in what is within functions alone."""

    def outside(code: CodeType) -> tuple[object, ...]:
        plain = [each for each in code.co_consts if not isinstance(each, CodeType)]
        return code.co_code, repr(plain), code.co_names

    return outside(before) == outside(after)


def _changes(before: CodeType, after: CodeType) -> Changes | None:
    """Return the functions of a module or class that differ; None where anything else does."""
    ours, theirs = _parts(before), _parts(after)
    if len(ours) != len(theirs) or not _is_body_the_same(before, after):
        return None
    changes: Changes = []
    for mine, changed in zip(ours, theirs, strict=True):
        if mine.co_qualname != changed.co_qualname:
            return None
        if mine.co_flags & _IS_OPTIMIZED:
            changes.append((mine, changed))
            continue
        inner = _changes(mine, changed)
        if inner is None:
            return None
        changes += inner
    return changes


_IS_OPTIMIZED = 0x01
"""Of a function's code (inspect.CO_OPTIMIZED), not of a class's body."""


def _patches(functions: dict[CodeType, FunctionType], changes: Changes) -> Patches | None:
    patches = []
    for mine, changed in changes:
        if mine == changed:
            continue
        function = functions.get(mine)
        if function is None or function.__code__.co_freevars != changed.co_freevars:
            return None
        patches.append((function, changed))
    return patches
