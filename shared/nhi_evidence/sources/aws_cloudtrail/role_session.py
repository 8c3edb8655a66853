"""Role sessions: the record rules AWS-03 (enhanced) and AWS-06a to AWS-06m, first match.

What AWS sets (`inScopeOf`, `ec2RoleDelivery`, the role's path) decides before anything the
caller sets (session name, source identity). A name that only the caller vouches for never takes a
record out of scope: docs/decisions/0005.
"""

from __future__ import annotations

import re

import msgspec

from nhi_evidence.identity import Identity, IdentityKind
from nhi_evidence.sources.aws_cloudtrail import issuers
from nhi_evidence.sources.aws_cloudtrail.record import (
    InScopeOf,
    SessionContext,
    SessionIssuer,
    UserIdentity,
)
from nhi_evidence.sources.aws_cloudtrail.text import arn
from nhi_evidence.sources.aws_cloudtrail.verdict import RecordContext, canonical, make_identity

_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}")
_CERTIFICATE_SERIAL = re.compile(r"[0-9a-fA-F]{16,64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SSO_PATH = "/aws-reserved/sso.amazonaws.com/"
_SSO_NAME = "AWSReservedSSO_"
_SERVICE_LINKED_PATH = "/aws-service-role/"
_POD_SESSION = "eks-"
_AGENT_ROLES = (
    "AmazonBedrockAgentCore",
    "BedrockAgentCore",
    "AmazonBedrockExecutionRoleForAgents_",
)

SPOOFABLE = "session_name_spoof_possible"


class _Session(msgspec.Struct, frozen=True):
    """The parts of a role session the rules look at."""

    principal: UserIdentity
    session_context: SessionContext
    issuer: SessionIssuer
    role_arn: str
    role_name: str
    name: str
    """The session name, set by the caller."""
    canonical_uid: str | None
    labels: tuple[str, ...]


def assumed_role(principal: UserIdentity, context: RecordContext) -> Identity:
    """Decide what kind of identity a role session belongs to."""
    session = _session(principal, context)
    session_context, issuer = session.session_context, session.issuer
    if _SSO_PATH in session.role_arn:
        return _of(session, IdentityKind.HUMAN, "AWS-06a", name=session.name or None)
    if principal.onBehalfOf is not None:
        return _of(
            session,
            IdentityKind.APPLICATION_OBO,
            "AWS-03",
            subject=principal.onBehalfOf.userId,
            issuer=principal.onBehalfOf.identityStoreArn,
        )
    if _SERVICE_LINKED_PATH in session.role_arn:
        return _of(session, IdentityKind.PROVIDER_SERVICE, "AWS-06b")
    if principal.inScopeOf is not None and principal.inScopeOf.issuerType:
        return _in_scope(session, principal.inScopeOf)
    if session_context.ec2RoleDelivery in {"1.0", "2.0"}:
        weak = ("imds_v1",) if session_context.ec2RoleDelivery == "1.0" else ()
        return _of(
            session,
            IdentityKind.WORKLOAD_INSTANCE,
            "AWS-06d",
            uid=session.name or issuer.arn,
            labels=weak,
        )
    if _INSTANCE_ID.fullmatch(session.name):
        return _of(session, IdentityKind.TEMPORARY_SESSION, "AWS-06e", labels=(SPOOFABLE,))
    federation = session_context.webIdFederationData
    if federation is not None and federation.federatedProvider:
        kind = issuers.kind_of(federation.federatedProvider, None)
        return _of(
            session,
            IdentityKind.UNKNOWN if kind is IdentityKind.HUMAN else kind,
            "AWS-06f",
            issuer=issuers.issuer_of(federation.federatedProvider),
            refinable_by=("AWS-06f",),
        )
    return _by_name(session)


def _by_name(session: _Session) -> Identity:
    """Apply the rules on names: the account sets role names, the caller sets session names."""
    source_identity = session.session_context.sourceIdentity
    if source_identity and _CERTIFICATE_SERIAL.fullmatch(session.name):
        return _of(
            session,
            IdentityKind.CERTIFICATE_WORKLOAD,
            "AWS-06h",
            subject=source_identity,
            labels=(SPOOFABLE,),
            refinable_by=("AWS-06h",),
        )
    if session.role_name.startswith(_AGENT_ROLES):
        return _of(session, IdentityKind.AI_AGENT, "AWS-06i", is_agentic=True)
    if session.principal.invokedByDelegate is not None:
        return _of(session, IdentityKind.TEMPORARY_SESSION, "AWS-06j", refinable_by=("AWS-06j",))
    if _EMAIL.fullmatch(session.name) or (source_identity and _EMAIL.fullmatch(source_identity)):
        return _of(
            session,
            IdentityKind.HUMAN_PROGRAMMATIC,
            "AWS-06l",
            subject=source_identity,
            labels=(SPOOFABLE,),
            refinable_by=("AWS-06l",),
        )
    refinable = ["AWS-06f", "AWS-06h", "AWS-06l"]
    if session.name.startswith(_POD_SESSION):
        refinable.insert(1, "AWS-06g")
    imitates = session.role_name.startswith(_SSO_NAME)
    return _of(
        session,
        IdentityKind.TEMPORARY_SESSION,
        "AWS-06m",
        labels=("reserved_name_without_reserved_path",) if imitates else (),
        refinable_by=tuple(refinable),
    )


def _in_scope(session: _Session, scope: InScopeOf) -> Identity:
    agentic = session.role_name.startswith(_AGENT_ROLES) or None
    kind = IdentityKind.AI_AGENT if agentic else IdentityKind.WORKLOAD_INSTANCE
    return _of(
        session,
        kind,
        "AWS-06c",
        uid=scope.credentialsIssuedTo or session.issuer.arn,
        is_agentic=agentic,
        labels=(f"issuer_type:{scope.issuerType}",),
    )


def _session(principal: UserIdentity, context: RecordContext) -> _Session:
    session_context = principal.sessionContext or SessionContext()
    issuer = session_context.sessionIssuer or SessionIssuer()
    caller = arn(principal.arn)
    pieces = caller.resource.split("/") if caller else []
    role_arn = issuer.arn or ""
    role_id, _, id_name = (principal.principalId or "").partition(":")
    owner = issuer.accountId or (caller.account if caller else None) or principal.accountId
    third_party = context.recipient and owner and owner != context.recipient
    return _Session(
        principal=principal,
        session_context=session_context,
        issuer=issuer,
        role_arn=role_arn,
        role_name=issuer.userName
        or role_arn.rpartition("/")[2]
        or (pieces[1] if len(pieces) > 1 else ""),
        name=id_name or (pieces[2] if len(pieces) > 2 else ""),  # noqa: PLR2004 role/name
        canonical_uid=canonical(owner, "role", role_id),
        labels=("third_party",) if third_party else (),
    )


def _of(
    session: _Session,
    kind: IdentityKind,
    rule: str,
    *,
    uid: str | None = None,
    name: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
    is_agentic: bool | None = None,
    labels: tuple[str, ...] = (),
    refinable_by: tuple[str, ...] = (),
) -> Identity:
    return make_identity(
        kind,
        rule,
        session.principal,
        uid=uid or session.issuer.arn or session.principal.arn,
        name=name or session.role_name or None,
        canonical_uid=session.canonical_uid,
        issuer=issuer,
        subject=subject,
        is_agentic=is_agentic,
        labels=(*session.labels, *labels),
        refinable_by=refinable_by,
        is_chain_complete=False,
    )
