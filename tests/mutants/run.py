"""Running tests on mutants: each in a process forked from one that has imported what is slow."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "nhi_evidence"

_OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of what is imported before
    *("-p", "no:unraisableexception"),  # looks at all objects, several times, at the end
    "--hypothesis-profile=mutants",
)

_PRELOADED = (
    *("hypothesis", "msgspec", "boto3", "cryptography.x509", "jsonschema", "pymerkle"),
    "anyio.pytest_plugin",  # pytest loads it, and with it all that its back ends import
)
"""What pytest and tests import that is slow and none of ours."""


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    HUNG = "hung"
    """Killed, too: a loop that does not end is noticed."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file, and the tests that notice its mutants."""

    file: str
    """Below the package."""
    tests: tuple[str, ...]


def preload() -> None:
    """Import what every run would import; nothing of the package that is mutated."""
    for name in _PRELOADED:
        importlib.import_module(name)
    assert "nhi_evidence" not in sys.modules
    gc.freeze()  # what is there before a run is no garbage of it


@contextlib.contextmanager
def copy(where: Path) -> Iterator[Path]:
    """Copy the library to a place where it may be mutated, with what is compiled of it."""
    package = where / "nhi_evidence"
    shutil.copytree(PACKAGE, package)
    yield package
    shutil.rmtree(package)


def forget_compiled(path: Path) -> None:
    """Remove what is compiled of a file: a mutant of the same size and second would be taken."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def fate(package: Path, tests: Sequence[str], seconds: int, *, keep_compiled: bool = False) -> Fate:
    """Run tests on a copy of the library; a run of more than so many processor seconds hangs.

    `keep_compiled` leaves what is compiled of library and tests for later runs: of unchanged code.
    """
    child = os.fork()
    if child == 0:
        _be_bounded(package, tests, seconds, keep_compiled=keep_compiled)
    # What waits uses no processor: a busy machine has it wait longer, but not for ever.
    deadline = time.monotonic() + _WAITING * seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if -code in _ENDED:
                return Fate.HUNG
            return Fate.SURVIVED if code == pytest.ExitCode.OK else Fate.KILLED
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Fate.HUNG


_WAITING = 30
_ENDED = (signal.SIGXCPU, signal.SIGKILL)
"""How the system ends what has used up its processor time."""


def _be_bounded(package: Path, tests: Sequence[str], seconds: int, *, keep_compiled: bool) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    be_tested(package, tests, keep_compiled=keep_compiled)


def be_tested(
    package: Path,
    tests: Sequence[str],
    plugins: Sequence[object] = (),
    *,
    keep_compiled: bool = False,
) -> None:
    """Be the process that runs tests on a copy of the library, in silence; never returns."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.dont_write_bytecode = not keep_compiled
    sys.path.insert(0, str(package.parent))
    os.chdir(ROOT)
    code: int = pytest.ExitCode.INTERNAL_ERROR
    try:
        code = pytest.main([*_OPTIONS, *tests], plugins=list(plugins))
    finally:
        os._exit(code)
