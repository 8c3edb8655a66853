"""A Storage record (read, write, delete) -> Event.

https://learn.microsoft.com/azure/storage/blobs/monitor-blob-storage-reference
"""

from __future__ import annotations

import msgspec

from nhi_evidence.azure.text import endpoint, non_empty
from nhi_evidence.event import About, Call, Event, Outcome, Rejection, Result, Target
from nhi_evidence.identity import with_unusable
from nhi_evidence.reading import http_status
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested
from nhi_evidence.sources.azure_resource.envelope import EnvelopeView
from nhi_evidence.sources.azure_resource.record import is_absent
from nhi_evidence.sources.azure_resource.storage_actor import actor

SERVICE = "Microsoft.Storage"
_PRODUCT = "Azure Storage"
_BUCKET = "Microsoft.Storage/storageAccounts/blobServices/containers"
_AUTHENTICATION_FAILED = "authenticationfailed"
_WORDS = (
    ("success", Result.SUCCESS),
    ("authenticationerror", Result.UNAUTHENTICATED),
    ("authorizationerror", Result.DENIED),
    ("authorizationfailure", Result.DENIED),
    ("throttlingerror", Result.THROTTLED),
    ("serverbusyerror", Result.THROTTLED),
    ("clientothererror", Result.FAILED),
    ("servererror", Result.FAILED),
    ("networkerror", Result.FAILED),
    ("timeouterror", Result.FAILED),
)
"""Ending of `metricResponseType` in lower case (`SASAuthorizationError`, `ClientOtherError`)."""
_IN_CONTAINER = 2
"""How many segments of an object key precede the object: account and container."""


class StorageCall(msgspec.Struct, frozen=True, gc=False):
    """`properties` of a Storage record."""

    accountName: str | None = None
    objectKey: str | None = None
    serviceType: str | None = None
    metricResponseType: str | None = None
    userAgentHeader: str | None = None
    clientRequestId: str | None = None
    operationCount: str | int | None = None


_call = LenientDecoder(StorageCall, fold_case=True)


def event(view: EnvelopeView) -> Event | Rejection:
    """Return the event that a Storage record states, or why it states none.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    call, unusable = _read_call(view)
    time, name = view.time(), view.operation()
    if isinstance(time, Rejection):
        return time
    if isinstance(name, Rejection):
        return name
    who, misshapen = actor(bytes(view.envelope.identity))
    identity = with_unusable(who.identity, (*view.unusable, *unusable, *misshapen))
    service_name = view.provider or view.envelope.category
    if service_name is None:
        return Rejection("event_source_missing")
    return Event(
        time=time[0],
        original_time=time[1],
        logged=view.logged(_PRODUCT, "storage", uid=_uid(view, call)),
        call=Call(
            service=SERVICE,
            service_name=service_name,
            operation=name,
            operation_name=name,
            api_version=view.api_version,
            request_uid=non_empty(call.clientRequestId),
            source=endpoint(non_empty(view.envelope.callerIpAddress)),
            user_agent=non_empty(call.userAgentHeader),
        ),
        actor=msgspec.structs.replace(who, identity=identity),
        about=_about(view, call),
        outcome=_outcome(view, call),
    )


def _read_call(view: EnvelopeView) -> tuple[StorageCall, tuple[str, ...]]:
    if is_absent(view.envelope.properties):
        return StorageCall(), ()
    try:
        return _call.part(nested(view.envelope.properties), "properties")
    except msgspec.ValidationError:
        return StorageCall(), ("properties",)


def _uid(view: EnvelopeView, call: StorageCall) -> str | None:
    """Return the id of the request, and the number of the operation in it if it has several."""
    request = non_empty(view.envelope.correlationId)
    if request is None or call.operationCount in (None, 0, "0", ""):
        return request
    return f"{request} {call.operationCount}"


def _outcome(view: EnvelopeView, call: StorageCall) -> Outcome:
    """Derive the outcome from the status, else from the response type."""
    status = http_status.number(view.envelope.statusCode)
    text = non_empty(view.envelope.statusText)
    if status is not None:
        result = http_status.result(status)
        if result is Result.SUCCESS:
            return Outcome(result)
        # A wrong signature gives a 403 too; only the text tells it from a missing permission.
        if (text or "").lower() == _AUTHENTICATION_FAILED:
            result = Result.UNAUTHENTICATED
        return Outcome(result, str(status), text)
    word = non_empty(call.metricResponseType) or text
    for ending, result in _WORDS:
        if (word or "").lower().endswith(ending):
            return Outcome(result) if result is Result.SUCCESS else Outcome(result, word, text)
    return Outcome(Result.UNKNOWN, word)


def _about(view: EnvelopeView, call: StorageCall) -> About:
    key, account = non_empty(call.objectKey), non_empty(view.envelope.resourceId)
    parts = [one for one in (key or "").strip('"').split("/") if one]
    container = parts[1] if len(parts) >= _IN_CONTAINER else None
    is_blob = (call.serviceType or "blob").lower() == "blob"
    targets = []
    if key:
        targets.append(Target(uid=key.strip('"'), type=call.serviceType))
    if account:
        targets.append(Target(uid=account, name=non_empty(call.accountName)))
    return About(
        targets=tuple(targets),
        file=Target(uid=key.strip('"'), name="/".join(parts[_IN_CONTAINER:]))
        if key and is_blob and len(parts) > _IN_CONTAINER
        else None,
        databucket=(
            Target(name=container, type=_BUCKET) if container is not None and is_blob else None
        ),
        table=Target(name=container) if container is not None and not is_blob else None,
    )
