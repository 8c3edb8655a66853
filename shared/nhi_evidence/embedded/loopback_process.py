"""A server program on this machine: a free loopback port, its start, and its guaranteed end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from nhi_evidence.errors import EvidenceError

HOST = "127.0.0.1"

_READY_SECONDS = 120.0
_STOP_SECONDS = 5.0
_STARTS = 3
_LOG_TAIL = 2_000


class ProcessError(EvidenceError):
    """A program did not start listening; says which, with its last output."""


class LoopbackProcess:
    """Runs one program that listens on a loopback port. Use as a context manager."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str | Path]],
        *,
        log: Path,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Run what `command` returns for a port, its output going to `log`."""
        self._command = command
        self._log = log
        self._folder = folder
        self._environment = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> LoopbackProcess:
        """Start it and wait until it accepts connections. Raises `ProcessError`."""
        for _ in range(_STARTS):  # another process may take a free port first
            self.port = _free_port()
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603 our own program and arguments
                    [*self._command(self.port)],
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            if self._listens():
                return self
            self._stop()
        raise ProcessError(f"{self._command(0)[0]} did not start:\n{self.logs()[-_LOG_TAIL:]}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, leaving nothing running."""
        self._stop()

    def logs(self) -> str:
        """Return what it has printed so far."""
        return self._log.read_text(errors="replace")

    def _listens(self) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
