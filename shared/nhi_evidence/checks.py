"""What looking at a deployed estate comes to: one check, how it stands, and how to mend it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How a check stands."""

    OK = "ok"
    FAILED = "failed"
    """It is there, and does not do its work."""
    CHANGED = "changed"
    """It is there, and is not what the stacks write."""
    NOT_DEPLOYED = "not deployed"
    """It is not there."""
    UNKNOWN = "unknown"
    """Could not be looked at; says nothing of how it is."""


WRONG = (State.FAILED, State.CHANGED, State.NOT_DEPLOYED)
"""States that something must be done about."""


class Check(msgspec.Struct, frozen=True):
    """One thing of an estate."""

    scope: str
    """Account, or part of the estate, it belongs to."""
    what: str
    state: State
    observed: str
    """What was found, or why it could not be seen."""
    remediation: str = ""
    """What to do where it is wrong."""
