"""A Cloud Run function on this machine, under Google's own Functions Framework.

The framework serves the function in a process of its own, as it does in Cloud Run; this class posts
the CloudEvents that Eventarc would, or what a push subscription sends.
https://github.com/GoogleCloudPlatform/functions-framework-python
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import msgspec
import urllib3

from nhi_evidence.embedded.loopback_process import HOST, LoopbackProcess

_TIMEOUT_SECONDS = 300.0


class CloudEvent(msgspec.Struct, frozen=True):
    """An event in binary content mode: attributes as headers, data as the body.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
    """

    id: str
    type: str
    source: str
    data: bytes
    subject: str | None = None
    time: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the attributes that are set as headers."""
        attributes = {
            "id": self.id,
            "type": self.type,
            "source": self.source,
            "subject": self.subject,
            "time": self.time,
            "specversion": "1.0",
        }
        headers = {f"ce-{name}": value for name, value in attributes.items() if value is not None}
        return headers | {"Content-Type": "application/json"}


class CloudRunRuntime:
    """Serves one function. Use as a context manager."""

    def __init__(
        self, folder: Path, target: str, *, environment: Mapping[str, str], log: Path
    ) -> None:
        """Serve `target` of `main.py` in `folder`, its output going to `log`."""
        self._process = LoopbackProcess(
            lambda port: [
                sys.executable,
                "-m",
                "functions_framework",
                "--source=main.py",
                f"--target={target}",
                "--signature-type=cloudevent",
                f"--host={HOST}",
                f"--port={port}",
            ],
            log=log,
            folder=folder,
            environment={
                "K_SERVICE": folder.name,
                "K_REVISION": f"{folder.name}-00001",
                "FUNCTION_TARGET": target,
                **environment,
            },
        )
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)

    def __enter__(self) -> CloudRunRuntime:
        """Start the framework. Raises `ProcessError`."""
        self._process.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, leaving nothing running."""
        self._http.clear()
        self._process.__exit__(kind, error, trace)

    def deliver(self, event: CloudEvent) -> int:
        """Post an event and return the status; the platform redelivers unless it is 2xx."""
        url = f"http://{HOST}:{self._process.port}/"
        answer = self._http.request("POST", url, body=event.data, headers=event.headers())
        return answer.status

    def push(self, topic: str, message: bytes) -> int:
        """Post a message as a push subscription of a topic does, and return the status.

        https://docs.cloud.google.com/pubsub/docs/push#receive_push
        """
        url = f"http://{HOST}:{self._process.port}/{topic}"
        headers = {"Content-Type": "application/json"}
        return self._http.request("POST", url, body=message, headers=headers).status

    def logs(self) -> str:
        """Return what the function has printed and logged so far."""
        return self._process.logs()
