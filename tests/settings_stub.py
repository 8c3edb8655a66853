"""What AWS answers of an estate's settings, on loopback; what it is not given it refuses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import botocore.session

SERVICES = ("cloudtrail", "organizations", "events")
"""Whose operations are named in a header; every other service is refused altogether."""


class SettingsStub:
    """Answers operations by name; a context manager."""

    def __init__(self, answers: dict[str, Any]) -> None:
        """`answers` are bodies by operation."""
        self.answers = answers
        self.calls: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_port}"
        session = botocore.session.get_session()
        self._models = [session.get_service_model(name) for name in SERVICES]

    def environment(self) -> dict[str, str]:
        """Return what leads an AWS SDK here for everything but the store and its roles."""
        names = (*SERVICES, "account", "eks", "api_gateway", "observabilityadmin")
        return {f"AWS_ENDPOINT_URL_{name.upper()}": self.endpoint_url for name in names}

    def __enter__(self) -> SettingsStub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, operation: str) -> tuple[int, Any]:
        """Return status and body of one call."""
        self.calls.append(operation)
        if operation not in self.answers:
            return 400, {"__type": "AccessDeniedException", "message": "not allowed"}
        assert any(operation in model.operation_names for model in self._models), operation
        return 200, self.answers[operation]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class _Aws(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                pass

            def _answered(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                status, answered = stub.answer(target or f"{self.command} {self.path}")
                body = json.dumps(answered).encode()
                self.send_response(status if target else 403)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("x-amzn-ErrorType", "AccessDeniedException")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _answered  # noqa: N815 as inherited

        return _Aws
