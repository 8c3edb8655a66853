"""Who called an EKS cluster, in AWS's terms: the record rules EK-01, after those for any cluster.

EKS maps an IAM principal to a user name that an administrator chooses, and records the principal
next to it. Only the principal is proven; the cluster's own names and its masters stay what the
rules for any cluster say.
https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
"""

from __future__ import annotations

import msgspec

from nhi_evidence.access_keys import credential_kind
from nhi_evidence.event import Account, Actor, Session
from nhi_evidence.identity import CAPTIONS, IdentityKind, Mechanism, chain_hop
from nhi_evidence.kubernetes.audit_event import AuditEvent
from nhi_evidence.kubernetes.identity import actor as of_cluster
from nhi_evidence.kubernetes.identity import users_in
from nhi_evidence.reading.bounded_cache import bounded_cache

_ARN, _CANONICAL, _KEY, _PRINCIPAL = "arn", "canonicalArn", "accessKeyId", "principalId"
_PROVEN = frozenset(
    {
        IdentityKind.K8S_SERVICE_ACCOUNT,
        IdentityKind.PROVIDER_SERVICE,
        IdentityKind.ANONYMOUS,
        IdentityKind.ROOT_OR_BREAK_GLASS,
    }
)
_BY_TRAIL = ("AWS-06a",)


@bounded_cache(results=2048, longest=8192)
def actor(users: bytes) -> Actor:
    """Decide who acted; cached, as a principal's many calls do not differ in what decides it."""
    caller, impersonated = users_in(users)
    event = AuditEvent(user=caller, impersonatedUser=impersonated)
    return _with_cloud_caller(of_cluster(event, None), event)


def _with_cloud_caller(actor: Actor, event: AuditEvent) -> Actor:
    """Add what the cluster recorded about the IAM principal that called."""
    extra = (event.user.extra if event.user else None) or {}
    arn = _first(extra.get(_ARN)) or _first(extra.get(_CANONICAL))
    if arn is None or event.impersonatedUser is not None:
        return actor
    key, principal = _first(extra.get(_KEY)), _first(extra.get(_PRINCIPAL))
    identity = actor.identity
    if IdentityKind(identity.type_id) not in _PROVEN:
        kind, rule, refinable_by = _kind_of(arn, key)
        identity = msgspec.structs.replace(
            identity,
            type_id=kind.value,
            type=CAPTIONS[kind],
            decision_rule=rule,
            refinable_by=refinable_by,
        )
    if key:
        identity = msgspec.structs.replace(
            identity, credential_uid=key, credential_kind=credential_kind(key)
        )
    hops = actor.hops
    if not hops and identity.uid is not None:
        hops = (
            chain_hop(0, arn, Mechanism.TOKEN_EXCHANGE, credential_uid=key),
            chain_hop(
                1,
                identity.uid,
                Mechanism.TOKEN_EXCHANGE,
                canonical_uid=identity.canonical_uid,
                credential_uid=identity.credential_uid,
            ),
        )
    user = actor.user
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""  # noqa: PLR2004 parts of an ARN
    if user is not None and account:
        user = msgspec.structs.replace(user, account=Account(account))
    session = Session(uid=principal, credential_uid=key) if key or principal else actor.session
    return msgspec.structs.replace(actor, identity=identity, hops=hops, user=user, session=session)


def _kind_of(arn: str, key: str | None) -> tuple[IdentityKind, str, tuple[str, ...]]:
    """Return an IAM principal's kind, the deciding rule, and the rules that could refine it."""
    if ":assumed-role/" in arn or ":role/" in arn:
        return IdentityKind.TEMPORARY_SESSION, "EK-01b", _BY_TRAIL
    is_user = ":user/" in arn
    if ":federated-user/" in arn or (is_user and credential_kind(key) == "session_key"):
        # GetSessionToken and GetFederationToken issue keys that expire.
        return IdentityKind.TEMPORARY_SESSION, "EK-01c", ()
    if is_user:
        return IdentityKind.LONG_LIVED_KEY, "EK-01a", ()
    return IdentityKind.UNKNOWN, "EK-01d", ()


def _first(values: list[str] | None) -> str | None:
    return values[0] if values and values[0] else None
