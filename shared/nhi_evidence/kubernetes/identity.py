"""Who called the Kubernetes API: the record rules K8S-01 to K8S-07, first match.

If a caller impersonates another, the other is the effective identity and the caller the first
hop of the chain. Names that begin with `system:` are the cluster's own.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/
https://learn.microsoft.com/azure/aks/azure-ad-rbac
"""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.event import Actor, Session, User
from nhi_evidence.identity import (
    CAPTIONS,
    MECHANISMS,
    Hop,
    Identity,
    IdentityKind,
    Mechanism,
    acting_hop,
)
from nhi_evidence.kubernetes.audit_event import AuditEvent, UserInfo
from nhi_evidence.reading.bounded_cache import bounded_cache

_SERVICE_ACCOUNT = "system:serviceaccount:"
_ANONYMOUS = frozenset({"system:anonymous", "system:unauthenticated"})
_CLUSTER = "system:"
_MASTERS = "system:masters"
_CREDENTIAL = "authentication.kubernetes.io/credential-id"
_CERTIFICATE = "X509SHA256="
OF_CERTIFICATE = "certificate_of_service_account"
_POD = "authentication.kubernetes.io/pod-name"
_OBJECT_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_FEDERATED = re.compile(r"https://([^#\s]+)#(.+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_GOOGLE_ACCOUNTS = ".gserviceaccount.com"
"""End of the address of every Google service account, which Google's ID tokens state as e-mail."""
_ENTRA_OBJECT = "oid"
"""Of a token of Entra, AKS notes the object's id: a user is named there, an application is not."""
_KINDS = {"JTI": "jwt_id", "X509SHA256": "certificate"}
_USER_TYPE_USER, _USER_TYPE_SYSTEM, _USER_TYPE_SERVICE, _USER_TYPE_OTHER = 1, 3, 4, 99
_USER_TYPES = {
    IdentityKind.K8S_SERVICE_ACCOUNT: _USER_TYPE_SERVICE,
    IdentityKind.PROVIDER_SERVICE: _USER_TYPE_SYSTEM,
    IdentityKind.APPLICATION: _USER_TYPE_SERVICE,
    IdentityKind.CLOUD_SERVICE_PRINCIPAL: _USER_TYPE_SERVICE,
    IdentityKind.HUMAN: _USER_TYPE_USER,
    IdentityKind.HUMAN_PROGRAMMATIC: _USER_TYPE_USER,
}
_BY_DIRECTORY = "AZ-09"


def actor(event: AuditEvent, cluster: str | None) -> Actor:
    """Decide who acted, and as whom."""
    return _actor(users_of(event), cluster)


def users_of(event: AuditEvent) -> bytes:
    """Return who called and as whom, as a cache key: an account's many calls share it."""
    return _encode((event.user, event.impersonatedUser))


def users_in(text: bytes) -> tuple[UserInfo | None, UserInfo | None]:
    """Return who called and as whom, from what `users_of` returned."""
    return _decode(text)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[UserInfo | None, UserInfo | None]).decode


@bounded_cache(results=2048, longest=8192)
def _actor(users: bytes, cluster: str | None) -> Actor:
    caller, impersonated = users_in(users)
    effective = impersonated or caller
    if effective is None or not effective.username:
        return Actor(identity=_make_identity(IdentityKind.UNKNOWN, "K8S-07", None))
    identity = identify(effective, cluster)
    hops: tuple[Hop, ...] = ()
    if impersonated is not None and caller is not None and caller.username:
        origin = identify(caller, cluster)
        labels = (*identity.labels, "impersonated")
        identity = msgspec.structs.replace(identity, labels=labels, is_chain_complete=False)
        hops = _chain(origin, identity)
    return Actor(
        identity=identity,
        user=User(
            uid=effective.uid or None,
            name=effective.username,
            type_id=_USER_TYPES.get(IdentityKind(identity.type_id), _USER_TYPE_OTHER),
        ),
        session=_session(effective),
        hops=hops,
    )


def kind_of(name: str) -> IdentityKind | None:
    """Return what one of the cluster's own names means by itself; None for any other name.

    `system:serviceaccount:<namespace>:<name>`, `system:anonymous` and its group, and other names
    that begin with `system:`, such as nodes, controllers and the API server.
    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects
    """
    if name.startswith(_SERVICE_ACCOUNT):
        return IdentityKind.K8S_SERVICE_ACCOUNT
    if name in _ANONYMOUS:
        return IdentityKind.ANONYMOUS
    return IdentityKind.PROVIDER_SERVICE if name.startswith(_CLUSTER) else None


def identify(user: UserInfo, cluster: str | None) -> Identity:
    """Decide what kind of identity a user of the API is."""
    name = user.username or ""
    kind = kind_of(name)
    if kind is IdentityKind.K8S_SERVICE_ACCOUNT:
        return _service_account(user, cluster)
    if kind is IdentityKind.ANONYMOUS:
        return _make_identity(IdentityKind.ANONYMOUS, "K8S-03", user)
    if kind is IdentityKind.PROVIDER_SERVICE:
        return _make_identity(IdentityKind.PROVIDER_SERVICE, "K8S-02", user)
    if _MASTERS in (user.groups or ()):
        return _make_identity(IdentityKind.ROOT_OR_BREAK_GLASS, "K8S-04", user)
    federated = _FEDERATED.fullmatch(name)
    if federated:
        issuer, subject = federated[1], federated[2]
        return _make_identity(
            IdentityKind.FEDERATED_WORKLOAD,
            "K8S-05",
            user,
            issuer=issuer,
            subject=subject,
            canonical_uid=f"nhi:oidc:{issuer}|{subject}",
        )
    if _OBJECT_ID.fullmatch(name):
        return _make_identity(
            IdentityKind.APPLICATION, "K8S-06a", user, refinable_by=(_BY_DIRECTORY,)
        )
    if _EMAIL.fullmatch(name) and name.endswith(_GOOGLE_ACCOUNTS):
        return _make_identity(IdentityKind.CLOUD_SERVICE_PRINCIPAL, "K8S-06c", user)
    if _EMAIL.fullmatch(name) and (user.extra or {}).get(_ENTRA_OBJECT):
        return _make_identity(IdentityKind.HUMAN, "K8S-06b", user)
    if _EMAIL.fullmatch(name):
        # Whoever maps tokens or signs certificates chose the name: it puts nothing out of scope.
        return _make_identity(IdentityKind.HUMAN_PROGRAMMATIC, "K8S-06d", user)
    return _make_identity(IdentityKind.UNKNOWN, "K8S-07", user)


def _service_account(user: UserInfo, cluster: str | None) -> Identity:
    name = user.username or ""
    namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
    known = namespace and account and user.uid
    pods = (user.extra or {}).get(_POD) or ()
    labels = [f"pod:{pod}" for pod in pods]
    if (_credential(user) or "").startswith(_CERTIFICATE):
        # Service accounts have tokens; somebody had a certificate with such a name signed.
        labels.append(OF_CERTIFICATE)
    return _make_identity(
        IdentityKind.K8S_SERVICE_ACCOUNT,
        "K8S-01",
        user,
        subject=name,
        canonical_uid=(
            # Azure's resource ids ignore case, and logs write them in several ways.
            f"nhi:k8s:{cluster.lower()}:sa/{namespace}/{account}/{user.uid}"
            if cluster and known
            else None
        ),
        labels=tuple(labels),
    )


def _make_identity(
    kind: IdentityKind,
    rule: str,
    user: UserInfo | None,
    *,
    issuer: str | None = None,
    subject: str | None = None,
    canonical_uid: str | None = None,
    labels: tuple[str, ...] = (),
    refinable_by: tuple[str, ...] = (),
) -> Identity:
    credential = _credential(user)
    return Identity(
        type_id=kind.value,
        type=CAPTIONS[kind],
        name=user.username if user else None,
        uid=(user.uid or user.username) if user else None,
        canonical_uid=canonical_uid,
        credential_uid=credential,
        credential_kind=_KINDS.get(credential.partition("=")[0]) if credential else None,
        issuer=issuer,
        subject=subject,
        decision_rule=rule,
        labels=labels,
        refinable_by=refinable_by,
    )


def _credential(user: UserInfo | None) -> str | None:
    """Return the id of the token or certificate (`JTI=...`, `X509SHA256=...`)."""
    values = ((user.extra if user else None) or {}).get(_CREDENTIAL)
    return values[0] if values and values[0] else None


def _session(user: UserInfo) -> Session | None:
    credential = _credential(user)
    return Session(credential_uid=credential) if credential else None


def _chain(origin: Identity, effective: Identity) -> tuple[Hop, ...]:
    if origin.uid is None or effective.uid is None:
        return ()
    impersonated = Mechanism.K8S_IMPERSONATION
    return (
        Hop(
            hop=0,
            uid=origin.uid,
            canonical_uid=origin.canonical_uid,
            credential_uid=origin.credential_uid,
            mechanism_id=impersonated.value,
            mechanism=MECHANISMS[impersonated],
        ),
        acting_hop(1, effective),
    )
