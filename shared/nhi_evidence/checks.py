"""The result of checking a deployment: one check, its state, and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class State(StrEnum):
    """State of a check."""

    OK = "ok"
    FAILED = "failed"
    """It exists, but does not work."""
    CHANGED = "changed"
    """It exists, but differs from what the stacks define."""
    NOT_DEPLOYED = "not deployed"
    """It does not exist."""
    UNKNOWN = "unknown"
    """It could not be checked; its state is unknown."""


WRONG = (State.FAILED, State.CHANGED, State.NOT_DEPLOYED)
"""States that need action."""


class Check(msgspec.Struct, frozen=True):
    """One checked thing in a deployment."""

    scope: str
    """Account, or part of the deployment, it belongs to."""
    what: str
    state: State
    observed: str
    """What was found, or why it could not be checked."""
    remediation: str = ""
    """What to do if it is wrong."""


def differing(wanted: Mapping[str, str], actual: Mapping[str, str]) -> tuple[bool, str]:
    """Whether all wanted settings are set, and which differ, with both values.

    What is missing from `actual` reads "none"; what only `actual` has is ignored.
    """
    others = {
        name: (actual.get(name, "none"), value)
        for name, value in wanted.items()
        if actual.get(name, "none") != value
    }
    faults = "; ".join(f"{name} {now}, not {value}" for name, (now, value) in others.items())
    return not others, faults or f"{len(wanted)} settings, as deployed"
