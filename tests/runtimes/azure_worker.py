"""A running Azure Functions worker: the real library in a Python 3.13 of its own."""

from __future__ import annotations

import json
import platform
import subprocess
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from infra.bundle import PLATFORMS, stage
from nhi_evidence.azure.event_hub import Message
from tests import own_environment
from tests.python_3_13 import interpreter

ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("azure_worker.txt")
HOST = ROOT / "shared" / "nhi_evidence" / "embedded" / "azure_worker_host.py"
FUNCTION = "azure_export"
_SECONDS = 300


def environment() -> Path:
    """Return the interpreter of the worker's own environment, made when it is not there."""
    return own_environment.interpreter_of("azure-worker", interpreter(), LOCK)


def bundle(into: Path) -> Path:
    """Stage the function for this machine, as it is deployed."""
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    return stage(FUNCTION, PLATFORMS[architecture], into=into).path


class Worker:
    """One worker process with one app; a context manager."""

    def __init__(self, app: Path, settings: Mapping[str, str], log: Path) -> None:
        """Run the app in a folder with these variables and no other."""
        self._app = app
        self._settings = dict(settings)
        self.log = log
        self._count = 0
        self.indexed: list[dict[str, Any]] = []
        """What the worker reports to the host: name, bindings and retry policy."""

    def __enter__(self) -> Worker:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [environment(), "-I", HOST, self._app],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._settings,
                cwd=self._app,
                text=True,
            )
        try:
            self.indexed = self._answer()["functions"]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; nothing of it is left."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_SECONDS)
        finally:
            self._process.kill()
            self._process.stdout.close()

    def invoke(
        self, messages: Sequence[Message], *, partition: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Hand a batch over as the Event Hubs extension does; return status and exception."""
        self._count += 1
        request = {
            "function": FUNCTION,
            "invocation": f"invocation-{self._count}",
            "bodies": [b64encode(one.body).decode() for one in messages],
            "metadata": metadata(messages, partition),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = self._answer()
        return answer

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the worker ended:\n{self.log.read_text()[-3000:]}"
        return json.loads(line)


def metadata(messages: Sequence[Message], partition: Mapping[str, Any]) -> dict[str, Any]:
    """What the extension states of a batch.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-event-hubs-trigger#event-metadata
    """
    system = [
        {"SequenceNumber": one.sequence, "Offset": one.offset, "EnqueuedTimeUtc": one.enqueued}
        for one in messages
    ]
    return {
        "PartitionContext": dict(partition),
        "SystemPropertiesArray": system,
        "PropertiesArray": [{} for _ in messages],
        "PartitionKeyArray": [None for _ in messages],
        "SequenceNumberArray": [one.sequence for one in messages],
        "OffsetArray": [one.offset for one in messages],
        "EnqueuedTimeUtcArray": [one.enqueued for one in messages],
    }
