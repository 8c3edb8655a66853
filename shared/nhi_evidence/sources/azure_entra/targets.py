"""What an audited change was about: `targetResources`, and the properties it changed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.azure.text import non_empty
from nhi_evidence.event import About, Account, Owner, Target, User
from nhi_evidence.reading.lenient_decoder import decode_leniently, nested
from nhi_evidence.sources.azure_entra.changes import (
    Change,
    Credential,
    credentials,
    first_text,
    granted,
)
from nhi_evidence.sources.azure_entra.record import EMPTY, Audit, TargetResource

_NHI_TYPES = frozenset({"serviceprincipal", "application", "app", "agent", "managedidentity"})
_AGENTIC = "agentic"
_USER = "user"
_GROUP = "group"
_USER_TYPE_USER, _USER_TYPE_SERVICE = 1, 4

_PRIVILEGES = (
    "AppRole.Value",
    "DelegatedPermissionGrant.Scope",
    "Role.DisplayName",
    "ConsentAction.Permissions",
)
"""Properties that name what is granted or revoked."""
_GRANTEE_UID = ("ServicePrincipal.ObjectID",)
_GRANTEE_NAME = ("ServicePrincipal.DisplayName",)
_GRANTS = ("AppRole.Value", "DelegatedPermissionGrant.Scope")
"""Properties that show a grant: its target is the API, and its grantee is another property."""
_FEDERATED_TYPE = "FederatedIdentityCredential"


def read_targets(audit: Audit) -> tuple[list[TargetResource], tuple[str, ...]]:
    """Read `targetResources`: a list, one object, or either inside a text.

    The second value names elements that could not be used. Raises as `msgspec.json.decode` does
    when the slice cannot be decoded.
    """
    if bytes(audit.targetResources) in {bytes(EMPTY), b"null"}:
        return [], ()
    piece = nested(audit.targetResources)
    unusable: list[str] = []
    if piece.startswith(b"{"):
        elements = [msgspec.Raw(piece)]
    else:
        try:
            elements = msgspec.json.decode(piece, type=list[msgspec.Raw])
        except msgspec.ValidationError:
            return [], ("targetResources",)
    resources = []
    for index, element in enumerate(elements):
        where = f"targetResources.{index}"
        try:
            resources.append(
                decode_leniently(TargetResource, element, where, unusable, fold_case=True)
            )
        except msgspec.ValidationError:
            unusable.append(where)
    return resources, tuple(unusable)


def about(
    targets: Sequence[TargetResource], changed: dict[str, Change], tenant: str | None
) -> About:
    """Return what a change was about, as far as the record names it."""
    known = credentials(changed)
    principal = next((one for one in known if one.uid or one.name), None)
    kinds = {(one.type or "").lower() for one in targets}
    grantee = first_text(changed, _GRANTEE_UID)
    return About(
        targets=(*_named(targets, tenant), *_trusted(known)),
        is_nhi=bool(known)
        or grantee is not None
        or any(kind in _NHI_TYPES or kind.startswith(_AGENTIC) for kind in kinds),
        user=_subject(targets, changed, grantee),
        entity=_entity(principal),
        group=_group(targets, changed),
        privileges=granted(changed, _PRIVILEGES),
        issued_credentials=_issued(known),
    )


def _named(targets: Sequence[TargetResource], tenant: str | None) -> tuple[Target, ...]:
    owner = Owner(Account(tenant)) if tenant else None
    named = []
    for resource in targets:
        uid, name = non_empty(resource.id), resource.displayName or resource.userPrincipalName
        if uid or name:
            named.append(Target(uid=uid, name=name, type=resource.type, owner=owner))
    return tuple(named)


def _trusted(known: Sequence[Credential]) -> tuple[Target, ...]:
    """Return the workloads that federated credentials trust, by their id in every cloud."""
    return tuple(
        Target(uid=uid, name=one.name, type=_FEDERATED_TYPE)
        for one in known
        if (uid := _workload(one))
    )


def _issued(known: Sequence[Credential]) -> tuple[str, ...]:
    """Return the ids under which added credentials will be used: a key's or a workload's."""
    ids = ((one.uid, _workload(one)) for one in known if one.added)
    return tuple(uid for pair in ids for uid in pair if uid)


def _workload(credential: Credential) -> str | None:
    if not credential.issuer or not credential.subject:
        return None
    return f"nhi:oidc:{credential.issuer.removeprefix('https://')}|{credential.subject}"


def _subject(
    targets: Sequence[TargetResource], changed: dict[str, Change], grantee: str | None
) -> User | None:
    """Return the principal that is created, changed or granted to."""
    if grantee is not None and any(name in changed for name in _GRANTS):
        name = first_text(changed, _GRANTEE_NAME)
        return User(uid=grantee, name=name, type_id=_USER_TYPE_SERVICE)
    for resource in targets:
        kind = (resource.type or "").lower()
        is_user = kind == _USER
        if not is_user and kind not in _NHI_TYPES and not kind.startswith(_AGENTIC):
            continue
        uid, name = non_empty(resource.id), resource.userPrincipalName or resource.displayName
        if uid or name:
            type_id = _USER_TYPE_USER if is_user else _USER_TYPE_SERVICE
            return User(uid=uid, name=name, type=resource.type, type_id=type_id)
    return None


def _entity(credential: Credential | None) -> Target | None:
    return (
        Target(uid=credential.uid, name=credential.name, type=credential.type)
        if credential
        else None
    )


def _group(targets: Sequence[TargetResource], changed: dict[str, Change]) -> Target | None:
    uid, name = (
        first_text(changed, ("Group.ObjectID",)),
        first_text(changed, ("Group.DisplayName",)),
    )
    if uid or name:
        return Target(uid=uid, name=name)
    for resource in targets:
        if (resource.type or "").lower() == _GROUP and (resource.id or resource.displayName):
            return Target(uid=resource.id, name=resource.displayName)
    return None
