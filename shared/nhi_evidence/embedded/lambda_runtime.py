"""A Lambda execution environment on this machine: the Runtime API and the real runtime client.

The runtime client of AWS (`awslambdaric`) runs the handler in a process of its own, as it does in
Lambda; this is the other side of its HTTP interface.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from nhi_evidence.errors import EvidenceError

_PREFIX = "/2018-06-01/runtime/"
_ACCOUNT = "111111111111"
_TIMEOUT_SECONDS = 300.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.2


class InvocationError(EvidenceError):
    """The function raised, failed to start or did not answer in time; says which and why."""


class _Invocation(msgspec.Struct, frozen=True):
    request_id: str
    body: bytes
    deadline_ms: int


class _Answer(msgspec.Struct, frozen=True):
    request_id: str
    """Empty where the function failed to start."""
    kind: str
    body: bytes


class _Server(ThreadingHTTPServer):
    """Ignores that a stopped function drops its waiting connection."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LambdaRuntime:
    """Runs one handler. Use as a context manager; invocations are one at a time."""

    def __init__(
        self,
        folder: Path,
        handler: str,
        *,
        environment: Mapping[str, str],
        log: Path,
        memory_mb: int = 1024,
    ) -> None:
        """Run `handler` (`module.function`) from `folder`, its output going to `log`."""
        self._folder = folder
        self._handler = handler
        self._name = folder.name
        self._log = log
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "AWS_LAMBDA_FUNCTION_NAME": self._name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "LAMBDA_TASK_ROOT": str(folder),
            **environment,
        }
        self._waiting: queue.Queue[_Invocation] = queue.Queue()
        self._answers: queue.Queue[_Answer] = queue.Queue()
        self._server: _Server | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    def __enter__(self) -> LambdaRuntime:
        """Start the Runtime API and the runtime client."""
        self._server = _Server(("127.0.0.1", 0), self._request_handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{self._server.server_port}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own interpreter and arguments
                [sys.executable, "-m", "awslambdaric", self._handler],
                cwd=self._folder,
                env={**self._environment, "AWS_LAMBDA_RUNTIME_API": address},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop both, leaving nothing running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def invoke(self, event: object, *, seconds: float = _TIMEOUT_SECONDS) -> Any:
        """Invoke the function and return its decoded answer.

        `seconds` is only the time the function is told that it has; the wait is as long as ever.
        Raises `InvocationError`.
        """
        self._count += 1
        request_id = f"00000000-0000-4000-8000-{self._count:012d}"
        start = time.time()
        deadline = start + _TIMEOUT_SECONDS
        body = msgspec.json.encode(event)
        self._waiting.put(_Invocation(request_id, body, int((start + seconds) * 1000)))
        while time.time() < deadline:
            try:
                answer = self._answers.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if self._process is None or self._process.poll() is not None:
                    raise InvocationError(f"{self._name} stopped: {self.logs()[-2000:]}") from None
                continue
            if answer.request_id not in {"", request_id}:
                continue  # a late one, to an invocation that was given up
            if answer.kind == "response":
                return msgspec.json.decode(answer.body)
            raise InvocationError(f"{self._name} failed: {answer.body.decode()[:2000]}")
        raise InvocationError(f"{self._name} did not answer within {_TIMEOUT_SECONDS:.0f} s")

    def logs(self) -> str:
        """Return what the function has printed and logged so far."""
        return self._log.read_text(errors="replace")

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class _RuntimeApi(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                """Log nothing; the function's log is what matters."""

            def do_GET(self) -> None:
                if self.path != f"{_PREFIX}invocation/next":
                    self._reply(404, b"{}", {})
                    return
                invocation = runtime._waiting.get()
                arn = f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:{runtime._name}"
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                    "Content-Type": "application/json",
                }
                self._reply(200, invocation.body, headers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                *_, request_id, kind = self.path.split("/")
                request_id = "" if request_id == "init" else request_id
                runtime._answers.put(_Answer(request_id, kind, body))
                self._reply(202, b"{}", {})

            def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return _RuntimeApi
