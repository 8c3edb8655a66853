"""Everything a record says about its actor, read and decided once per distinct identity."""

from __future__ import annotations

from nhi_evidence.azure import principal
from nhi_evidence.azure.claims import read
from nhi_evidence.event import Actor
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.azure_activity.record import ActivityRecord, folded, parsed


def actor(record: ActivityRecord) -> tuple[Actor, tuple[str, ...]]:
    """Decide who acted; the second value names attributes and claims that could not be used.

    Raises `msgspec.DecodeError` or `RecursionError` when a slice cannot be decoded; the caller
    rejects the record.
    """
    return _actor(
        bytes(record.identity), bytes(record.claims), bytes(record.authorization), record.caller
    )


@bounded_cache(results=2048, longest=16_384)
def _actor(
    identity: bytes, claims: bytes, authorization: bytes, caller: str | None
) -> tuple[Actor, tuple[str, ...]]:
    body = folded(parsed(identity))
    unusable: tuple[str, ...] = ()
    if body is not None and not isinstance(body, dict):
        body, unusable = None, ("identity",)
    token, misshapen = read(parsed(claims) or (body or {}).get("claims"))
    allowed = folded(parsed(authorization)) or (body or {}).get("authorization")
    return (
        principal.actor(token, caller=caller, principal_type=_principal_type(allowed)),
        unusable + misshapen,
    )


def _principal_type(authorization: object) -> str | None:
    """Return the principal type named by the role assignment that allowed the call."""
    evidence = authorization.get("evidence") if isinstance(authorization, dict) else None
    kind = evidence.get("principaltype") if isinstance(evidence, dict) else None
    return kind if isinstance(kind, str) else None
