"""Which events are evidence: actor or target is non-human, or the record cannot tell.

Only a human acting on nothing that concerns non-human identities is out of scope. In doubt the
record is kept. What is out of scope is counted by reason, never just left out.
"""

from __future__ import annotations

from enum import StrEnum

from nhi_evidence.event import Event
from nhi_evidence.identity import IdentityKind
from nhi_evidence.phases import Classification, Phase


class Scope(StrEnum):
    """What an export keeps."""

    NHI = "nhi"
    ALL = "all"


HUMAN = "human"
"""Reason: a human acted, and the record names no non-human identity, credential or log control."""

_GOVERNING = frozenset(
    {
        Phase.UNKNOWN,
        Phase.TOKEN_ISSUANCE,
        Phase.SECRET_ACCESS,
        Phase.CREDENTIAL_LIFECYCLE,
        Phase.IDENTITY_LIFECYCLE,
        Phase.PRIVILEGE_CHANGE,
        Phase.DEFENSE_EVASION,
        Phase.AGENT_ACTION,
    }
)
"""Base phases that make, use, empower or hide non-human identities, whoever acts."""


def out_of_scope(event: Event, classification: Classification, scope: Scope) -> str | None:
    """Return why an event is out of scope, or None to keep it."""
    if scope is Scope.ALL or event.actor.identity.type_id != IdentityKind.HUMAN:
        return None
    if event.about.is_nhi or classification.base_phase in _GOVERNING:
        return None
    if classification.phase in _GOVERNING:
        return None
    return HUMAN
