"""The phases of what a non-human identity does, and the classification of an event."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Phase(IntEnum):
    """Value of `nhi_phase_id`: what an operation means on the way from first touch to misuse."""

    UNKNOWN = 0
    CREDENTIAL_VALIDATION = 1
    TOKEN_ISSUANCE = 2
    ENUMERATION = 3
    PERMISSION_PROBING = 4
    FAILED_ATTEMPT = 5
    SECRET_ACCESS = 6
    DATA_ACCESS = 7
    CREDENTIAL_LIFECYCLE = 8
    IDENTITY_LIFECYCLE = 9
    PRIVILEGE_CHANGE = 10
    DEFENSE_EVASION = 11
    AGENT_ACTION = 12
    EXECUTION = 13
    IMPACT = 14
    ROUTINE = 15


GUESS = "fallback:"
"""Prefix of the first rule of a classification that no row made (docs/catalog.md)."""


class Classification(msgspec.Struct, frozen=True, gc=False):
    """The catalog's classification of an event."""

    base_phase: Phase
    """What the operation means, whatever its outcome."""
    phase: Phase
    """The effective phase, after outcome and parameters."""
    sub_phase: str | None
    rules: tuple[str, ...]
    """Ids of the row, override and overlay that decided, in the order they fired."""
    class_uid: int
    """OCSF class in the table; the writer may fall back if the record lacks a part."""
    activity_id: int
    refinable_by: tuple[str, ...] = ()
    """Derived rules that could decide more with history."""

    @property
    def is_guess(self) -> bool:
        """Whether no row names the operation: words, access levels or nothing decided."""
        return not self.rules or self.rules[0].startswith(GUESS)
