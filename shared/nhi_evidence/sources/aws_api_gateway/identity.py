"""Who called: the record rules AG-01 to AG-06 (docs/sources/aws_api_gateway.md), first match.

The gateway verifies an IAM caller, or a token's issuer and subject. It also logs a certificate
that it refused, which anybody can make. A principal named by a Lambda authorizer rests on that
function's word; an API key names whoever has it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nhi_evidence.event import Account, Actor, Session, User
from nhi_evidence.identity import Identity, IdentityKind, decided
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.aws_api_gateway.record import Entry, known

FORMAT = "nhi-evidence/1"
"""The log format that includes every identity the gateway knows."""

_WORKLOADS = frozenset(
    {
        "https://token.actions.githubusercontent.com",
        "https://gitlab.com",
        "https://app.terraform.io",
        "https://agent.buildkite.com",
        "https://oidc.circleci.com",
        "https://accounts.google.com",
    }
)
"""Issuers of tokens for workloads; with Google, only if the subject is a number."""
_GOOGLE = "https://accounts.google.com"
_BY_TRAIL, _BY_AUTHORIZER = ("AWS-06a",), ("AG-07",)
_USER_TYPE_UNKNOWN, _USER_TYPE_SERVICE = 0, 4
_SERVICES = frozenset(
    {
        IdentityKind.APPLICATION,
        IdentityKind.CERTIFICATE_WORKLOAD,
        IdentityKind.FEDERATED_WORKLOAD,
    }
)
"""Kinds that are no person's; a user of IAM, a session or the subject of a token may be one."""
_FORBIDDEN = "403"
_SPOOFABLE = "certificate_spoof_possible"
"""On a refused call: a certificate that mutual TLS did not accept is logged like any other."""


class Caller(NamedTuple):
    """The attributes of an entry that say who called, unchanged."""

    format: str | None
    user_arn: str | None
    caller_account_id: str | None
    caller: str | None
    api_key_id: str | None
    iss: str | None
    sub: str | None
    client_id: str | None
    azp: str | None
    jti: str | None
    certificate_serial: str | None
    certificate_subject: str | None
    certificate_issuer: str | None
    authorizer_principal_id: str | None
    is_certificate_doubtful: bool


def actor(entry: Entry) -> Actor:
    """Decide who called."""
    return _actor(
        Caller(
            entry.format,
            entry.user_arn,
            entry.caller_account_id,
            entry.caller,
            entry.api_key_id,
            entry.iss,
            entry.sub,
            entry.client_id,
            entry.azp,
            entry.jti,
            entry.certificate_serial,
            entry.certificate_subject,
            entry.certificate_issuer,
            entry.authorizer_principal_id,
            known(entry.certificate_serial) is not None and known(entry.status) == _FORBIDDEN,
        )
    )


@bounded_cache(results=2048, longest=4096)
def _actor(entry: Caller) -> Actor:
    identity = _identify(entry)
    account, caller = known(entry.caller_account_id), known(entry.caller)
    key = known(entry.api_key_id)
    if key and identity.credential_uid != key:
        labels = (*identity.labels, f"api_key:{key}")
        identity = msgspec.structs.replace(identity, labels=labels)
    user = None
    is_service = IdentityKind(identity.type_id) in _SERVICES
    if identity.uid:
        user = User(
            uid=identity.uid,
            name=identity.name,
            type_id=_USER_TYPE_SERVICE if is_service else _USER_TYPE_UNKNOWN,
            account=Account(account) if account else None,
        )
    session = None
    if caller or identity.credential_uid:
        session = Session(uid=caller, credential_uid=identity.credential_uid)
    return Actor(identity=identity, user=user, session=session)


def _identify(entry: Caller) -> Identity:
    arn = known(entry.user_arn)
    if arn is not None:
        return _of_iam(entry, arn)
    issuer, subject = known(entry.iss), known(entry.sub)
    if issuer is not None or subject is not None:
        return _of_token(entry, issuer, subject)
    serial = known(entry.certificate_serial)
    if serial is not None:
        return decided(
            IdentityKind.CERTIFICATE_WORKLOAD,
            "AG-03",
            uid=serial,
            name=known(entry.certificate_subject),
            issuer=known(entry.certificate_issuer),
            credential_uid=serial,
            credential_kind="certificate_serial",
            labels=(_SPOOFABLE,) if entry.is_certificate_doubtful else (),
        )
    principal, key = known(entry.authorizer_principal_id), known(entry.api_key_id)
    if principal is not None:
        return decided(
            IdentityKind.API_TOKEN,
            "AG-04",
            uid=principal,
            name=principal,
            refinable_by=_BY_AUTHORIZER,
        )
    if key is not None:
        return decided(
            IdentityKind.API_TOKEN,
            "AG-05",
            uid=key,
            credential_uid=key,
            credential_kind="api_key_id",
        )
    if entry.format == FORMAT:
        return decided(IdentityKind.ANONYMOUS, "AG-06a")
    return decided(IdentityKind.UNKNOWN, "AG-06b")


def _of_iam(entry: Caller, arn: str) -> Identity:
    """Identify a caller who signed with IAM: CloudTrail's principal, but without its key."""
    account, principal = (
        known(entry.caller_account_id),
        (known(entry.caller) or "").partition(":")[0],
    )
    canonical = f"nhi:aws:{account}:" if account and principal else None
    if ":user/" in arn:
        return decided(
            IdentityKind.LONG_LIVED_KEY,
            "AG-01a",
            uid=arn,
            name=arn.rpartition("/")[2],
            canonical_uid=f"{canonical}user/{principal}" if canonical else None,
        )
    if arn.endswith(":root"):
        return decided(IdentityKind.ROOT_OR_BREAK_GLASS, "AG-01b", uid=arn)
    if ":assumed-role/" not in arn and ":federated-user/" not in arn:
        return decided(IdentityKind.UNKNOWN, "AG-01d", uid=arn)
    # A federated user's principal names an account, not a role.
    is_role = ":assumed-role/" in arn
    return decided(
        IdentityKind.TEMPORARY_SESSION,
        "AG-01c",
        uid=arn,
        name=arn.partition("/")[2].partition("/")[0] or None,
        canonical_uid=f"{canonical}role/{principal}" if canonical and is_role else None,
        refinable_by=_BY_TRAIL if is_role else (),
    )


def _of_token(entry: Caller, issuer: str | None, subject: str | None) -> Identity:
    """Identify the bearer of a token that an authorizer of the gateway checked."""
    client = known(entry.client_id) or known(entry.azp)
    if subject is not None and subject == client:
        kind, rule = IdentityKind.APPLICATION, "AG-02a"
    elif issuer in _WORKLOADS and (issuer != _GOOGLE or (subject or "").isdigit()):
        kind, rule = IdentityKind.FEDERATED_WORKLOAD, "AG-02b"
    elif client is not None:
        kind, rule = IdentityKind.APPLICATION_OBO, "AG-02c"
    else:
        kind, rule = IdentityKind.UNKNOWN, "AG-02d"
    token = known(entry.jti)
    bare = issuer.removeprefix("https://") if issuer else None
    return decided(
        kind,
        rule,
        uid=subject or client,
        name=client if kind is IdentityKind.APPLICATION else None,
        canonical_uid=f"nhi:oidc:{bare}|{subject}" if bare and subject else None,
        issuer=issuer,
        subject=subject,
        credential_uid=token,
        credential_kind="jwt_id" if token else None,
    )
