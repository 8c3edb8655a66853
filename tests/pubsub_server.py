"""Pub/Sub on loopback, as much of it as publishing to a topic takes, handing messages on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


class PubsubServer:
    """Takes publications and pushes each message to `push`, which answers with a status."""

    def __init__(self, push: Callable[[str, bytes], int]) -> None:
        self.status = 200
        self.pushed: list[int] = []
        self.published: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as inherited
                pass

            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                topic = self.path.removeprefix("/v1/").removesuffix(":publish")
                body = json.dumps(server.publish(topic, sent["messages"], push)).encode()
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def publish(
        self, topic: str, messages: list[dict[str, Any]], push: Callable[[str, bytes], int]
    ) -> dict[str, Any]:
        """Number the messages, push each, and answer as `projects.topics.publish` does."""
        if self.status != 200:
            return {"error": {"code": self.status, "message": "no"}}
        numbers = []
        for message in messages:
            self.published.append({"topic": topic, **message})
            numbers.append(str(len(self.published)))
            wrapped = {
                "message": {**message, "messageId": numbers[-1]},
                "subscription": "projects/example-prod/subscriptions/nhi-evidence-export",
            }
            self.pushed.append(push(topic, json.dumps(wrapped).encode()))
        return {"messageIds": numbers}

    def environment(self) -> dict[str, str]:
        """Return the variable by which Google's own clients find another Pub/Sub."""
        return {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{self._http.server_port}"}

    def __enter__(self) -> PubsubServer:
        """Serve."""
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; nothing is left running."""
        self._http.shutdown()
        self._http.server_close()
