"""The parts of an audit entry that this pack reads.

https://developer.hashicorp.com/vault/docs/audit/schema
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested

EMPTY = msgspec.Raw(b"")


class PolicyResults(msgspec.Struct, frozen=True, gc=False):
    """`auth.policy_results`."""

    allowed: bool | None = None


class Auth(msgspec.Struct, frozen=True, gc=False):
    """`auth` of the entry or of the response: a token, or the principal that owns it."""

    accessor: str | None = None
    client_token: str | None = None
    display_name: str | None = None
    entity_id: str | None = None
    metadata: dict[str, Any] | None = None
    policies: list[str] | None = None
    token_policies: list[str] | None = None
    identity_policies: list[str] | None = None
    policy_results: PolicyResults | None = None
    token_type: str | None = None
    token_issue_time: str | None = None
    token_ttl: int | None = None


class Namespace(msgspec.Struct, frozen=True, gc=False):
    """`request.namespace`."""

    id: str | None = None
    path: str | None = None


class Request(msgspec.Struct, frozen=True, gc=False):
    """`request`."""

    id: str | None = None
    operation: str | None = None
    path: str | None = None
    mount_point: str | None = None
    mount_type: str | None = None
    mount_accessor: str | None = None
    mount_class: str | None = None
    client_id: str | None = None
    client_token_accessor: str | None = None
    namespace: Namespace | None = None
    remote_address: str | None = None
    headers: dict[str, list[str]] | None = None
    data: msgspec.Raw = EMPTY
    """What the call was given: only the catalog looks into it."""


class Secret(msgspec.Struct, frozen=True, gc=False):
    """`response.secret`."""

    lease_id: str | None = None


class WrapInfo(msgspec.Struct, frozen=True, gc=False):
    """`response.wrap_info`."""

    accessor: str | None = None
    wrapped_accessor: str | None = None


class Response(msgspec.Struct, frozen=True, gc=False):
    """`response`."""

    auth: Auth | None = None
    data: dict[str, Any] | None = None
    secret: Secret | None = None
    wrap_info: WrapInfo | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry: a request as received, or its response."""

    time: str | None = None
    type: str | None = None
    auth: msgspec.Raw = EMPTY
    """Decoded separately, once for the many entries of one token."""
    request: Request | None = None
    response: Response | None = None
    error: str | None = None
    forwarded_from: str | None = None


entries = LenientDecoder(Entry)
_auths = LenientDecoder(Auth)


@bounded_cache(results=2048, longest=8192)
def read_auth(slice_: bytes) -> tuple[Auth | None, tuple[str, ...]]:
    """Read the slice of `auth`; the second value names attributes that could not be used.

    Raises as `msgspec.json.decode` does when the slice cannot be decoded.
    """
    if slice_ in (b"", b"null"):
        return None, ()
    if slice_.startswith(b'"'):
        try:
            return _auths.part(nested(slice_), "auth")
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None, ("auth",)
    try:
        return _auths.part(slice_, "auth")
    except msgspec.ValidationError:
        return None, ("auth",)


def text_in(values: dict[str, Any] | None, *names: str) -> str | None:
    """Return the first text under one of these names, or None."""
    if values:
        for name in names:
            value = values.get(name)
            if isinstance(value, str) and value:
                return value
    return None
