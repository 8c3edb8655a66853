"""Processes of a pool end with the process that started them, even if that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nhi_evidence.adapters.index import groups
from nhi_evidence.adapters.processes import ProcessEndedError
from nhi_evidence.investigate.sealed import SealedObject

_PARENT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from nhi_evidence.adapters.processes import end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def is_running(pid: int) -> bool:
    """Return whether the process exists and has not ended."""
    try:
        os.kill(pid, 0)
        # A process that has ended remains as a zombie until its new parent reaps it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc").is_dir()


def test_no_process_stays_behind(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.kill()
    until = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < until, "it waits for work for ever"
        time.sleep(0.05)


class _Ends(bytes):
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os._exit, (9,)


def test_a_process_that_ends_is_named(tmp_path: Path) -> None:
    """It is an error that the command line prints as one line."""
    at = SealedObject("s", 0, 1, "ev/v1/aws_cloudtrail/h=2026030200/k", "v", "s", "2026030200", "")
    every = [
        groups.Group(tmp_path, f"{number}", [groups.Numbered(0, at, _Ends())])
        for number in range(2)
    ]
    with pytest.raises(ProcessEndedError, match="memory"):
        list(groups.read_all(iter(every), 2))
