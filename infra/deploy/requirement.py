"""What a deployment requires beforehand: one line each, and a verdict on all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Standing(StrEnum):
    """How a requirement stands."""

    OK = "ok"
    MISSING = "missing"
    """The deployment would fail, or yield no evidence: nothing is deployed."""
    NOTE = "note"
    """Something to know, or to do elsewhere; it stops nothing."""
    UNSEEN = "not checked"
    """Could not be asked; it stops nothing, but is not reported as met."""


STEP_FAILED = 5
"""Exit code if a program that deploys failed. Its own code could be one of these."""

NOTHING_ASKED = 4
"""Exit code if nothing could be asked, the same as of `nhi-evidence doctor`."""


class Requirement(msgspec.Struct, frozen=True):
    """One requirement."""

    scope: str
    standing: Standing
    text: str
    """What was found; if something is missing, what to do."""

    def __str__(self) -> str:
        return f"  {self.standing:12} {self.scope}: {self.text}"


def nothing_asked(requirements: Iterable[Requirement]) -> bool:
    """Return whether there are requirements, and none could be checked."""
    standings = {one.standing for one in requirements} - {Standing.NOTE}
    return standings == {Standing.UNSEEN}


def verdict(requirements: Iterable[Requirement]) -> str:
    """Return the verdict on all of them, for the first line."""
    count = Counter(one.standing for one in requirements)
    summary = ", ".join(f"{count[one]} {one}" for one in Standing if count[one])
    return f"{'not ready' if count[Standing.MISSING] else 'ready'}: {summary or 'nothing to check'}"
