"""Who acted: the record rules OK-01 to OK-06 (docs/sources/okta_system.md), first match.

Actor types are an open set: an unknown one is kept and named, never taken for a person.
https://developer.okta.com/docs/api/openapi/okta-management/management/tag/SystemLog/
"""

from __future__ import annotations

from typing import NamedTuple

from nhi_evidence.event import Actor, Session, User
from nhi_evidence.identity import Hop, Identity, IdentityKind, Mechanism, chain_hop, decided
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.okta_system.record import Entity, LogEvent, known, text_in

_SYSTEM = frozenset({"SystemPrincipal", "System"})
_APPLICATIONS = frozenset({"PublicClientApp", "PublicClientAppEntity", "AppInstance", "Client"})
_AGENTS = frozenset({"aiagent", "agenticidentity"})
_USER = "User"
_API_TOKEN = "requestApiTokenId"  # noqa: S105 the name of a field
_BY_INVENTORY = ("OK-07",)
_USER_TYPE_USER, _USER_TYPE_SYSTEM, _USER_TYPE_SERVICE, _USER_TYPE_OTHER = 1, 3, 4, 99


class _EventContext(NamedTuple):
    """What decides in an event, apart from its actor."""

    token: str | None
    client: str | None
    session: str | None
    organization: str | None


def actor(event: LogEvent, organization: str | None) -> Actor:
    """Decide who acted, and through whom."""
    context = event.authentication_context
    session = None
    if context:
        session = known(context.external_session_id) or known(context.root_session_id)
    return _actor(
        event.actor or _NOBODY,
        _EventContext(
            text_in(event.transaction.detail if event.transaction else None, _API_TOKEN),
            known(event.client.id) if event.client else None,
            session,
            organization,
        ),
    )


_NOBODY = Entity()


@bounded_cache(results=2048, longest=2048)
def _actor(who: Entity, event_context: _EventContext) -> Actor:
    token, client, session, _ = event_context
    who = Entity(known(who.id), who.type, known(who.alternate_id), known(who.display_name))
    identity = _identify(who, event_context)
    user = None
    if who.id or who.alternate_id or who.display_name:
        user = User(
            uid=who.id or None,
            name=who.alternate_id or who.display_name or None,
            type=who.type or None,
            type_id=_type_of(who),
        )
    return Actor(
        identity=identity,
        user=user,
        session=Session(uid=session, credential_uid=token) if session or token else None,
        hops=_hops(identity, who, token, client),
        app_uid=client,
    )


def _type_of(who: Entity) -> int:
    if who.type == _USER:
        return _USER_TYPE_USER
    if who.type in _SYSTEM:
        return _USER_TYPE_SYSTEM
    return _USER_TYPE_SERVICE if who.type in _APPLICATIONS else _USER_TYPE_OTHER


def _identify(who: Entity, event_context: _EventContext) -> Identity:
    token, client, _, organization = event_context
    labels: tuple[str, ...] = ()
    refinable: tuple[str, ...] = ()
    agentic = None
    if who.type in _SYSTEM:
        kind, rule = IdentityKind.PROVIDER_SERVICE, "OK-01"
    elif who.type in _APPLICATIONS:
        kind, rule = IdentityKind.APPLICATION, "OK-02"
    elif (who.type or "").replace("_", "").lower() in _AGENTS:
        kind, rule, agentic = IdentityKind.AI_AGENT, "OK-03", True
    elif token is not None:
        kind, rule = IdentityKind.API_TOKEN, "OK-04"
    elif who.type == _USER and who.id and client is not None and client != who.id:
        kind, rule = IdentityKind.APPLICATION_OBO, "OK-05a"
    elif who.type == _USER and who.id:
        kind, rule, refinable = IdentityKind.HUMAN, "OK-05b", _BY_INVENTORY
    else:
        kind, rule = IdentityKind.UNKNOWN, "OK-06"
        labels = (f"actor_type:{who.type}",) if who.type else ()
    place = "user" if who.type == _USER else "app"
    return decided(
        kind,
        rule,
        name=who.alternate_id or who.display_name or None,
        uid=who.id or None,
        canonical_uid=f"nhi:okta:{organization}:{place}/{who.id}"
        if organization and who.id
        else None,
        credential_uid=token,
        credential_kind="api_token_id" if token else None,
        is_agentic=agentic,
        labels=labels,
        refinable_by=refinable,
    )


def _hops(
    identity: Identity, who: Entity, token: str | None, client: str | None
) -> tuple[Hop, ...]:
    """Return the chain: a token acts with its maker's rights, an application with its user's."""
    if identity.uid is None:
        return ()
    if identity.decision_rule == "OK-04" and token is not None:
        return (
            chain_hop(0, identity.uid, Mechanism.KEY_USE, canonical_uid=identity.canonical_uid),
            chain_hop(1, token, Mechanism.KEY_USE, credential_uid=token),
        )
    if identity.decision_rule == "OK-05a" and client is not None and who.id:
        return (
            chain_hop(0, who.id, Mechanism.ON_BEHALF_OF, canonical_uid=identity.canonical_uid),
            chain_hop(1, client, Mechanism.ON_BEHALF_OF),
        )
    return ()
