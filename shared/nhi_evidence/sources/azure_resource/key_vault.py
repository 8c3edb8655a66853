"""A Key Vault AuditEvent record -> Event.

https://learn.microsoft.com/azure/key-vault/general/logging
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.azure import principal
from nhi_evidence.azure.claims import read
from nhi_evidence.azure.text import endpoint, non_empty
from nhi_evidence.event import About, Actor, Call, Event, Outcome, Rejection, Result, Target
from nhi_evidence.identity import CAPTIONS, Identity, IdentityKind, with_unusable
from nhi_evidence.reading import http_status
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested
from nhi_evidence.sources.azure_resource.envelope import EnvelopeView
from nhi_evidence.sources.azure_resource.record import EMPTY, Number, is_absent

SERVICE = "Microsoft.KeyVault"
_PRODUCT = "Azure Key Vault"
_CHALLENGE = "Authentication"
_UNAUTHORIZED = 401
_SUCCESS = "success"
_OBJECTS = {"Secret": "Secret", "Key": "Key", "Certificate": "Certificate"}
"""Prefix of an operation on a credential, and the credential's type."""
_WORDS = {
    "ok": Result.SUCCESS,
    "unauthorized": Result.UNAUTHENTICATED,
    "forbidden": Result.DENIED,
    "not found": Result.NOT_FOUND,
    "bad request": Result.INVALID,
}
"""`resultSignature`, which is the status in words."""


class VaultCall(msgspec.Struct, frozen=True, gc=False):
    """`properties` of an AuditEvent record."""

    id: str | None = None
    httpStatusCode: Number = None
    clientInfo: str | None = None
    requestUri: str | None = None


class _Token(msgspec.Struct, frozen=True, gc=False):
    claim: msgspec.Raw = EMPTY


_call = LenientDecoder(VaultCall, fold_case=True)
_token = LenientDecoder(_Token, fold_case=True)


def event(view: EnvelopeView) -> Event | Rejection:
    """Return the event that a Key Vault record states, or why it states none.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    call, unusable = _read_call(view)
    time, name = view.time(), view.operation()
    if isinstance(time, Rejection):
        return time
    if isinstance(name, Rejection):
        return name
    status = http_status.number(call.httpStatusCode)
    who, misshapen = _actor(bytes(view.envelope.identity))
    if who is None:
        who = _nobody(name, status)
    identity = with_unusable(who.identity, (*view.unusable, *unusable, *misshapen))
    service_name = view.provider or view.envelope.category
    if service_name is None:
        return Rejection("event_source_missing")
    return Event(
        time=time[0],
        original_time=time[1],
        logged=view.logged(_PRODUCT, "keyvault"),
        call=Call(
            service=SERVICE,
            service_name=service_name,
            operation=name,
            operation_name=name,
            api_version=view.api_version,
            source=endpoint(non_empty(view.envelope.callerIpAddress)),
            user_agent=non_empty(call.clientInfo),
        ),
        actor=msgspec.structs.replace(who, identity=identity),
        about=_about(view, call, name),
        outcome=_outcome(view, status, is_challenge=_is_challenge(name, status, identity)),
    )


def _read_call(view: EnvelopeView) -> tuple[VaultCall, tuple[str, ...]]:
    """Read what was called; Managed HSM writes it next to `properties`."""
    envelope = view.envelope
    beside = VaultCall(
        httpStatusCode=envelope.httpStatusCode,
        clientInfo=envelope.clientInfo,
        requestUri=envelope.requestUri,
    )
    if is_absent(envelope.properties):
        return beside, ()
    try:
        call, unusable = _call.part(nested(envelope.properties), "properties")
    except msgspec.ValidationError:
        return beside, ("properties",)
    return (
        VaultCall(
            id=call.id,
            httpStatusCode=beside.httpStatusCode
            if call.httpStatusCode is None
            else call.httpStatusCode,
            clientInfo=call.clientInfo or beside.clientInfo,
            requestUri=call.requestUri or beside.requestUri,
        ),
        unusable,
    )


@bounded_cache(results=2048, longest=16_384)
def _actor(identity: bytes) -> tuple[Actor | None, tuple[str, ...]]:
    """Decide who called by the claims of the token; None without a token."""
    if is_absent(msgspec.Raw(identity)):
        return None, ()
    try:
        token, unusable = _token.part_leniently(nested(identity), "identity")
        claim: Any = None if is_absent(token.claim) else msgspec.json.decode(nested(token.claim))
    except msgspec.ValidationError:
        return None, ("identity",)
    claims, misshapen = read(claim)
    decided = principal.actor(claims) if claims is not None else None
    return decided, (*unusable, *misshapen)


def _nobody(name: str, status: int | None) -> Actor:
    """Return the actor of a call without a token, such as every client's first call."""
    challenged = name == _CHALLENGE and status == _UNAUTHORIZED
    identity = Identity(
        type_id=IdentityKind.UNKNOWN.value,
        type=CAPTIONS[IdentityKind.UNKNOWN],
        decision_rule="AZ-08",
        labels=("oauth_challenge",) if challenged else (),
    )
    return Actor(identity=identity)


def _is_challenge(name: str, status: int | None, identity: Identity) -> bool:
    return name == _CHALLENGE and status == _UNAUTHORIZED and "oauth_challenge" in identity.labels


def _outcome(view: EnvelopeView, status: int | None, *, is_challenge: bool) -> Outcome:
    """Derive the outcome from the status, else from its words.

    A client first calls without a token to learn where to get one: the 401 it gets refuses
    nobody, and nothing is known about its credential yet.
    """
    detail = non_empty(view.envelope.resultDescription)
    signature = view.envelope.resultSignature
    if is_challenge:
        return Outcome(Result.UNKNOWN, str(status), detail)
    if status is not None:
        result = http_status.result(status)
        return Outcome(result) if result is Result.SUCCESS else Outcome(result, str(status), detail)
    word = str(signature or view.envelope.resultType or "")
    result = _WORDS.get(word.lower(), Result.UNKNOWN)
    if word.lower() == _SUCCESS:
        result = Result.SUCCESS
    return Outcome(result) if result is Result.SUCCESS else Outcome(result, word or None, detail)


def _about(view: EnvelopeView, call: VaultCall, name: str) -> About:
    kind = next((kind for prefix, kind in _OBJECTS.items() if name.startswith(prefix)), None)
    uid = non_empty(call.id) or (non_empty(call.requestUri) or "").partition("?")[0] or None
    vault = non_empty(view.envelope.resourceId)
    named = Target(uid=uid, type=kind) if uid else None
    targets = [one for one in (named, Target(uid=vault, type="Vault") if vault else None) if one]
    return About(
        targets=tuple(targets),
        is_nhi=kind is not None,
        entity=named if kind is not None else None,
        log_name=None,
    )
