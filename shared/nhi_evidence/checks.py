"""What looking at a deployed estate comes to: one check, how it stands, and how to mend it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How a check stands."""

    WELL = "well"
    WRONG = "wrong"
    NOT_SEEN = "not seen"
    """Could not be looked at; says nothing of how it is."""


class Check(msgspec.Struct, frozen=True):
    """One thing of an estate."""

    place: str
    """Account, or part of the estate, it belongs to."""
    what: str
    state: State
    found: str
    """What was found, or why it could not be seen."""
    mend: str = ""
    """What to do where it is wrong."""
