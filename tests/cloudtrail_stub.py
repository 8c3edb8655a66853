"""CloudTrail's ListPublicKeys on loopback; no emulator here has it."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import botocore.session

MODEL: Any = botocore.session.get_session().get_service_model("cloudtrail")


class CloudTrailStub:
    """Answers one operation with the keys it is given; a context manager."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """`keys` are DER by fingerprint."""
        self.keys = keys
        self.calls: list[dict[str, Any]] = []
        self.refused: str | None = None
        """Error code of every answer, if any."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> CloudTrailStub:
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

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer of one call."""
        assert operation == "ListPublicKeys"
        assert set(request) <= set(MODEL.operation_model(operation).input_shape.members)
        self.calls.append(request)
        if self.refused is not None:
            return 400, {"__type": self.refused, "message": self.refused}
        return 200, {
            "PublicKeyList": [
                {"Fingerprint": name, "Value": b64encode(der).decode()}
                for name, der in self.keys.items()
            ]
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class _CloudTrail(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                pass

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                status, answered = stub.answer(operation, request)
                body = json.dumps(answered).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return _CloudTrail
