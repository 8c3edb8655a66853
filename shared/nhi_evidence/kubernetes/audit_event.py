"""The Kubernetes audit event, one stage of one request, and the parts of it that are read.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/#audit-k8s-io-v1-Event
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.reading.lenient_decoder import LenientDecoder

ABSENT = msgspec.Raw(b"")


class UserInfo(msgspec.Struct, frozen=True, gc=False):
    """`user` or `impersonatedUser`."""

    username: str | None = None
    uid: str | None = None
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class ObjectReference(msgspec.Struct, frozen=True, gc=False):
    """`objectRef`: what a request is about; absent from a request without a resource."""

    resource: str | None = None
    subresource: str | None = None
    namespace: str | None = None
    name: str | None = None
    uid: str | None = None
    apiGroup: str | None = None
    apiVersion: str | None = None


class ResponseStatus(msgspec.Struct, frozen=True, gc=False):
    """`responseStatus`."""

    code: int | str | None = None
    message: str | None = None
    reason: str | None = None


class AuditEvent(msgspec.Struct, frozen=True, gc=False):
    """One audit event."""

    apiVersion: str | None = None
    auditID: str | None = None
    stage: str | None = None
    verb: str | None = None
    requestURI: str | None = None
    user: UserInfo | None = None
    impersonatedUser: UserInfo | None = None
    sourceIPs: list[str] | None = None
    userAgent: str | None = None
    objectRef: ObjectReference | None = None
    responseStatus: ResponseStatus | None = None
    requestObject: msgspec.Raw = ABSENT
    """The request's object, if the audit policy includes it; a patch may be a list."""
    requestReceivedTimestamp: str | None = None
    stageTimestamp: str | None = None
    annotations: dict[str, Any] | None = None


audit_events = LenientDecoder(AuditEvent)
