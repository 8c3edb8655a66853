"""The parts of a CloudTrail record that this pack reads, and how it reads them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

Types vary (a string where an object is usual): an attribute of an unexpected type reads as absent,
the rest of the record is still read, and `read` names the attributes it could not use.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder

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
    """`timeWindow` of an aggregated event: the time it summarizes."""

    windowStart: str | None = None
    windowEnd: str | None = None


class Addendum(msgspec.Struct, frozen=True, gc=False):
    """`addendum`: the record completes or corrects an earlier one."""

    reason: str | None = None
    originalEventID: str | None = None


class TlsDetails(msgspec.Struct, frozen=True, gc=False):
    """`tlsDetails`."""

    clientProvidedHostHeader: str | None = None


class TrailRecord(msgspec.Struct, frozen=True, gc=False):
    """One record; what is decoded separately, or only on demand, stays an exact JSON slice."""

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
    """`eventID` in aggregated events."""
    accountId: str | None = None
    """`recipientAccountId` in aggregated events."""
    timeWindow: TimeWindow | None = None
    addendum: Addendum | None = None
    tlsDetails: TlsDetails | None = None
    requestParameters: msgspec.Raw = EMPTY
    responseElements: msgspec.Raw = EMPTY
    serviceEventDetails: msgspec.Raw = EMPTY
    additionalEventData: msgspec.Raw = EMPTY


_record = LenientDecoder(TrailRecord)
_identity = LenientDecoder(UserIdentity)


def read(raw: bytes) -> tuple[TrailRecord, tuple[str, ...]] | Rejection:
    """Read one record; the second value names attributes that could not be used."""
    return _record.record(raw)


def read_identity(raw: bytes) -> tuple[UserIdentity | None, tuple[str, ...]]:
    """Read a `userIdentity` slice; the second value names attributes that could not be used.

    Raises `msgspec.DecodeError`, `RecursionError` or `UnicodeDecodeError` when the slice cannot
    be decoded.
    """
    if raw in (b"", b"null"):
        return None, ()
    try:
        return _identity.part(raw, "userIdentity")
    except msgspec.ValidationError:
        return None, ("userIdentity",)


def present(slice_: msgspec.Raw) -> msgspec.Raw | None:
    """Return a JSON slice; None when the attribute is absent or null."""
    return None if bytes(slice_) in {b"", b"null"} else slice_


def is_true(value: str | bool | None) -> bool:
    """Read a boolean that CloudTrail may spell as a string."""
    return value is True or (isinstance(value, str) and value.lower() == "true")
