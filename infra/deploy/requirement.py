"""What has to be there before a deployment: one line each, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Standing(StrEnum):
    """How a requirement stands."""

    OK = "ok"
    MISSING = "missing"
    """The deployment would fail, or bring no evidence: nothing is deployed."""
    NOTE = "note"
    """To be known, or to be done elsewhere; it stops nothing."""
    UNSEEN = "not checked"
    """Could not be asked; it stops nothing, and is not called well."""


NOTHING_ASKED = 4
"""Exit code where nothing could be asked, as of `nhi-evidence doctor`."""


class Requirement(msgspec.Struct, frozen=True):
    """One requirement."""

    scope: str
    standing: Standing
    text: str
    """What was found; of what is missing, what to do."""

    def __str__(self) -> str:
        return f"  {self.standing:12} {self.scope}: {self.text}"


def nothing_asked(requirements: Iterable[Requirement]) -> bool:
    """Whether none of them was asked, though there are some: this says neither well nor missing."""
    standings = {one.standing for one in requirements} - {Standing.NOTE}
    return standings == {Standing.UNSEEN}


def verdict(requirements: Iterable[Requirement]) -> str:
    """Return what all of them come to, for the first line."""
    count = Counter(one.standing for one in requirements)
    summary = ", ".join(f"{count[one]} {one}" for one in Standing if count[one])
    return f"{'not ready' if count[Standing.MISSING] else 'ready'}: {summary or 'nothing to check'}"
