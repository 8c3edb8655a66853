"""The seven verdicts on a cell, and how the verdicts on its parts combine."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What is known about a cell at a time."""

    PROVEN = "PROVEN"
    """A canary's record was seen in the evidence."""
    CONFIGURED = "CONFIGURED"
    """The settings that were read record it and deliver it here; nothing proves it."""
    BROKEN = "BROKEN"
    """Configured, but a canary's record did not arrive, or not as it should."""
    GAP = "GAP"
    """It could be recorded, but is not, or not all of it."""
    IMPOSSIBLE = "IMPOSSIBLE"
    """No setting of the provider records it."""
    ELSEWHERE = "ELSEWHERE"
    """It is recorded, but not in this evidence."""
    UNKNOWN = "UNKNOWN"
    """A setting or a license could not be read, or nothing was collected."""

    @property
    def is_recorded_here(self) -> bool:
        """Whether such an event would be in this evidence, as far as is known."""
        return self in {Verdict.PROVEN, Verdict.CONFIGURED}


_WORST_FIRST = (
    Verdict.GAP,
    Verdict.BROKEN,
    Verdict.ELSEWHERE,
    Verdict.UNKNOWN,
    Verdict.IMPOSSIBLE,
    Verdict.CONFIGURED,
    Verdict.PROVEN,
)


class Judgment(msgspec.Struct, frozen=True, omit_defaults=True):
    """An evaluator's conclusion: a verdict and what it rests on."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Sentences without a full stop, the most important first; never empty."""
    missing: tuple[str, ...] = ()
    """What is not recorded, each as one phrase: an account, a resource, a kind of event."""
    answers: tuple[str, ...] = ()
    """Names of the answers it rests on (`answers.Answer.name`)."""

    @property
    def reason(self) -> str:
        """The first reason."""
        return self.reasons[0]


def impossible(reason: str) -> Judgment:
    """Return the judgment that no setting records it."""
    return Judgment(Verdict.IMPOSSIBLE, (reason,))


def unknown(*reasons: str, answers: tuple[str, ...] = ()) -> Judgment:
    """Return the judgment that it could not be read."""
    return Judgment(Verdict.UNKNOWN, reasons, answers=answers)


def all_of(judgments: Iterable[Judgment]) -> Judgment:
    """Return the judgment of a whole whose parts must all be recorded: the worst decides.

    Raises `ValueError` without any part: the caller must say what it means that there is none.
    """
    parts = list(judgments)
    if not parts:
        raise ValueError("no parts to judge")
    worst = min((part.verdict for part in parts), key=_WORST_FIRST.index)
    deciding = [part for part in parts if part.verdict is worst]
    return Judgment(
        worst,
        _once(reason for part in deciding for reason in part.reasons),
        _once(name for part in parts for name in part.missing),
        _once(name for part in parts for name in part.answers),
    )


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
