"""An Azure function app on this machine: the host's side of an Event Hub trigger.

The app runs in a process of its own: under the Azure Functions worker's library if this Python has
it, otherwise with `azure.functions` alone.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-event-hubs-trigger
"""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from nhi_evidence.errors import EvidenceError

_WORKER = "azure_functions_runtime"
_STOP_SECONDS = 5.0
_LOG_TAIL = 2_000
_DONE = 1


class FunctionAppError(EvidenceError):
    """The function app did not start, or stopped; says why, with its last output."""


class HubMessage(msgspec.Struct, frozen=True):
    """One message of a partition, as the Event Hubs extension passes it."""

    body: bytes
    sequence: int
    offset: str
    enqueued: str


class Indexed(msgspec.Struct, frozen=True):
    """What the app declares, and what runs it."""

    runs_in: str
    functions: list[dict[str, Any]]


class _Answer(msgspec.Struct, frozen=True):
    status: int
    exception: str | None = None


class AzureRuntime:
    """Runs one function app. Use as a context manager."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str], log: Path) -> None:
        """Run the app in `folder`, its output going to `log`."""
        self._folder = folder
        self._log = log
        self._environment = {"PATH": os.environ.get("PATH", ""), **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        self.indexed = Indexed("", [])

    def __enter__(self) -> AzureRuntime:
        """Start the process and index the app. Raises `FunctionAppError`."""
        program = "azure_worker_host" if find_spec(_WORKER) else "azure_stand_in"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own interpreter and arguments
                [sys.executable, "-m", f"nhi_evidence.embedded.{program}", self._folder],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            self.indexed = msgspec.json.decode(self._ask(b""), type=Indexed)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, leaving nothing running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def invoke(
        self, function: str, hub: Mapping[str, str], messages: Sequence[HubMessage]
    ) -> str | None:
        """Pass one batch to a function; return its exception, or None if it returned.

        `hub` is the partition's context as the extension states it. Raises `FunctionAppError` if
        the process is gone.
        """
        self._count += 1
        system = [
            {"SequenceNumber": one.sequence, "Offset": one.offset, "EnqueuedTimeUtc": one.enqueued}
            for one in messages
        ]
        batch = {
            "function": function,
            "invocation": f"00000000-0000-4000-8000-{self._count:012d}",
            "bodies": [b64encode(one.body).decode() for one in messages],
            "metadata": {
                "PartitionContext": dict(hub),
                "SequenceNumberArray": [one.sequence for one in messages],
                "OffsetArray": [one.offset for one in messages],
                "EnqueuedTimeUtcArray": [one.enqueued for one in messages],
                "PartitionKeyArray": [None] * len(messages),
                "PropertiesArray": [{}] * len(messages),
                "SystemPropertiesArray": system,
            },
        }
        answer = msgspec.json.decode(self._ask(msgspec.json.encode(batch)), type=_Answer)
        return None if answer.status == _DONE else answer.exception or "failed"

    def logs(self) -> str:
        """Return what the function has printed and logged so far."""
        return self._log.read_text(errors="replace")

    def _ask(self, line: bytes) -> bytes:
        """Write one line, if any, and return the line that answers it."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise FunctionAppError("the function app is not running")
        try:
            if line:
                process.stdin.write(line + b"\n")
                process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            raise FunctionAppError(f"the function app stopped:\n{self._last_words()}")
        return answer

    def _last_words(self) -> str:
        return self.logs()[-_LOG_TAIL:]
