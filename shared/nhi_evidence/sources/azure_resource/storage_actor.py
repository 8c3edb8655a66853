"""Who called Storage: the record rules AZ-07a to AZ-07g (docs/sources/azure_resource.md).

Only a call with OAuth names a principal. A shared access signature or an account key is known only
by the hash of its token, and its holder is not known.
"""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.azure import apps
from nhi_evidence.azure.text import directory_uid, non_empty
from nhi_evidence.event import Account, Actor, Session, User
from nhi_evidence.identity import (
    MECHANISMS,
    Hop,
    Identity,
    IdentityKind,
    Mechanism,
    acting_hop,
    decided,
)
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested
from nhi_evidence.sources.azure_resource.record import is_absent

_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4
_ACCOUNT_KEY = re.compile(r"(?:key1|key2|[\w ]+)\([0-9A-Fa-f]+\)")
_SIGNATURE = re.compile(r"SasSignature\([0-9A-Fa-f]+\)")
_BY_DIRECTORY = "AZ-09"


class Requester(msgspec.Struct, frozen=True, gc=False):
    """`identity.requester` of a call with OAuth."""

    appId: str | None = None
    objectId: str | None = None
    tenantId: str | None = None
    tokenIssuer: str | None = None
    upn: str | None = None


class Principal(msgspec.Struct, frozen=True, gc=False):
    """One element of an authorization's `principals`."""

    id: str | None = None
    type: str | None = None


class Authorization(msgspec.Struct, frozen=True, gc=False):
    """One element of `identity.authorization`."""

    principals: list[Principal] | None = None


class Caller(msgspec.Struct, frozen=True, gc=False):
    """`identity` of a Storage record."""

    type: str | None = None
    tokenHash: str | None = None
    requester: Requester | None = None
    authorization: list[Authorization] | None = None


_caller = LenientDecoder(Caller, fold_case=True)


@bounded_cache(results=2048, longest=16_384)
def actor(identity: bytes) -> tuple[Actor, tuple[str, ...]]:
    """Decide who called; the second value names attributes that could not be used.

    Raises as `msgspec.json.decode` does when the slice cannot be decoded.
    """
    if is_absent(msgspec.Raw(identity)):
        return Actor(identity=decided(IdentityKind.UNKNOWN, "AZ-07g")), ()
    try:
        caller, unusable = _caller.part_leniently(nested(identity), "identity")
    except msgspec.ValidationError:
        return Actor(identity=decided(IdentityKind.UNKNOWN, "AZ-07g")), ("identity",)
    kind = "".join((caller.type or "").lower().split())
    if kind in {"oauth", "bearer"} and caller.requester is not None:
        return _by_token(caller, caller.requester), unusable
    if kind.endswith(("sas", "saskey")):
        return _by_signature(caller), unusable
    if kind in {"accountkey", "sharedkey"}:
        return _by_key(caller), unusable
    if kind == "anonymous":
        return Actor(identity=decided(IdentityKind.ANONYMOUS, "AZ-07f")), unusable
    hash_ = non_empty(caller.tokenHash)
    identity_ = decided(IdentityKind.UNKNOWN, "AZ-07g", credential_uid=hash_)
    return Actor(identity=identity_, session=_session(hash_)), unusable


def _by_token(caller: Caller, requester: Requester) -> Actor:
    """Identify a token's principal; its name or its role assignment says if it is a user."""
    oid, app, tenant = (
        non_empty(requester.objectId),
        non_empty(requester.appId),
        non_empty(requester.tenantId),
    )
    upn, hash_ = non_empty(requester.upn), non_empty(caller.tokenHash)
    is_user = upn is not None or "user" in _principal_types(caller, oid)
    by_client = app is None or app.lower() in apps.CLIENTS
    if is_user and not by_client:
        kind, rule, uid, name = IdentityKind.APPLICATION_OBO, "AZ-07b", app, app
    elif is_user:
        kind, rule, uid, name = IdentityKind.HUMAN, "AZ-07a", oid, upn
    else:
        kind, rule, uid, name = IdentityKind.APPLICATION, "AZ-07c", oid or app, app
    is_application = kind is IdentityKind.APPLICATION
    verdict = decided(
        kind,
        rule,
        uid=uid,
        name=name,
        canonical_uid=directory_uid(tenant, "sp", oid) if is_application else None,
        credential_uid=hash_,
        credential_kind="access_token" if hash_ else None,
        issuer=non_empty(requester.tokenIssuer),
        subject=oid if kind is IdentityKind.APPLICATION_OBO else None,
        refinable_by=(_BY_DIRECTORY,),
        is_chain_complete=False,
    )
    return Actor(
        identity=verdict,
        user=User(
            uid=oid or app,
            name=upn,
            type_id=_USER_TYPE_USER if is_user else _USER_TYPE_SERVICE,
            account=Account(tenant) if tenant else None,
        )
        if oid or app
        else None,
        session=_session(hash_, non_empty(requester.tokenIssuer)),
        hops=_behalf(oid, verdict) if kind is IdentityKind.APPLICATION_OBO else (),
        app_uid=app,
    )


def _principal_types(caller: Caller, oid: str | None) -> set[str]:
    return {
        (one.type or "").lower()
        for authorization in caller.authorization or ()
        for one in authorization.principals or ()
        if oid is None or (one.id or "").lower() == oid.lower()
    }


def _by_signature(caller: Caller) -> Actor:
    """Identify a shared access signature by its hash, which follows that of the signing key."""
    hash_ = non_empty(caller.tokenHash)
    signature, key = _SIGNATURE.search(hash_ or ""), _ACCOUNT_KEY.match(hash_ or "")
    own = signature[0] if signature else hash_
    verdict = decided(
        IdentityKind.UNATTRIBUTED_TOKEN,
        "AZ-07d",
        uid=hash_,
        credential_uid=own,
        credential_kind="shared_access_signature",
        is_chain_complete=False,
    )
    hops: tuple[Hop, ...] = ()
    if signature and key and hash_:
        minted = Mechanism.SESSION_MINT
        hops = (
            Hop(hop=0, uid=key[0], mechanism_id=minted.value, mechanism=MECHANISMS[minted]),
            acting_hop(1, verdict),
        )
    return Actor(identity=verdict, session=_session(own), hops=hops)


def _by_key(caller: Caller) -> Actor:
    hash_ = non_empty(caller.tokenHash)
    verdict = decided(
        IdentityKind.UNATTRIBUTED_TOKEN,
        "AZ-07e",
        uid=hash_,
        credential_uid=hash_,
        credential_kind="account_key",
    )
    return Actor(identity=verdict, session=_session(hash_))


def _behalf(user: str | None, verdict: Identity) -> tuple[Hop, ...]:
    if user is None or verdict.uid is None:
        return ()
    behalf = Mechanism.ON_BEHALF_OF
    return (
        Hop(hop=0, uid=user, mechanism_id=behalf.value, mechanism=MECHANISMS[behalf]),
        acting_hop(1, verdict),
    )


def _session(credential: str | None, issuer: str | None = None) -> Session | None:
    return Session(credential_uid=credential, issuer=issuer) if credential or issuer else None
