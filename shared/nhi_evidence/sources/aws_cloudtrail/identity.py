"""Who acted: the record rules AWS-01 to AWS-14 (docs/sources/aws_cloudtrail.md), first match.

A rule sees a single record. Where history or inventory could tell more, the identity names the
rule that would (`refinable_by`); nothing is guessed. Session names and user agents are set by the
caller, so neither ever proves a workload.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from __future__ import annotations

from collections.abc import Callable

from nhi_evidence.access_keys import credential_kind
from nhi_evidence.identity import Identity, IdentityKind
from nhi_evidence.sources.aws_cloudtrail import issuers
from nhi_evidence.sources.aws_cloudtrail.record import UserIdentity, is_true
from nhi_evidence.sources.aws_cloudtrail.role_session import assumed_role
from nhi_evidence.sources.aws_cloudtrail.service_events import SERVICE_EVENT
from nhi_evidence.sources.aws_cloudtrail.text import is_console
from nhi_evidence.sources.aws_cloudtrail.verdict import (
    RecordContext,
    canonical,
    make_identity,
)

_TOKEN_KINDS = frozenset({"service_bearer_token", "service_specific_credential"})
_BEDROCK_USER = "BedrockAPIKey-"
_ANONYMOUS = frozenset({"anonymous", "ANONYMOUS_PRINCIPAL"})
_USER_ID = "AIDA"
_ROLE_ID = "AROA"
"""Prefixes of the unique ids of IAM users and roles (IAM user guide, "IAM identifiers")."""


def identify(principal: UserIdentity | None, context: RecordContext) -> Identity:
    """Decide who acted; the result always names the deciding rule."""
    if context.event_type == SERVICE_EVENT and (principal is None or principal.type is None):
        return _unnamed(principal, context)
    if principal is None:
        return make_identity(IdentityKind.UNKNOWN, "AWS-13", principal)
    return _BY_TYPE.get(principal.type or "", _unknown)(principal, context)


def _unnamed(principal: UserIdentity | None, context: RecordContext) -> Identity:
    """Identify a service event without a principal: the service acted, or a Cognito client."""
    if context.machine_client is not None:
        return make_identity(
            IdentityKind.APPLICATION,
            "AWS-14",
            principal,
            uid=context.machine_client,
            name=context.machine_client,
        )
    if context.at_user_pool:
        # Anybody may open the pages of a user pool; the record does not say who did.
        return make_identity(IdentityKind.UNKNOWN, "AWS-13", principal)
    return _service(principal)


def _service(principal: UserIdentity | None) -> Identity:
    invoker = principal.invokedBy if principal else None
    return make_identity(
        IdentityKind.PROVIDER_SERVICE, "AWS-01", principal, uid=invoker, name=invoker
    )


def _root(principal: UserIdentity, _: RecordContext) -> Identity:
    session_context = principal.sessionContext
    labels = []
    if session_context is not None and is_true(session_context.assumedRoot):
        labels.append("assume_root_task_session")
    if credential_kind(principal.accessKeyId) == "access_key":
        labels.append("root_access_key")
    return make_identity(
        IdentityKind.ROOT_OR_BREAK_GLASS,
        "AWS-02",
        principal,
        uid=principal.arn,
        name="root",
        canonical_uid=canonical(principal.accountId, "root"),
        labels=tuple(labels),
    )


def _identity_center_user(principal: UserIdentity, _: RecordContext) -> Identity:
    behalf = principal.onBehalfOf
    return make_identity(
        IdentityKind.HUMAN,
        "AWS-03",
        principal,
        uid=behalf.userId if behalf else None,
        name=principal.userName,
        issuer=behalf.identityStoreArn if behalf else None,
        credential=(
            (principal.credentialId, "identity_center_session") if principal.credentialId else None
        ),
    )


def _web_identity(principal: UserIdentity, _: RecordContext) -> Identity:
    provider, subject = principal.identityProvider, principal.userName
    kind = issuers.kind_of(provider, subject)
    issuer = issuers.issuer_of(provider) if provider else None
    rule = {
        IdentityKind.K8S_SERVICE_ACCOUNT: "AWS-04a",
        IdentityKind.FEDERATED_WORKLOAD: "AWS-04b",
        IdentityKind.CI_JOB: "AWS-04b",
    }.get(kind, "AWS-04c")
    return make_identity(
        kind,
        rule,
        principal,
        uid=principal.principalId,
        name=subject,
        issuer=issuer,
        subject=subject,
        canonical_uid=f"nhi:oidc:{issuer}|{subject}" if issuer and subject else None,
        refinable_by=("AWS-04c",) if issuers.may_be_person(provider, kind) else (),
    )


def _saml_user(principal: UserIdentity, _: RecordContext) -> Identity:
    return make_identity(
        IdentityKind.HUMAN,
        "AWS-05a",
        principal,
        uid=principal.principalId,
        name=principal.userName,
        issuer=principal.identityProvider,
        subject=principal.userName,
        refinable_by=("AWS-05a",),
    )


def _iam_user(principal: UserIdentity, context: RecordContext) -> Identity:
    kind, rule = IdentityKind.LONG_LIVED_KEY, "AWS-10"
    refinable: tuple[str, ...] = ("AWS-09",)
    session_context = principal.sessionContext
    attributes = session_context.attributes if session_context else None
    by_person = (
        context.from_console
        or is_console(principal.invokedBy)
        or (attributes is not None and is_true(attributes.mfaAuthenticated))
    )
    name = principal.userName
    token = credential_kind(principal.accessKeyId) in _TOKEN_KINDS
    if token or (name is not None and name.startswith(_BEDROCK_USER)):
        kind, rule, refinable = IdentityKind.API_TOKEN, "AWS-08", ()
    elif by_person or context.event_type == "AwsConsoleSignIn":
        kind, rule, refinable = IdentityKind.HUMAN_PROGRAMMATIC, "AWS-09", ()
    elif credential_kind(principal.accessKeyId) == "session_key":
        # GetSessionToken and GetFederationToken issue keys that expire.
        kind, rule = IdentityKind.TEMPORARY_SESSION, "AWS-10a"
    canonical_uid = canonical(principal.accountId, "user", principal.principalId)
    is_root = credential_kind(principal.accessKeyId) == "access_key"
    return make_identity(
        kind,
        rule,
        principal,
        uid=principal.arn,
        name=name,
        canonical_uid=canonical_uid,
        refinable_by=refinable,
        root_uid=canonical_uid if is_root else None,
        is_chain_complete=True if is_root else None,
    )


def _federated_user(principal: UserIdentity, _: RecordContext) -> Identity:
    session_context = principal.sessionContext
    parent = session_context.sessionIssuer if session_context else None
    return make_identity(
        IdentityKind.TEMPORARY_SESSION,
        "AWS-07",
        principal,
        uid=principal.arn,
        name=_last(principal.arn) or principal.userName,
        root_uid=canonical(parent.accountId, "user", parent.principalId) if parent else None,
        labels=("outlives_parent_key",),
    )


def _account(principal: UserIdentity, context: RecordContext) -> Identity:
    if principal.accountId in _ANONYMOUS or principal.principalId in _ANONYMOUS:
        if context.at_jwt_gateway:
            return make_identity(IdentityKind.UNATTRIBUTED_TOKEN, "AWS-11", principal)
        return make_identity(IdentityKind.ANONYMOUS, "AWS-11", principal)
    if (principal.principalId or "").startswith(_USER_ID):
        # An IAM user of the other account, whose own trail has the credential.
        return make_identity(
            IdentityKind.UNKNOWN,
            "AWS-12a",
            principal,
            uid=principal.principalId,
            canonical_uid=canonical(principal.accountId, "user", principal.principalId),
            refinable_by=("AWS-12",),
            labels=("identity_in_other_account",),
        )
    is_role = (principal.principalId or "").startswith(_ROLE_ID)
    role = (principal.principalId or "").partition(":")[0] if is_role else None
    return make_identity(
        IdentityKind.TEMPORARY_SESSION if is_role else IdentityKind.UNKNOWN,
        "AWS-12",
        principal,
        uid=principal.principalId or principal.accountId,
        canonical_uid=canonical(principal.accountId, "role", role),
        refinable_by=("AWS-12",),
        labels=("identity_in_other_account",),
    )


def _service_principal(principal: UserIdentity, _: RecordContext) -> Identity:
    return _service(principal)


def _unknown(principal: UserIdentity, _: RecordContext) -> Identity:
    return make_identity(
        IdentityKind.UNKNOWN,
        "AWS-13",
        principal,
        uid=principal.arn or None,
        name=principal.userName or None,
    )


def _last(text: str | None) -> str | None:
    return text.rpartition("/")[2] if text else None


_BY_TYPE: dict[str, Callable[[UserIdentity, RecordContext], Identity]] = {
    "AWSService": _service_principal,
    "Root": _root,
    "IdentityCenterUser": _identity_center_user,
    "WebIdentityUser": _web_identity,
    "SAMLUser": _saml_user,
    "AssumedRole": assumed_role,
    "FederatedUser": _federated_user,
    "IAMUser": _iam_user,
    "AWSAccount": _account,
    "Unknown": _unknown,
}
