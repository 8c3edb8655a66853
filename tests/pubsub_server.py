"""Pub/Sub on loopback, as much of it as publishing to a topic takes, handing messages on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.loopback import Handler, Loopback


class PubsubServer(Loopback):
    """Takes publications and pushes each message to `push`, which answers with a status."""

    def __init__(self, push: Callable[[str, bytes], int]) -> None:
        self.status = 200
        self.pushed: list[int] = []
        self.published: list[dict[str, Any]] = []
        server = self

        class _Pubsub(Handler):
            def do_POST(self) -> None:  # noqa: N802 as inherited
                sent = json.loads(self.body())
                topic = self.path.removeprefix("/v1/").removesuffix(":publish")
                body = json.dumps(server.publish(topic, sent["messages"], push)).encode()
                self.reply(server.status, body)

        super().__init__(_Pubsub)

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
        return {"PUBSUB_EMULATOR_HOST": self.address}
