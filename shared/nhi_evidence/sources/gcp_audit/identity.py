"""Who acted: the record rules GCP-01 to GCP-12 (docs/sources/gcp_audit.md), first match.

A rule sees a single record. Google names a service account by an e-mail address that another
account may get later; only inventory knows its unique id. Callers choose their user agents, so none
ever proves a workload.
https://cloud.google.com/logging/docs/audit/understanding-audit-logs
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_evidence.identity import Identity, IdentityKind, decided
from nhi_evidence.kubernetes.identity import kind_of
from nhi_evidence.sources.gcp_audit import principals
from nhi_evidence.sources.gcp_audit.record import Authentication

KEY = "service_account_key"
REDACTED = "identity_redacted"


class RecordContext(NamedTuple):
    """What the rules look at apart from `authenticationInfo`."""

    refused: bool
    """Whether the call was denied or not authenticated."""
    mapped_principal: str | None
    """For a token exchange, the principal that the token was mapped to."""
    provider: str | None
    """For a token exchange, the provider that vouched."""


def identify(who: Authentication | None, context: RecordContext) -> Identity:
    """Decide who acted; the result always names the deciding rule."""
    who = who or Authentication()
    email = principals.email_of(who.principal_email, who.principal_subject)
    subject = who.principal_subject
    if not email and not subject and not who.third_party_principal:
        # Google removes the caller from refused reads, unless it is a service account.
        labels = (REDACTED,) if context.refused else ()
        return _make_identity(IdentityKind.UNKNOWN, "GCP-01", who, labels=labels)
    if who.service_account_delegation_info:
        return _delegated(who, email, subject)
    pool = principals.pool(context.mapped_principal) or principals.pool(subject)
    if pool is not None:
        return _of_pool(who, pool, context)
    name = email or subject
    of_cluster = kind_of(name) if name is not None else None
    if name is not None and of_cluster is not None:
        return _of_cluster(who, name, of_cluster)
    if email is None:
        return _unmatched(who, subject)
    return _of_email(who, email)


def _delegated(who: Authentication, email: str | None, subject: str | None) -> Identity:
    """GCP-02: a service account that other identities act through; the first is the origin."""
    first = (who.service_account_delegation_info or [])[0]
    origin = principals.delegate_email(first)
    pool = principals.pool(first.principal_subject)
    account = email if email is not None and principals.is_service_account(email) else None
    kind = _kind_of_delegated(pool, account)
    return _make_identity(
        kind,
        "GCP-02",
        who,
        uid=email or subject,
        name=email or subject,
        canonical_uid=principals.account_uid(account) if account is not None else None,
        issuer=pool.issuer if pool else None,
        subject=pool.subject if pool else None,
        labels=("default_sa",) if email and principals.is_default(email) else (),
        refinable_by=("GCP-03",) if pool is not None and _is_workload(pool) else (),
        root_uid=_root_of_delegated(pool, origin),
        is_agentic=True if kind is IdentityKind.AI_AGENT else None,
        # How a federated origin got its token is in another record.
        is_chain_complete=pool is None and origin is not None,
    )


def _is_workload(pool: principals.Pool) -> bool:
    return pool.kind is not IdentityKind.HUMAN


def _kind_of_delegated(pool: principals.Pool | None, account: str | None) -> IdentityKind:
    """Return the kind of a federated workload, else that of the account that is acted through."""
    if pool is not None and _is_workload(pool):
        return pool.kind
    if account is None:
        return IdentityKind.UNKNOWN
    if principals.is_service_agent(account):
        return IdentityKind.PROVIDER_SERVICE
    return IdentityKind.CLOUD_SERVICE_PRINCIPAL


def _root_of_delegated(pool: principals.Pool | None, origin: str | None) -> str | None:
    """Return the id of the chain's origin, which is the same in every cloud."""
    if pool is not None and pool.canonical_uid is not None:
        return pool.canonical_uid
    if origin is not None and principals.is_service_account(origin):
        return principals.account_uid(origin)
    return None


def _of_pool(who: Authentication, pool: principals.Pool, context: RecordContext) -> Identity:
    """GCP-03 and GCP-04: an identity of another issuer, named by the pool's provider."""
    rule = "GCP-04" if pool.kind is IdentityKind.HUMAN else "GCP-03"
    exchanged = context.mapped_principal is not None
    subject = who.principal_subject if exchanged else pool.subject
    return _make_identity(
        pool.kind,
        rule,
        who,
        uid=context.mapped_principal or who.principal_subject,
        name=subject,
        canonical_uid=pool.canonical_uid,
        issuer=context.provider if exchanged and context.provider else pool.issuer,
        subject=subject,
        is_agentic=True if pool.kind is IdentityKind.AI_AGENT else None,
        # Only the pool's configuration names the issuer, which joining subjects requires.
        refinable_by=("GCP-03",) if pool.kind is IdentityKind.FEDERATED_WORKLOAD else (),
        is_chain_complete=False if not exchanged else None,
    )


def _of_cluster(who: Authentication, name: str, kind: IdentityKind) -> Identity:
    """GCP-05: Kubernetes' own names, read as for any cluster."""
    is_account = kind is IdentityKind.K8S_SERVICE_ACCOUNT
    return _make_identity(
        kind,
        "GCP-05",
        who,
        uid=name,
        name=name,
        subject=name if is_account else None,
        # Only the cluster knows the id of an account.
        refinable_by=("GCP-05",) if is_account else (),
    )


def _of_email(who: Authentication, email: str) -> Identity:
    key = who.service_account_key_name
    account = principals.account_uid(email)
    default = ("default_sa",) if principals.is_default(email) else ()
    if email == principals.ANONYMOUS:
        return _make_identity(IdentityKind.ANONYMOUS, "GCP-10", who, uid=email, name=email)
    if principals.is_service_agent(email):
        kind, rule, labels = IdentityKind.PROVIDER_SERVICE, "GCP-06", principals.agent_labels(email)
    elif key:
        # A default account used with a key means that somebody has the key: docs/decisions/0016.
        kind, rule, labels = IdentityKind.LONG_LIVED_KEY, "GCP-08", default
    elif default:
        kind, rule, labels = IdentityKind.CLOUD_SERVICE_PRINCIPAL, "GCP-07", default
    elif principals.is_service_account(email):
        kind, rule, labels = IdentityKind.CLOUD_SERVICE_PRINCIPAL, "GCP-09", ()
    elif "@" in email:
        return _person(who, email)
    else:
        return _unmatched(who, email)
    return _make_identity(
        kind,
        rule,
        who,
        uid=email,
        name=email,
        canonical_uid=account,
        labels=labels,
        root_uid=account if key else None,
        is_chain_complete=bool(key),
    )


def _person(who: Authentication, email: str) -> Identity:
    return _make_identity(
        IdentityKind.HUMAN,
        "GCP-11",
        who,
        uid=who.principal_subject or email,
        name=email,
        refinable_by=("GCP-11",),
    )


def _unmatched(who: Authentication, name: str | None) -> Identity:
    """GCP-12: authenticated, but in no form that a rule knows."""
    third = who.third_party_principal
    claims = (third.third_party_claims if third else None) or {}
    issuer, subject = claims.get("iss"), claims.get("sub")
    known = isinstance(issuer, str) and isinstance(subject, str)
    return _make_identity(
        IdentityKind.UNKNOWN,
        "GCP-12",
        who,
        uid=name or (subject if known else None),
        name=name or (subject if known else None),
        canonical_uid=f"nhi:oidc:{issuer}|{subject}" if known else None,
        issuer=issuer if known else None,
        subject=subject if known else None,
    )


def _make_identity(
    kind: IdentityKind, rule: str, who: Authentication, **attributes: Any
) -> Identity:
    """Build a verdict; its credential is the service account key that the record names.

    Of a delegated account only if it is that account's own: else a hop has it, or, where the record
    names its owner in another way than the key does, a label.
    """
    key = principals.key_uid(who.service_account_key_name)
    delegates = who.service_account_delegation_info
    if key and delegates and (owner := principals.key_owner(key)) != attributes.get("uid"):
        if owner not in map(principals.delegate_email, delegates):
            attributes["labels"] = (*attributes.get("labels", ()), f"key:{key}")
        key = None
    return decided(
        kind, rule, credential_uid=key, credential_kind=KEY if key else None, **attributes
    )
