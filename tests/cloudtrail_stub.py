"""CloudTrail's ListPublicKeys on loopback; no emulator here has it."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import botocore.session

from tests.loopback import Handler, Loopback

MODEL: Any = botocore.session.get_session().get_service_model("cloudtrail")


class CloudTrailStub(Loopback):
    """Answers one operation with the keys it is given; a context manager."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        """`keys` are DER by fingerprint."""
        self.keys = keys
        self.calls: list[dict[str, Any]] = []
        self.refused: str | None = None
        """Error code of every answer, if any."""
        super().__init__(self._handler())

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

    def _handler(self) -> type[Handler]:
        stub = self

        class _CloudTrail(Handler):
            def do_POST(self) -> None:  # noqa: N802 as inherited
                request = json.loads(self.body())
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                status, answered = stub.answer(operation, request)
                body = json.dumps(answered).encode()
                self.reply(status, body, {"Content-Type": "application/x-amz-json-1.1"})

        return _CloudTrail
