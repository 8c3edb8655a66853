"""Build an identity verdict: the parts that all record rules share."""

from __future__ import annotations

from nhi_evidence.azure.text import directory_uid
from nhi_evidence.identity import MECHANISMS, Hop, Identity, Mechanism, acting_hop

BY_FEDERATED_CREDENTIAL = "EN-08"
"""Derived rule: looks up issuer and subject of a federated credential in the directory."""
BY_DIRECTORY = "EN-09"
"""Derived rule: tells by inventory if a principal is a managed identity, agent or first-party."""

_NOT_AGENTIC = "notagentic"
_NOT_TOLD = "unknownfuturevalue"
_AGENT_USER = "agentiduser"


def canonical(tenant: str | None, principal: str, uid: str | None) -> str | None:
    """Return an id that survives renaming, or None if a part is absent."""
    return directory_uid(tenant, principal, uid)


def is_agent(agent_type: str | None) -> bool:
    """Whether an agent type means an agent; the set is open, so any word but "not" ones does."""
    return bool(agent_type) and str(agent_type).lower() not in {_NOT_AGENTIC, _NOT_TOLD}


def is_agent_user(agent_type: str | None) -> bool:
    """Whether an agent type is that of an agent's user account."""
    return (agent_type or "").lower() == _AGENT_USER


def agent_untold(agent_type: str | None) -> bool:
    """Whether a record leaves open if an agent acted: it has no type, or an unknown future one."""
    return agent_type is None or agent_type.lower() == _NOT_TOLD


def chain(*links: tuple[str | None, Mechanism, str | None], actor: Identity) -> tuple[Hop, ...]:
    """Return the hops from the origins a record names to the actor; none without an origin.

    A link is a hop's uid, the mechanism by which it passed its authority on, and its issuer.
    """
    known = [link for link in links if link[0]]
    if not known or actor.uid is None:
        return ()
    hops = [
        Hop(
            hop=position,
            uid=uid or "",
            mechanism_id=mechanism.value,
            mechanism=MECHANISMS[mechanism],
            issuer=issuer,
        )
        for position, (uid, mechanism, issuer) in enumerate(known)
    ]
    return (*hops, acting_hop(len(hops), actor))
