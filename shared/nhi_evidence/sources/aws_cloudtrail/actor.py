"""Everything a record says about its actor, read and decided once per distinct `userIdentity`.

A file has many records of few sessions, and everything here follows from the identity slice and
the context alone, so results are cached by exactly those.
"""

from __future__ import annotations

from nhi_evidence.event import Account, Actor, Session, User
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.aws_cloudtrail.delegation import hops
from nhi_evidence.sources.aws_cloudtrail.identity import identify
from nhi_evidence.sources.aws_cloudtrail.record import UserIdentity, is_true, read_identity
from nhi_evidence.sources.aws_cloudtrail.text import milliseconds
from nhi_evidence.sources.aws_cloudtrail.verdict import RecordContext

_USER_TYPE_OTHER = 99
_USER_TYPE_SYSTEM = 3


@bounded_cache(results=2048, longest=8192)
def actor(identity: bytes, context: RecordContext) -> tuple[Actor, tuple[str, ...]]:
    """Read a `userIdentity` slice and decide who acted.

    The second value names attributes that could not be used.
    Raises `msgspec.DecodeError`, `RecursionError` or `UnicodeDecodeError` when the slice cannot
    be decoded; the caller rejects the record.
    """
    principal, unusable = read_identity(identity)
    verdict = identify(principal, context)
    decided = Actor(
        identity=verdict,
        user=_user(principal),
        session=_session(principal),
        invoked_by=principal.invokedBy if principal else None,
        hops=hops(principal, verdict),
    )
    return decided, unusable


def _user(principal: UserIdentity | None) -> User | None:
    if principal is None:
        return None
    context = principal.sessionContext
    issuer = context.sessionIssuer if context else None
    name = principal.userName or (issuer.userName if issuer else None)
    uid = principal.principalId or principal.arn
    if not (uid or name or principal.accountId):
        return None
    return User(
        uid=uid,
        name=name,
        type=principal.type,
        type_id=_USER_TYPE_SYSTEM if principal.type == "AWSService" else _USER_TYPE_OTHER,
        account=Account(principal.accountId) if principal.accountId else None,
    )


def _session(principal: UserIdentity | None) -> Session | None:
    if principal is None or (principal.sessionContext is None and not principal.accessKeyId):
        return None
    context = principal.sessionContext
    attributes = context.attributes if context else None
    issuer = context.sessionIssuer if context else None
    states_mfa = attributes is not None and attributes.mfaAuthenticated is not None
    return Session(
        uid=principal.arn if context else None,
        credential_uid=principal.accessKeyId or None,
        issuer=issuer.arn if issuer else None,
        created_time=milliseconds(attributes.creationDate) if attributes else None,
        is_mfa=is_true(attributes.mfaAuthenticated) if attributes and states_mfa else None,
    )
