"""What AWS answers of an estate's settings, on loopback; what it is not given it refuses."""

from __future__ import annotations

import json
from typing import Any

import botocore.session

from tests.loopback import Handler, Loopback

SERVICES = ("cloudtrail", "organizations", "events")
"""Whose operations are named in a header; every other service is refused altogether."""


class SettingsStub(Loopback):
    """Answers operations by name; a context manager."""

    def __init__(self, answers: dict[str, Any]) -> None:
        """`answers` are bodies by operation."""
        self.answers = answers
        self.calls: list[str] = []
        super().__init__(self._handler())
        session = botocore.session.get_session()
        self._models = [session.get_service_model(name) for name in SERVICES]

    def environment(self) -> dict[str, str]:
        """Return what leads an AWS SDK here for everything but the store and its roles."""
        names = (*SERVICES, "account", "eks", "api_gateway", "observabilityadmin")
        return {f"AWS_ENDPOINT_URL_{name.upper()}": self.endpoint_url for name in names}

    def answer(self, operation: str) -> tuple[int, Any]:
        """Return status and body of one call."""
        self.calls.append(operation)
        if operation not in self.answers:
            return 400, {"__type": "AccessDeniedException", "message": "not allowed"}
        assert any(operation in model.operation_names for model in self._models), operation
        return 200, self.answers[operation]

    def _handler(self) -> type[Handler]:
        stub = self

        class _Aws(Handler):
            def _answered(self) -> None:
                self.body()
                target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                status, answered = stub.answer(target or f"{self.command} {self.path}")
                body = json.dumps(answered).encode()
                self.reply(
                    status if target else 403,
                    body,
                    {
                        "Content-Type": "application/x-amz-json-1.1",
                        "x-amzn-ErrorType": "AccessDeniedException",
                    },
                )

            do_GET = do_POST = _answered  # noqa: N815 as inherited

        return _Aws
