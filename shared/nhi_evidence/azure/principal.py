"""Who acted, by a token's claims: the record rules AZ-01 to AZ-06 and AZ-09, first match.

A rule sees a single record. Every pack that reads Azure tokens decides here, so that a token means
the same in every log (docs/sources/azure_activity.md).
https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
https://learn.microsoft.com/entra/agent-id/identity-platform/agent-token-claims
"""

from __future__ import annotations

import re

from nhi_evidence.azure import apps
from nhi_evidence.azure.claims import Claims
from nhi_evidence.azure.text import directory_uid
from nhi_evidence.event import Account, Actor, Session, User
from nhi_evidence.identity import (
    CAPTIONS,
    MECHANISMS,
    Hop,
    Identity,
    IdentityKind,
    Mechanism,
    acting_hop,
)

_AGENT, _AGENT_USER = "11", "13"
"""Facets: an agent identity; an agent's user account."""
_USER, _OTHER = 1, 99
"""OCSF `user.type_id`."""
_PROVEN_BY = {"0": "public_client", "1": "client_secret", "2": "certificate_or_assertion"}
_FIRST_PARTY = re.compile(r"Microsoft(?:\.[A-Za-z]+)+(?:/[A-Za-z]+)*")
_SECONDS = re.compile(r"[0-9]{1,11}")
_SERVICE_PRINCIPAL = "serviceprincipal"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def actor(
    claims: Claims | None, *, caller: str | None = None, principal_type: str | None = None
) -> Actor:
    """Decide who acted.

    `caller` is what the record says apart from the claims, `principal_type` the provider's word for
    the principal whose role assignment allowed the call. The result names the deciding rule.
    """
    token = claims or Claims()
    identity = _identify(token, caller, (principal_type or "").lower())
    return Actor(
        identity=identity,
        user=_user(token, caller),
        session=_session(token),
        hops=_hops(token, identity),
        app_uid=token.appid,
    )


def _identify(claims: Claims, caller: str | None, principal_type: str) -> Identity:
    app = (claims.appid or "").lower()
    if _AGENT_USER in claims.facets:
        return _make_identity(IdentityKind.AI_AGENT_USER, "AZ-03", claims, name=claims.user_name)
    if _AGENT in claims.facets:
        # With a user's token the object id is the user's; the agent is the application.
        uid = claims.appid if claims.scp else None
        return _make_identity(IdentityKind.AI_AGENT, "AZ-03", claims, uid=uid, name=claims.appid)
    if claims.xms_mirid:
        return _make_identity(IdentityKind.MANAGED_IDENTITY, "AZ-01", claims, name=claims.xms_mirid)
    # Only a token with a user has delegated permissions, named or not.
    of_user = claims.user_name or claims.scp
    if claims.idtyp == "app" or (claims.idtyp is None and not of_user and app):
        return _application(claims, app)
    if claims.idtyp == "user" or (of_user and (claims.oid or app or claims.scp)):
        return _person(claims, app)
    return _without_token(claims, caller, principal_type)


def _application(claims: Claims, app: str) -> Identity:
    """Identify the owner of a token without a user: a Microsoft service, or an application."""
    service = apps.SERVICES.get(app)
    if service is not None:
        return _make_identity(IdentityKind.PROVIDER_SERVICE, "AZ-06", claims, name=claims.appid)
    return _make_identity(
        IdentityKind.APPLICATION, "AZ-02", claims, name=claims.appid, refinable_by=("AZ-06",)
    )


def _person(claims: Claims, app: str) -> Identity:
    """Identify who acts with a user's token: the user, or an application on the user's behalf."""
    if app and claims.scp and app not in apps.CLIENTS:
        return _make_identity(
            IdentityKind.APPLICATION_OBO,
            "AZ-04",
            claims,
            uid=claims.appid,
            name=claims.appid,
            refinable_by=("AZ-06",),
        )
    # An agent's user account has a user's token too; only the facets tell it from a person's.
    unsure = () if claims.facets else ("AZ-03",)
    return _make_identity(
        IdentityKind.HUMAN, "AZ-05", claims, name=claims.user_name, refinable_by=unsure
    )


def _without_token(claims: Claims, caller: str | None, principal_type: str) -> Identity:
    """Identify a caller without claims: a Microsoft service by name, a principal by type."""
    name = caller or claims.user_name
    if name and _FIRST_PARTY.fullmatch(name):
        return _make_identity(IdentityKind.PROVIDER_SERVICE, "AZ-06", claims, uid=name, name=name)
    if principal_type == _SERVICE_PRINCIPAL:
        return _make_identity(IdentityKind.APPLICATION, "AZ-02", claims, uid=claims.oid or caller)
    return _make_identity(
        IdentityKind.UNKNOWN, "AZ-09", claims, uid=claims.oid or caller, refinable_by=("AZ-09",)
    )


def _make_identity(
    kind: IdentityKind,
    rule: str,
    claims: Claims,
    *,
    uid: str | None = None,
    name: str | None = None,
    refinable_by: tuple[str, ...] = (),
) -> Identity:
    agent = kind in {IdentityKind.AI_AGENT, IdentityKind.AI_AGENT_USER}
    by_itself = kind is not IdentityKind.APPLICATION_OBO
    blueprint = claims.xms_par_app_azp
    return Identity(
        type_id=kind.value,
        type=CAPTIONS[kind],
        name=name,
        uid=uid or claims.oid or claims.appid,
        canonical_uid=_canonical(kind, claims) if by_itself else None,
        credential_uid=claims.uti,
        credential_kind=_PROVEN_BY.get(claims.appidacr or ""),
        issuer=claims.iss,
        subject=claims.sub,
        is_agentic=True if agent else None,
        decision_rule=rule,
        refinable_by=refinable_by,
        labels=(f"agent_blueprint:{blueprint}",) if agent and blueprint else (),
    )


def _canonical(kind: IdentityKind, claims: Claims) -> str | None:
    """Return an id that survives renaming: the principal's object id in its tenant."""
    is_user = kind in {IdentityKind.HUMAN, IdentityKind.AI_AGENT_USER, IdentityKind.UNKNOWN}
    if not claims.tid or not claims.oid or (kind is IdentityKind.AI_AGENT and claims.scp):
        return None
    return directory_uid(claims.tid, "user" if is_user else "sp", claims.oid)


def _user(claims: Claims, caller: str | None) -> User | None:
    """Return the principal in the provider's own terms."""
    uid = claims.oid or (caller if caller and _GUID.fullmatch(caller) else None)
    name = claims.user_name or claims.xms_mirid or (caller if caller != uid else None)
    if not (uid or name or claims.appid):
        return None
    return User(
        uid=uid or claims.appid,
        name=name,
        type=claims.idtyp,
        type_id=_USER if claims.idtyp == "user" or (claims.scp and not claims.idtyp) else _OTHER,
        account=Account(claims.tid) if claims.tid else None,
    )


def _session(claims: Claims) -> Session | None:
    created, expires = _milliseconds(claims.iat), _milliseconds(claims.exp)
    if not claims.uti and created is None and expires is None:
        return None
    return Session(
        uid=claims.uti,
        credential_uid=claims.uti,
        issuer=claims.iss,
        created_time=created,
        expiration_time=expires,
        is_mfa=True if claims.amr and "mfa" in claims.amr.replace(",", " ").split() else None,
    )


def _milliseconds(seconds: str | None) -> int | None:
    if seconds is None or _SECONDS.fullmatch(seconds) is None:
        return None
    return int(seconds) * 1000


def _hops(claims: Claims, identity: Identity) -> tuple[Hop, ...]:
    """Return the chain: first the user that an application or agent acts for, then itself."""
    if claims.appid is None or claims.oid is None or claims.scp is None:
        return ()
    if identity.type_id not in {IdentityKind.APPLICATION_OBO, IdentityKind.AI_AGENT}:
        return ()
    behalf = Mechanism.ON_BEHALF_OF
    return (
        Hop(
            hop=0,
            uid=claims.oid,
            canonical_uid=directory_uid(claims.tid, "user", claims.oid),
            mechanism_id=behalf.value,
            mechanism=MECHANISMS[behalf],
            issuer=claims.iss,
            created_time=_milliseconds(claims.iat),
        ),
        acting_hop(1, identity),
    )
