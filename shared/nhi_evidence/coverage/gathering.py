"""Run a collector so that its failure affects no other collector and loses no answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from nhi_evidence.coverage import answers
from nhi_evidence.coverage.answers import READING_VERSION, Answer, Deployment, Reading
from nhi_evidence.errors import EvidenceError

OTHER_SHAPE = (
    msgspec.MsgspecError, KeyError, TypeError, AttributeError, IndexError, ValueError,
    RecursionError,
)  # fmt: skip
"""What a walk raises when an answer is not shaped as documented."""


def gathered(
    platform: str,
    walk: Callable[[], None],
    received: Sequence[Answer],
    *,
    at: int,
    deployment: Deployment,
) -> Reading:
    """Run a collector to its end, or as far as it gets, and return the answers.

    `walk` makes the calls and adds each answer to `received`. If a provider cannot be reached, or
    an answer is not shaped as documented, the answers so far are kept, with the reason.
    """
    error = ""
    try:
        walk()
    except EvidenceError as failed:
        error = str(failed)
    except OTHER_SHAPE as failed:
        error = f"an answer is not shaped as documented: {failed!r}"
    own = Answer(
        call=answers.DEPLOYMENT,
        scope="all",
        answer=msgspec.json.decode(msgspec.json.encode(deployment)),
    )
    ended = (
        [Answer(call=answers.COLLECTOR, scope=platform, status="failed", error=error)]
        if error
        else []
    )
    return answers.bounded(
        Reading(v=READING_VERSION, platform=platform, at=at, answers=(own, *received, *ended))
    )


def refused(platform: str, reason: str, *, at: int, deployment: Deployment) -> Reading:
    """Return the reading of a platform that could not be asked: its cells are unknown, and why."""

    def nothing() -> None:
        raise EvidenceError(reason)

    return gathered(platform, nothing, (), at=at, deployment=deployment)


def unread(reading: Reading) -> tuple[Answer, ...]:
    """Return the answers that tell nothing: denied or failed."""
    return tuple(one for one in reading.answers if one.status in {"denied", "failed"})


def is_empty(reading: Reading) -> bool:
    """Whether the provider answered nothing at all."""
    own_answers = (one for one in reading.answers if one.call != answers.DEPLOYMENT)
    return not any(one.status in {"ok", "absent"} for one in own_answers)
