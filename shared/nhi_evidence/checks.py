"""What looking at a deployed estate comes to: one check, how it stands, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
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


def differing(wanted: Mapping[str, str], actual: Mapping[str, str]) -> tuple[bool, str]:
    """Whether every wanted setting is as wanted, and which are not, with both values.

    What is not in `actual` reads "none"; what only `actual` has is not looked at.
    """
    others = {
        name: (actual.get(name, "none"), value)
        for name, value in wanted.items()
        if actual.get(name, "none") != value
    }
    faults = "; ".join(f"{name} {now}, not {value}" for name, (now, value) in others.items())
    return not others, faults or f"{len(wanted)} settings, as deployed"
