"""Build an identity verdict: the parts that all record rules share."""

from __future__ import annotations

from typing import Any, NamedTuple

from nhi_evidence.access_keys import credential_kind
from nhi_evidence.identity import Identity, IdentityKind, decided
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
    credential: tuple[str, str] | None = None,
    **attributes: Any,
) -> Identity:
    """Build a verdict; `credential`, id and kind, defaults to the access key of the record."""
    if credential is None and principal is not None and principal.accessKeyId:
        key = principal.accessKeyId
        return decided(
            kind, rule, credential_uid=key, credential_kind=credential_kind(key), **attributes
        )
    uid, kind_of_credential = credential or (None, None)
    return decided(kind, rule, credential_uid=uid, credential_kind=kind_of_credential, **attributes)


def canonical(account: str | None, *parts: str | None) -> str | None:
    """Return an id that survives renaming and is never reused, or None if a part is absent."""
    if not account or not all(parts):
        return None
    return f"nhi:aws:{account}:{'/'.join(part for part in parts if part)}"
