"""Build an identity verdict: the parts that all record rules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nhi_evidence.access_keys import credential_kind
from nhi_evidence.identity import CAPTIONS, Identity, IdentityKind
from nhi_evidence.sources.aws_cloudtrail.record import UserIdentity


class RecordContext(NamedTuple):
    """What the rules look at apart from `userIdentity`."""

    event_type: str | None
    recipient: str | None
    """`recipientAccountId`: the account in whose trail the record was written."""
    at_jwt_gateway: bool
    """Whether the call went to a gateway that authenticates by JWT and logs anonymous callers."""
    from_console: bool
    """`sessionCredentialFromConsole`."""
    machine_client: str | None = None
    """The app client that asked Cognito for a token of its own."""
    at_user_pool: bool = False
    """Whether the event is of a Cognito user pool, whose pages are open to anybody."""


def make_identity(
    kind: IdentityKind,
    rule: str,
    principal: UserIdentity | None,
    *,
    uid: str | None = None,
    name: str | None = None,
    canonical_uid: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
    credential: tuple[str, str] | None = None,
    is_agentic: bool | None = None,
    refinable_by: Sequence[str] = (),
    labels: Sequence[str] = (),
    root_uid: str | None = None,
    is_chain_complete: bool | None = None,
) -> Identity:
    """Build a verdict; the credential defaults to the access key of the record."""
    if credential is None and principal is not None and principal.accessKeyId:
        credential_uid: str | None = principal.accessKeyId
        kind_of_credential = credential_kind(principal.accessKeyId)
    else:
        credential_uid, kind_of_credential = credential or (None, None)
    return Identity(
        type_id=kind.value,
        type=CAPTIONS[kind],
        name=name,
        uid=uid,
        canonical_uid=canonical_uid,
        credential_uid=credential_uid,
        credential_kind=kind_of_credential,
        issuer=issuer,
        subject=subject,
        is_agentic=is_agentic,
        decision_rule=rule,
        refinable_by=tuple(refinable_by),
        labels=tuple(labels),
        root_uid=root_uid,
        is_chain_complete=is_chain_complete,
    )


def canonical(account: str | None, *parts: str | None) -> str | None:
    """Return an id that survives renaming and is never reused, or None if a part is absent."""
    if not account or not all(parts):
        return None
    return f"nhi:aws:{account}:{'/'.join(part for part in parts if part)}"
