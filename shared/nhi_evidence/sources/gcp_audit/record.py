"""The parts of an audit log entry that this pack reads.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog

What is decoded separately, or only on demand, stays an exact JSON slice.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.reading.lenient_decoder import LenientDecoder

EMPTY = msgspec.Raw(b"")


class _Shape(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An object of a log entry; an attribute that is absent reads as None."""


class FirstParty(_Shape, frozen=True, gc=False, rename="camel"):
    """`firstPartyPrincipal`: a Google account or service account."""

    principal_email: str | None = None


class ThirdParty(_Shape, frozen=True, gc=False, rename="camel"):
    """`thirdPartyPrincipal`: claims of an identity from elsewhere."""

    third_party_claims: dict[str, Any] | None = None


class Delegate(_Shape, frozen=True, gc=False, rename="camel"):
    """One element of `serviceAccountDelegationInfo`."""

    principal_subject: str | None = None
    first_party_principal: FirstParty | None = None
    third_party_principal: ThirdParty | None = None


class OauthInfo(_Shape, frozen=True, gc=False, rename="camel"):
    """`oauthInfo`: the application that a person's token was issued to."""

    oauth_client_id: str | None = None


class Authentication(_Shape, frozen=True, gc=False, rename="camel"):
    """`authenticationInfo`."""

    principal_email: str | None = None
    principal_subject: str | None = None
    service_account_key_name: str | None = None
    service_account_delegation_info: list[Delegate] | None = None
    third_party_principal: ThirdParty | None = None
    oauth_info: OauthInfo | None = None


class ResourceAttributes(_Shape, frozen=True, gc=False, rename="camel"):
    """`authorizationInfo[].resourceAttributes`."""

    name: str | None = None
    type: str | None = None


class Authorization(_Shape, frozen=True, gc=False, rename="camel"):
    """One element of `authorizationInfo`; JSON omits a `granted` of false."""

    permission: str | None = None
    permission_type: str | None = None
    granted: bool | None = None
    resource: str | None = None
    resource_attributes: ResourceAttributes | None = None


class Status(_Shape, frozen=True, gc=False, rename="camel"):
    """`status` (`google.rpc.Status`); JSON omits a `code` of 0, and some exports write a text."""

    code: int | str | None = None
    message: str | None = None


class RequestMetadata(_Shape, frozen=True, gc=False, rename="camel"):
    """`requestMetadata`."""

    caller_ip: str | None = None
    caller_supplied_user_agent: str | None = None
    caller_network: str | None = None


class ResourceLocation(_Shape, frozen=True, gc=False, rename="camel"):
    """`resourceLocation`."""

    current_locations: list[str] | None = None


class AuditLog(_Shape, frozen=True, gc=False, rename="camel"):
    """`protoPayload`, if it is an audit log."""

    type: str | None = msgspec.field(name="@type", default=None)
    service_name: str | None = None
    method_name: str | None = None
    resource_name: str | None = None
    status: Status | None = None
    authorization_info: list[Authorization] | None = None
    request_metadata: RequestMetadata | None = None
    resource_location: ResourceLocation | None = None
    authentication_info: msgspec.Raw = EMPTY
    request: msgspec.Raw = EMPTY
    response: msgspec.Raw = EMPTY
    metadata: msgspec.Raw = EMPTY
    service_data: msgspec.Raw = EMPTY


class Labels(msgspec.Struct, frozen=True, gc=False):
    """The labels of a monitored resource that say where or what it is."""

    project_id: str | None = None
    location: str | None = None
    region: str | None = None
    zone: str | None = None
    bucket_name: str | None = None
    cluster_name: str | None = None
    email_id: str | None = None
    unique_id: str | None = None


class Resource(_Shape, frozen=True, gc=False, rename="camel"):
    """`resource`: the monitored resource an entry is about."""

    type: str | None = None
    labels: Labels | None = None


class Operation(_Shape, frozen=True, gc=False, rename="camel"):
    """`operation`: the long-running operation several entries are about."""

    id: str | None = None
    first: bool | None = None
    last: bool | None = None


class Split(_Shape, frozen=True, gc=False, rename="camel"):
    """`split`: one piece of an entry that was too large.

    https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSplit
    """

    uid: str | None = None
    index: int | None = None
    total_splits: int | None = None


class LogEntry(_Shape, frozen=True, gc=False, rename="camel"):
    """One entry."""

    timestamp: str | None = None
    log_name: str | None = None
    insert_id: str | None = None
    resource: Resource | None = None
    operation: Operation | None = None
    split: Split | None = None
    proto_payload: AuditLog | None = None


entries = LenientDecoder(LogEntry)
authentications = LenientDecoder(Authentication)


def present(slice_: msgspec.Raw) -> msgspec.Raw | None:
    """Return a JSON slice; None when the attribute is absent or null."""
    return None if bytes(slice_) in {b"", b"null"} else slice_
