"""Which events are evidence: actor or target is non-human, or the record cannot tell.

Only a human acting on nothing that concerns non-human identities is out of scope. In doubt the
record is kept, and a guess is doubt: without a catalog row, only a plain read is left out. What is
out of scope is counted by reason, never just left out.
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
        Phase.EXECUTION,
    }
)
"""Base phases that create, use, empower or hide non-human identities, whoever acts.

What is executed runs with an identity of its own: a function's role, a pod's service account.
"""
_READS = frozenset({Phase.ENUMERATION, Phase.DATA_ACCESS})
_API_ACTIVITY, _READ = 6003, 2
"""OCSF API Activity, and its activity Read."""


def out_of_scope(event: Event, classification: Classification, scope: Scope) -> str | None:
    """Return why an event is out of scope; None if it is kept."""
    if scope is Scope.ALL or event.actor.identity.type_id != IdentityKind.HUMAN:
        return None
    if event.about.is_nhi or classification.base_phase in _GOVERNING:
        return None
    if classification.phase in _GOVERNING:
        return None
    if classification.is_guess and not _is_plain_read(classification):
        return None
    return HUMAN


def _is_plain_read(classification: Classification) -> bool:
    """Whether a guess says that something was read, and nothing else."""
    return classification.base_phase in _READS and (
        classification.class_uid,
        classification.activity_id,
    ) == (_API_ACTIVITY, _READ)
