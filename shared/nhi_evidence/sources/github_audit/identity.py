"""Who acted: the record rules GH-01 to GH-09 (docs/sources/github_audit.md), first match.

A token's type is in `programmatic_access_type`; its id is the hash of the token, which is what
GitHub searches by. A machine user's account is like a person's: only an inventory can tell them
apart (`GH-10`).
https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/identifying-audit-log-events-performed-by-an-access-token
https://docs.github.com/en/copilot/reference/enterprise-administrators/agentic-audit-log-events
"""

from __future__ import annotations

from typing import NamedTuple

from nhi_evidence.event import Actor, Session, User
from nhi_evidence.identity import Hop, Identity, IdentityKind, Mechanism, chain_hop, decided
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.github_audit.record import (
    Entry,
    Number,
    first,
    is_about_token,
    text_of,
)

_ACTIONS = "github-actions[bot]"
_BOT = "[bot]"
_DEPLOY_KEY = "deploy_key"
_SYSTEM = frozenset({"GitHub System", "GitHub", "github-system"})
_BY_INVENTORY = ("GH-10",)
_USER_TYPE_UNKNOWN, _USER_TYPE_USER, _USER_TYPE_SYSTEM, _USER_TYPE_SERVICE = 0, 1, 3, 4
_USER_TYPES = {
    IdentityKind.AI_AGENT: _USER_TYPE_SERVICE,
    IdentityKind.APPLICATION: _USER_TYPE_SERVICE,
    # `actor` is then whom the application acts for.
    IdentityKind.APPLICATION_OBO: _USER_TYPE_USER,
    IdentityKind.CI_JOB: _USER_TYPE_SERVICE,
    IdentityKind.HUMAN: _USER_TYPE_USER,
    IdentityKind.HUMAN_PROGRAMMATIC: _USER_TYPE_USER,
    IdentityKind.MACHINE_KEY: _USER_TYPE_SERVICE,
    IdentityKind.PROVIDER_SERVICE: _USER_TYPE_SYSTEM,
}
"""What the account in `actor` is; a kind that is not here does not say."""


class Caller(NamedTuple):
    """The attributes of an entry that say who acted, unchanged."""

    actor: str | None
    actor_id: Number
    actor_is_agent: bool | None
    actor_is_bot: bool | None
    agent_session_id: str | None
    application_client_id: str | None
    oauth_application_id: Number
    oauth_application_name: str | None
    programmatic_access_type: str | None
    hashed_token: str | None
    token_id: Number
    enterprise: str | None
    user: str | None
    user_id: Number


def actor(entry: Entry) -> Actor:
    """Decide who acted, and through whom."""
    is_agent = entry.actor_is_agent
    return _actor(
        Caller(
            entry.actor,
            entry.actor_id,
            is_agent,
            entry.actor_is_bot,
            entry.agent_session_id,
            entry.application_client_id,
            entry.oauth_application_id,
            entry.oauth_application_name,
            entry.programmatic_access_type,
            entry.hashed_token,
            None if is_about_token(entry) else entry.token_id,
            text_of(entry.business_id) or first(entry.org_id),
            # In other entries `user` is whom it was done to, which decides nothing.
            entry.user if is_agent else None,
            entry.user_id if is_agent else None,
        )
    )


@bounded_cache(results=2048, longest=2048)
def _actor(entry: Caller) -> Actor:
    identity = _identify(entry)
    name, uid = entry.actor or None, text_of(entry.actor_id)
    user = None
    if name or uid:
        kind = IdentityKind(identity.type_id)
        user = User(uid=uid, name=name, type_id=_USER_TYPES.get(kind, _USER_TYPE_UNKNOWN))
    session = None
    if identity.credential_uid or entry.agent_session_id:
        session = Session(
            uid=entry.agent_session_id or None, credential_uid=identity.credential_uid
        )
    return Actor(
        identity=identity,
        user=user,
        session=session,
        hops=_hops(entry, identity),
        app_uid=entry.application_client_id or text_of(entry.oauth_application_id),
        app_name=entry.oauth_application_name or None,
    )


def _identify(entry: Caller) -> Identity:
    access = (entry.programmatic_access_type or "").lower()
    name = entry.actor or ""
    if entry.actor_is_agent:
        labels = (f"agent_session:{entry.agent_session_id}",) if entry.agent_session_id else ()
        return _identity(entry, IdentityKind.AI_AGENT, "GH-01", is_agentic=True, labels=labels)
    if "server-to-server" in access or access == "github_app":
        if name == _ACTIONS:
            return _identity(entry, IdentityKind.CI_JOB, "GH-02a")
        return _identity(entry, IdentityKind.APPLICATION, "GH-02b")
    if "user-to-server" in access:
        return _identity(entry, IdentityKind.APPLICATION_OBO, "GH-03")
    if "oauth" in access:
        return _identity(entry, IdentityKind.APPLICATION_OBO, "GH-04")
    if "personal access token" in access or access == "personal_access_token":
        return _identity(
            entry, IdentityKind.HUMAN_PROGRAMMATIC, "GH-05", refinable_by=_BY_INVENTORY
        )
    if "public key" in access or _DEPLOY_KEY in (name, access):
        if name == _DEPLOY_KEY or text_of(entry.actor_id) is None:
            return _identity(entry, IdentityKind.MACHINE_KEY, "GH-06a")
        return _identity(
            entry, IdentityKind.HUMAN_PROGRAMMATIC, "GH-06b", refinable_by=_BY_INVENTORY
        )
    if entry.actor_is_bot or name.endswith(_BOT):
        return _identity(entry, IdentityKind.APPLICATION, "GH-07")
    if access or entry.hashed_token or text_of(entry.token_id):
        return _identity(entry, IdentityKind.API_TOKEN, "GH-08", refinable_by=_BY_INVENTORY)
    if name in _SYSTEM:
        return _identity(entry, IdentityKind.PROVIDER_SERVICE, "GH-09a")
    if not name:
        return _identity(entry, IdentityKind.UNKNOWN, "GH-09c")
    return _identity(entry, IdentityKind.HUMAN, "GH-09b", refinable_by=_BY_INVENTORY)


def _identity(
    entry: Caller,
    kind: IdentityKind,
    rule: str,
    *,
    is_agentic: bool | None = None,
    labels: tuple[str, ...] = (),
    refinable_by: tuple[str, ...] = (),
) -> Identity:
    uid = text_of(entry.actor_id)
    enterprise = entry.enterprise
    token = text_of(entry.token_id)
    credential = entry.hashed_token or token
    if entry.hashed_token and token:
        # Entries about a token, and those without its hash, have this id of it alone.
        labels = (*labels, f"token_id:{token}")
    kind_of_credential = "token_hash" if entry.hashed_token else "token_id" if credential else None
    return decided(
        kind,
        rule,
        name=entry.actor or None,
        uid=uid or entry.actor or None,
        canonical_uid=f"nhi:github:{enterprise}:actor/{uid}" if enterprise and uid else None,
        credential_uid=credential,
        credential_kind=kind_of_credential,
        is_agentic=is_agentic,
        labels=labels,
        refinable_by=refinable_by,
        is_chain_complete=False if is_agentic else None,
    )


def _hops(entry: Caller, identity: Identity) -> tuple[Hop, ...]:
    """Return the chain: `user` starts an agent; an application acts for the person named actor."""
    if identity.uid is None:
        return ()
    if identity.is_agentic and entry.user and entry.user != entry.actor:
        starter = text_of(entry.user_id) or entry.user
        return (
            chain_hop(0, starter, Mechanism.AGENT_INVOCATION),
            chain_hop(
                1,
                identity.uid,
                Mechanism.AGENT_INVOCATION,
                canonical_uid=identity.canonical_uid,
                credential_uid=identity.credential_uid,
            ),
        )
    application = entry.application_client_id or text_of(entry.oauth_application_id)
    if identity.type_id == IdentityKind.APPLICATION_OBO and application:
        return (
            chain_hop(
                0,
                identity.uid,
                Mechanism.ON_BEHALF_OF,
                canonical_uid=identity.canonical_uid,
            ),
            chain_hop(
                1,
                application,
                Mechanism.ON_BEHALF_OF,
                credential_uid=identity.credential_uid,
            ),
        )
    return ()
