"""The parts of Entra's logs that this pack reads, and how it reads them.

A record comes as diagnostic settings write it (an envelope with `properties`), or flat: as a
Log Analytics row (different case, JSON inside texts) or as a Microsoft Graph object.
https://learn.microsoft.com/entra/identity/monitoring-health/concept-activity-log-schemas
https://learn.microsoft.com/graph/api/resources/signin
https://learn.microsoft.com/graph/api/resources/directoryaudit
https://learn.microsoft.com/azure/azure-monitor/reference/tables/microsoftgraphactivitylogs
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder, nested

EMPTY = msgspec.Raw(b"")

Number = str | int | None
"""A number, which some exports write as a text."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every diagnostic settings record has, and the same attributes of flat records."""

    time: str | None = None
    timeGenerated: str | None = None
    resourceId: str | None = None
    operationName: str | None = None
    operationVersion: str | int | float | None = None
    category: str | None = None
    tenantId: str | None = None
    aadTenantId: str | None = None
    """The tenant of a Log Analytics row, whose `TenantId` is its workspace."""
    type: str | None = None
    """The table of a Log Analytics row."""
    result: str | None = None
    resultType: Number = None
    resultSignature: Number = None
    resultDescription: str | None = None
    callerIpAddress: str | None = None
    correlationId: str | None = None
    location: str | None = None
    properties: msgspec.Raw = EMPTY


class Agent(msgspec.Struct, frozen=True, gc=False):
    """`agent` of a sign-in. Its types are not a closed set.

    https://learn.microsoft.com/graph/api/resources/agentic-agentsignin
    """

    agentType: str | None = None
    agentSubjectType: str | None = None
    agentSubjectParentId: str | None = None
    parentAppId: str | None = None


class ManagedIdentity(msgspec.Struct, frozen=True, gc=False):
    """`managedServiceIdentity` of a sign-in."""

    msiType: str | None = None
    associatedResourceId: str | None = None
    federatedTokenId: str | None = None
    federatedTokenIssuer: str | None = None


class Status(msgspec.Struct, frozen=True, gc=False):
    """`status` of a sign-in."""

    errorCode: Number = None
    failureReason: str | None = None


class SignIn(msgspec.Struct, frozen=True, gc=False):
    """`properties` of a sign-in record of any category."""

    id: str | None = None
    createdDateTime: str | None = None
    userId: str | None = None
    userPrincipalName: str | None = None
    userDisplayName: str | None = None
    homeTenantId: str | None = None
    appId: str | None = None
    appDisplayName: str | None = None
    appOwnerTenantId: str | None = None
    ipAddress: str | None = None
    userAgent: str | None = None
    clientCredentialType: str | None = None
    servicePrincipalId: str | None = None
    servicePrincipalName: str | None = None
    servicePrincipalCredentialKeyId: str | None = None
    servicePrincipalCredentialThumbprint: str | None = None
    federatedCredentialId: str | None = None
    uniqueTokenIdentifier: str | None = None
    sessionId: str | None = None
    correlationId: str | None = None
    resourceId: str | None = None
    resourceIdentity: str | None = None
    """What Log Analytics calls the target's `resourceId`."""
    resourceDisplayName: str | None = None
    resourceServicePrincipalId: str | None = None
    isInteractive: bool | None = None
    """In a Microsoft Graph object (v1.0), which has no `signInEventTypes`."""
    signInEventTypes: list[str] | None = None
    managedServiceIdentity: ManagedIdentity | None = None
    agent: Agent | None = None
    status: Status | None = None


class Property(msgspec.Struct, frozen=True, gc=False):
    """One element of `modifiedProperties`; old and new values are JSON inside a text."""

    displayName: str | None = None
    oldValue: msgspec.Raw = EMPTY
    newValue: msgspec.Raw = EMPTY


class TargetResource(msgspec.Struct, frozen=True, gc=False):
    """One element of `targetResources`."""

    id: str | None = None
    displayName: str | None = None
    type: str | None = None
    userPrincipalName: str | None = None
    modifiedProperties: list[Property] | None = None


class Detail(msgspec.Struct, frozen=True, gc=False):
    """One element of `additionalDetails`."""

    key: str | None = None
    value: str | None = None


class InitiatingApp(msgspec.Struct, frozen=True, gc=False):
    """`initiatedBy.app`."""

    appId: str | None = None
    displayName: str | None = None
    servicePrincipalId: str | None = None
    servicePrincipalName: str | None = None
    agentType: str | None = None


class InitiatingUser(msgspec.Struct, frozen=True, gc=False):
    """`initiatedBy.user`."""

    id: str | None = None
    displayName: str | None = None
    userPrincipalName: str | None = None
    ipAddress: str | None = None
    homeTenantId: str | None = None
    agentType: str | None = None


class Initiator(msgspec.Struct, frozen=True, gc=False):
    """`initiatedBy`: an application, a user, or both."""

    app: InitiatingApp | None = None
    user: InitiatingUser | None = None


class Audit(msgspec.Struct, frozen=True, gc=False):
    """`properties` of an audit record; what may be an object or a text stays a slice."""

    id: str | None = None
    activityDateTime: str | None = None
    activityDisplayName: str | None = None
    loggedByService: str | None = None
    result: str | None = None
    resultReason: str | None = None
    correlationId: str | None = None
    userAgent: str | None = None
    initiatedBy: msgspec.Raw = EMPTY
    targetResources: msgspec.Raw = EMPTY
    additionalDetails: msgspec.Raw = EMPTY


class GraphCall(msgspec.Struct, frozen=True, gc=False):
    """`properties` of a MicrosoftGraphActivityLogs record."""

    timeGenerated: str | None = None
    requestId: str | None = None
    operationId: str | None = None
    clientRequestId: str | None = None
    apiVersion: str | None = None
    requestMethod: str | None = None
    requestUri: str | None = None
    responseStatusCode: Number = None
    signInActivityId: str | None = None
    appId: str | None = None
    userId: str | None = None
    servicePrincipalId: str | None = None
    clientAuthMethod: Number = None
    scopes: str | None = None
    """Delegated permissions of the token; only a user's token has them."""
    roles: str | None = None
    ipAddress: str | None = None
    userAgent: str | None = None
    identityProvider: str | None = None
    tokenIssuedAt: str | None = None


_PartT = TypeVar("_PartT", bound=msgspec.Struct)

SIGN_IN = LenientDecoder(SignIn, fold_case=True)
AUDIT = LenientDecoder(Audit, fold_case=True)
GRAPH_CALL = LenientDecoder(GraphCall, fold_case=True)

_envelope = LenientDecoder(Envelope, fold_case=True)
_TELLING = ("id", "requestId")
"""Every record has one of these; if neither is found, its names are in a different case."""


def read(raw: bytes) -> tuple[Envelope, tuple[str, ...]] | Rejection:
    """Read the envelope; the second value names attributes that could not be used."""
    decoded = _envelope.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    if decoded[0].category is None or decoded[0].operationName is None:
        return _envelope.record_leniently(raw)
    return decoded


def properties(
    envelope: Envelope, raw: bytes, decoder: LenientDecoder[_PartT]
) -> tuple[_PartT, tuple[str, ...]]:
    """Read a record's properties: the attribute, or the whole of a flat record.

    Raises as `msgspec.json.decode` does when a slice cannot be decoded.
    """
    if not bytes(envelope.properties):
        return decoder.part_leniently(raw, "")
    piece = nested(envelope.properties)
    try:
        part, unusable = decoder.part(piece, "properties")
        if all(getattr(part, name, None) is None for name in _TELLING):
            part, unusable = decoder.part_leniently(piece, "properties")
    except msgspec.ValidationError:
        return decoder.part_leniently(b"{}", "")[0], ("properties",)
    return part, unusable
