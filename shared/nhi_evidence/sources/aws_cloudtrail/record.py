"""The parts of a CloudTrail record this pack reads, and how it reads them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

Shapes vary (a string where an object is usual): an attribute of another shape reads as absent,
the rest of the record is still read, and `read` names the attributes it could not use.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args, get_origin

import msgspec

from nhi_evidence.event import Rejection

_DETAIL = 200

EMPTY = msgspec.Raw(b"")


class SessionIssuer(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.sessionContext.sessionIssuer`."""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None
    userName: str | None = None


class SessionAttributes(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.sessionContext.attributes`; CloudTrail spells booleans as strings."""

    creationDate: str | None = None
    mfaAuthenticated: str | bool | None = None


class WebIdFederation(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.sessionContext.webIdFederationData`."""

    federatedProvider: str | None = None


class SessionContext(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.sessionContext`."""

    sessionIssuer: SessionIssuer | None = None
    attributes: SessionAttributes | None = None
    webIdFederationData: WebIdFederation | None = None
    sourceIdentity: str | None = None
    ec2RoleDelivery: str | None = None
    assumedRoot: str | bool | None = None


class InScopeOf(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.inScopeOf`: the workload a service obtained the credentials for."""

    issuerType: str | None = None
    credentialsIssuedTo: str | None = None
    sourceArn: str | None = None
    sourceAccount: str | None = None


class OnBehalfOf(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.onBehalfOf`: the Identity Center user an enhanced session acts for."""

    userId: str | None = None
    identityStoreArn: str | None = None


class InvokedByDelegate(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity.invokedByDelegate`: the partner a delegated session acts through."""

    accountId: str | None = None


class UserIdentity(msgspec.Struct, frozen=True, gc=False):
    """`userIdentity`."""

    type: str | None = None
    principalId: str | None = None
    arn: str | None = None
    accountId: str | None = None
    accessKeyId: str | None = None
    userName: str | None = None
    sessionContext: SessionContext | None = None
    invokedBy: str | None = None
    identityProvider: str | None = None
    credentialId: str | None = None
    onBehalfOf: OnBehalfOf | None = None
    inScopeOf: InScopeOf | None = None
    invokedByDelegate: InvokedByDelegate | None = None


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One element of `resources`."""

    ARN: str | None = None
    arn: str | None = None
    accountId: str | None = None
    type: str | None = None
    resourceName: str | None = None
    resourceType: str | None = None


class InsightDetails(msgspec.Struct, frozen=True, gc=False):
    """`insightDetails` of an Insights event."""

    eventSource: str | None = None
    eventName: str | None = None
    state: str | None = None
    insightType: str | None = None


class TimeWindow(msgspec.Struct, frozen=True, gc=False):
    """`timeWindow` of an aggregated event."""

    windowStart: str | None = None
    windowEnd: str | None = None


class TrailRecord(msgspec.Struct, frozen=True, gc=False):
    """One record; what is read on its own, or only when asked for, stays an exact JSON slice."""

    eventTime: str | None = None
    eventSource: str | None = None
    eventName: str | None = None
    eventVersion: str | None = None
    eventID: str | None = None
    eventType: str | None = None
    eventCategory: str | None = None
    managementEvent: bool | str | None = None
    awsRegion: str | None = None
    recipientAccountId: str | None = None
    sharedEventID: str | None = None
    requestID: str | None = None
    apiVersion: str | None = None
    sourceIPAddress: str | None = None
    userAgent: str | None = None
    errorCode: str | None = None
    errorMessage: str | None = None
    vpcEndpointId: str | None = None
    sessionCredentialFromConsole: str | bool | None = None
    userIdentity: msgspec.Raw = EMPTY
    resources: list[Resource] | None = None
    insightDetails: InsightDetails | None = None
    eventId: str | None = None
    """As aggregated events spell `eventID`."""
    accountId: str | None = None
    """As aggregated events spell `recipientAccountId`."""
    timeWindow: TimeWindow | None = None
    requestParameters: msgspec.Raw = EMPTY
    responseElements: msgspec.Raw = EMPTY


_decode = msgspec.json.Decoder(TrailRecord).decode
_decode_identity = msgspec.json.Decoder(UserIdentity | None).decode
_StructT = TypeVar("_StructT", bound=msgspec.Struct)


def read(raw: bytes) -> tuple[TrailRecord, tuple[str, ...]] | Rejection:
    """Read one record; the second value names attributes of an unusable shape."""
    try:
        return _decode(raw), ()
    except msgspec.ValidationError:
        return _read_loosely(raw)
    except RecursionError:
        return Rejection("nesting_too_deep", "more levels than the JSON reader takes")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed_json", str(error)[:_DETAIL])


def read_identity(raw: bytes) -> tuple[UserIdentity | None, tuple[str, ...]]:
    """Read a `userIdentity` slice; the second value names attributes of an unusable shape."""
    if not raw:
        return None, ()
    try:
        return _decode_identity(raw), ()
    except msgspec.ValidationError:
        unusable: list[str] = []
        identity = _loose_value(UserIdentity | None, msgspec.Raw(raw), "userIdentity", unusable)
        return identity, tuple(unusable)


def present(slice_: msgspec.Raw) -> msgspec.Raw | None:
    """Return a JSON slice, None when the attribute is absent or null."""
    return None if bytes(slice_) in {b"", b"null"} else slice_


def is_true(value: str | bool | None) -> bool:
    """Read a boolean that CloudTrail may spell as a string."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _read_loosely(raw: bytes) -> tuple[TrailRecord, tuple[str, ...]] | Rejection:
    unusable: list[str] = []
    try:
        record = _loose(TrailRecord, raw, "", unusable)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError):
            return Rejection("record_not_an_object", raw[:40].decode(errors="replace"))
        return Rejection("malformed_json", str(error)[:_DETAIL])
    return record, tuple(unusable)


def _loose(
    shape: type[_StructT], piece: bytes | msgspec.Raw, where: str, unusable: list[str]
) -> _StructT:
    """Read an object attribute by attribute, leaving out those of another shape.

    Raises `msgspec.ValidationError` when `piece` is not an object.
    """
    slices = msgspec.json.decode(piece, type=dict[str, msgspec.Raw])
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if field.name not in slices:
            continue
        value = slices[field.name]
        if field.type is msgspec.Raw:
            values[field.name] = value
            continue
        name = f"{where}.{field.name}" if where else field.name
        try:
            values[field.name] = msgspec.json.decode(value, type=field.type)
        except msgspec.ValidationError:
            values[field.name] = _loose_value(field.type, value, name, unusable)
    return shape(**values)


def _loose_value(expected: Any, value: msgspec.Raw, name: str, unusable: list[str]) -> Any:
    for option in get_args(expected):
        try:
            if isinstance(option, type) and issubclass(option, msgspec.Struct):
                return _loose(option, value, name, unusable)
            if get_origin(option) is list:
                (element,) = get_args(option)
                return [
                    _loose(element, item, name, unusable)
                    for item in msgspec.json.decode(value, type=list[msgspec.Raw])
                ]
        except msgspec.ValidationError:
            continue
    unusable.append(name)
    return None
