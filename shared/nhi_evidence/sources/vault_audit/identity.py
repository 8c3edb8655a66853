"""Who acted: the record rules VA-01 to VA-11 (docs/sources/vault_audit.md), first match.

An entry names a token by its accessor, and the token's owner by what the auth method wrote in its
metadata. Operators name mounts and roles, so a name alone never decides what a method is.
https://developer.hashicorp.com/vault/docs/audit/schema
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_evidence.event import Actor, Session, User
from nhi_evidence.identity import Hop, Identity, IdentityKind, Mechanism, chain_hop, decided
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.vault_audit.record import Auth, Entry, Request, read_auth, text_in

_ROOT = "root"
_RESPONSE = "response"
_OF_TOKENS = frozenset({"jwt", "oidc"})
_INTERACTIVE = frozenset({"oidc", "saml"})
_PASSWORDS = frozenset({"userpass", "ldap", "okta", "radius", "kerberos"})
_BY_INVENTORY = ("VA-12",)
_USER_TYPE_UNKNOWN, _USER_TYPE_USER, _USER_TYPE_SERVICE = 0, 1, 4
_USER_TYPES = {
    IdentityKind.CERTIFICATE_WORKLOAD: _USER_TYPE_SERVICE,
    IdentityKind.FEDERATED_WORKLOAD: _USER_TYPE_SERVICE,
    IdentityKind.HUMAN: _USER_TYPE_USER,
    IdentityKind.HUMAN_PROGRAMMATIC: _USER_TYPE_USER,
    IdentityKind.K8S_SERVICE_ACCOUNT: _USER_TYPE_SERVICE,
    IdentityKind.MACHINE_KEY: _USER_TYPE_SERVICE,
}
"""Whose a token is; one of another kind may be anybody's."""
_ISSUER, _SUBJECT = ("iss", "issuer"), ("sub", "subject")


class _Decided(NamedTuple):
    kind: IdentityKind
    rule: str
    uid: str | None = None
    name: str | None = None
    issuer: str | None = None
    subject: str | None = None
    upstream: str | None = None
    """Id of the principal that was exchanged for the token, as on its own platform."""
    upstream_canonical: str | None = None
    refinable_by: tuple[str, ...] = ()


class _EventContext(NamedTuple):
    """What decides in an entry, apart from the token."""

    method: str | None
    """The auth method of a login."""
    is_response: bool
    token_accessor: str | None
    """The accessor that the request states: that of the token it came with."""
    issued_accessor: str | None
    """The accessor in the response; a login's own `auth` is that of the token it issues."""
    absent: tuple[str, ...]


def principal(entry: Entry, own: Auth | None) -> Auth | None:
    """Return whose token it is; for a response to a login, whose the new token is."""
    issued = entry.response.auth if entry.response else None
    if own is None or not (own.accessor or own.entity_id or own.display_name or own.policies):
        return issued or own
    return own


def actor(entry: Entry, request: Request, own: Auth | None, auth: Auth | None) -> Actor:
    """Decide who acted, and through whom; `auth` is what `principal` returned for the entry."""
    context = _EventContext(
        _method(request),
        entry.type == _RESPONSE,
        request.client_token_accessor or None,
        _issued_accessor(entry),
        absent(entry, request, own),
    )
    if auth is None or auth is own:
        return _of_slice(bytes(entry.auth), context)
    return _of_auth(auth, context)


@bounded_cache(results=2048, longest=8192)
def _of_slice(slice_: bytes, context: _EventContext) -> Actor:
    """Decide by a slice; cached, as a token's many entries have the same `auth`, byte for byte."""
    return _of_auth(read_auth(slice_)[0], context)


def _of_auth(auth: Auth | None, context: _EventContext) -> Actor:
    verdict = _decide(auth, context)
    identity = _identity(auth, verdict, context)
    user = None
    if identity.uid or identity.name:
        user = User(
            uid=identity.uid,
            name=identity.name,
            type_id=_USER_TYPES.get(verdict.kind, _USER_TYPE_UNKNOWN),
        )
    accessor = identity.credential_uid
    return Actor(
        identity=identity,
        user=user,
        session=Session(credential_uid=accessor) if accessor else None,
        hops=_hops(identity, verdict) if auth and (auth.accessor or accessor) else (),
    )


def _issued_accessor(entry: Entry) -> str | None:
    issued = entry.response.auth if entry.response else None
    return issued.accessor if issued else None


def _presented(auth: Auth | None, context: _EventContext) -> str | None:
    """Return the accessor of the token that the request came with; a login comes with none.

    A token that renews itself is both: the request then states it.
    """
    own = auth.accessor if auth else None
    return (own if own != context.issued_accessor else None) or context.token_accessor


def _decide(auth: Auth | None, context: _EventContext) -> _Decided:
    method, is_response = context.method, context.is_response
    if auth is None:
        return _Decided(IdentityKind.UNKNOWN, "VA-11")
    metadata = auth.metadata
    policies = {*(auth.policies or ()), *(auth.token_policies or ())}
    if _ROOT in policies:
        return _Decided(IdentityKind.ROOT_OR_BREAK_GLASS, "VA-01", name=auth.display_name)
    account = text_in(metadata, "service_account_name")
    namespace = text_in(metadata, "service_account_namespace")
    if account and namespace:
        uid = text_in(metadata, "service_account_uid")
        return _Decided(IdentityKind.K8S_SERVICE_ACCOUNT, "VA-02", uid, account, upstream=uid)
    upstream = _cloud(metadata)
    if upstream is not None:
        return upstream
    subject = text_in(metadata, *_SUBJECT)
    issuer = text_in(metadata, *_ISSUER)
    if subject or (method == "jwt" and is_response):
        return _token_of_issuer(issuer, subject, auth)
    common_name = text_in(metadata, "common_name", "cert_name")
    if common_name:
        serial = text_in(metadata, "serial_number")
        return _Decided(IdentityKind.CERTIFICATE_WORKLOAD, "VA-07", serial, common_name)
    role = text_in(metadata, "role_name")
    if method == "approle" or (role and auth.display_name == "approle"):
        return _Decided(IdentityKind.MACHINE_KEY, "VA-08", name=role or auth.display_name)
    if method in _INTERACTIVE:
        return _Decided(IdentityKind.HUMAN, "VA-09a", name=auth.display_name)
    person = text_in(metadata, "username")
    if person or method in _PASSWORDS:
        # Services log in with passwords too: only an inventory knows whose an account is.
        return _Decided(
            IdentityKind.HUMAN_PROGRAMMATIC,
            "VA-09b",
            name=person or auth.display_name,
            refinable_by=_BY_INVENTORY,
        )
    if auth.accessor or auth.display_name or auth.entity_id:
        kind, name = IdentityKind.API_TOKEN, auth.display_name
        return _Decided(kind, "VA-10", name=name, refinable_by=_BY_INVENTORY)
    return _Decided(IdentityKind.UNKNOWN, "VA-11")


def _cloud(metadata: dict[str, Any] | None) -> _Decided | None:
    """Decide for a cloud principal, under the name that it has in the cloud's own log."""
    arn = text_in(metadata, "canonical_arn", "client_arn")
    if arn:
        uid = text_in(metadata, "client_user_id")
        session = text_in(metadata, "client_arn")
        kind = IdentityKind.FEDERATED_WORKLOAD
        return _Decided(kind, "VA-03", uid, arn, subject=arn, upstream=session or arn)
    email = text_in(metadata, "service_account_email")
    if email:
        unique = text_in(metadata, "service_account_id")
        return _Decided(
            IdentityKind.FEDERATED_WORKLOAD,
            "VA-04",
            unique,
            email,
            subject=email,
            upstream=unique or email,
            upstream_canonical=f"nhi:gcp:sa/{unique}" if unique else None,
        )
    subscription = text_in(metadata, "subscription_id")
    if subscription:
        name = text_in(metadata, "resource_id", "vm_name", "vmss_name")
        return _Decided(
            IdentityKind.FEDERATED_WORKLOAD, "VA-05", name=name, subject=name, upstream=name
        )
    return None


def _token_of_issuer(issuer: str | None, subject: str | None, auth: Auth) -> _Decided:
    """Decide for a token of a trusted issuer; claims are recorded only if the role maps them."""
    canonical = (
        f"nhi:oidc:{issuer.removeprefix('https://')}|{subject}" if issuer and subject else None
    )
    return _Decided(
        IdentityKind.FEDERATED_WORKLOAD,
        "VA-06",
        name=subject or auth.display_name,
        issuer=issuer,
        subject=subject,
        upstream=subject,
        upstream_canonical=canonical,
        refinable_by=() if canonical else ("VA-13",),
    )


def _method(request: Request) -> str | None:
    """Return how a login is made; in any other call the mount is that of the target.

    One method is mounted as `jwt` or as `oidc`. At both, a token is given at `login`, and a person
    comes back from the browser to `oidc/callback`. SAML's person is given the token by `token`.
    https://developer.hashicorp.com/vault/api-docs/auth/jwt
    https://developer.hashicorp.com/vault/api-docs/auth/saml
    """
    kind = request.mount_type
    if request.mount_class != "auth" or kind == "token":
        return None
    namespace = (request.namespace.path if request.namespace else None) or ""
    point = (request.mount_point or "").removeprefix(namespace)
    inside = (request.path or "").removeprefix(namespace).removeprefix(point)
    if inside.startswith("login"):
        return "jwt" if kind in _OF_TOKENS else kind
    if kind in _OF_TOKENS and inside.startswith("oidc/callback"):
        return "oidc"
    return kind if (kind, inside) == ("saml", "token") else None


def _identity(auth: Auth | None, verdict: _Decided, context: _EventContext) -> Identity:
    accessor = _presented(auth, context)
    owned = (auth.accessor if auth else None) or accessor
    entity = (auth.entity_id if auth else None) or None
    canonical = verdict.upstream_canonical or (f"nhi:vault:entity/{entity}" if entity else None)
    return decided(
        verdict.kind,
        verdict.rule,
        name=verdict.name or None,
        uid=entity or verdict.uid or verdict.name or owned or None,
        canonical_uid=canonical,
        credential_uid=accessor,
        credential_kind="token_accessor" if accessor else None,
        issuer=verdict.issuer,
        subject=verdict.subject,
        refinable_by=verdict.refinable_by,
        labels=tuple(f"absent:{name}" for name in context.absent),
    )


def absent(entry: Entry, request: Request, auth: Auth | None) -> tuple[str, ...]:
    """Return the absent attributes that every entry has unless a device excludes them.

    https://developer.hashicorp.com/vault/docs/enterprise/audit/exclusion
    """
    is_unanswered = entry.response is None and entry.type == _RESPONSE and not entry.error
    if not (is_unanswered or auth is None or request.id is None or request.remote_address is None):
        return ()
    parts = (
        ("auth", auth is None),
        ("request.id", request.id is None),
        ("request.remote_address", request.remote_address is None),
        ("response", is_unanswered),
    )
    return tuple(name for name, is_absent in parts if is_absent)


def _hops(identity: Identity, verdict: _Decided) -> tuple[Hop, ...]:
    if verdict.upstream is None or identity.uid is None:
        return ()
    return (
        chain_hop(
            0,
            verdict.upstream,
            Mechanism.TOKEN_EXCHANGE,
            canonical_uid=verdict.upstream_canonical,
            issuer=verdict.issuer,
        ),
        chain_hop(
            1,
            identity.uid,
            Mechanism.TOKEN_EXCHANGE,
            canonical_uid=identity.canonical_uid,
            credential_uid=identity.credential_uid,
        ),
    )
