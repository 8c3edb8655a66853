"""Change single answers of a reading, for the gaps a demo plants and a test needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from nhi_evidence.coverage.answers import Answer, Reading

Change = Callable[[Reading], Reading]


def edited(call: str, edit: Callable[[Any], Any], scope: str | None = None) -> Change:
    """Change the body of every answer to a call, at one scope or at any."""

    def change(reading: Reading) -> Reading:
        before = [a for a in reading.all(call) if scope in (None, a.scope)]
        if not before:
            raise ValueError(f"the estate has no answer {call} {scope}")
        for answer in before:
            copied = msgspec.json.decode(msgspec.json.encode(answer.answer))
            after = msgspec.structs.replace(answer, answer=edit(copied))
            reading = reading.replaced(answer, after)
        return reading

    return change


def refused(call: str, scope: str | None = None) -> Change:
    """Refuse every answer to a call."""

    def change(reading: Reading) -> Reading:
        for answer in [a for a in reading.all(call) if scope in (None, a.scope)]:
            denied = msgspec.structs.replace(
                answer, status="denied", error="AccessDenied", answer=None
            )
            reading = reading.replaced(answer, denied)
        return reading

    return change


def added(answer: Answer) -> Change:
    """Add an answer."""
    return lambda reading: msgspec.structs.replace(reading, answers=(*reading.answers, answer))


def without_source(source: str) -> Change:
    """Take a source out of the deployment."""

    def edit(deployment: dict[str, Any]) -> dict[str, Any]:
        kept = [one for one in deployment["sources"] if one["source"] != source]
        return {"sources": kept}

    return edited("nhi-evidence:Deployment", edit)


def put(**values: object) -> Callable[[Any], Any]:
    """Set members of a body."""
    return lambda body: {**body, **values}
