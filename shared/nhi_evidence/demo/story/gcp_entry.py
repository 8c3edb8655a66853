"""Build log entries in the shapes that Cloud Audit Logs writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from nhi_evidence.demo.story.records import START, Recorder

PROJECT = "example-payments"
NUMBER = "123456789012"

_TYPE = "type.googleapis.com/google.cloud.audit.AuditLog"
_DENIED = 7
"""`PERMISSION_DENIED`, https://cloud.google.com/apis/design/errors."""


class Caller(NamedTuple):
    """The caller, as `authenticationInfo` and `requestMetadata` state it."""

    email: str | None = None
    subject: str | None = None
    through: str | None = None
    """The principal that impersonates the service account, in IAM's syntax."""
    key: str | None = None
    """The service account key that was used, by its full resource name."""
    ip: str | None = "192.0.2.61"
    agent: str | None = "google-api-go-client/0.5"

    def authentication(self) -> dict[str, Any]:
        """Return `authenticationInfo`; empty where Google redacts the caller."""
        entry: dict[str, Any] = {}
        if self.email:
            entry["principalEmail"] = self.email
        subject = self.subject or (f"{_kind(self.email)}:{self.email}" if self.email else None)
        if subject:
            entry["principalSubject"] = subject
        if self.key:
            entry["serviceAccountKeyName"] = self.key
        if self.through:
            entry["serviceAccountDelegationInfo"] = [{"principalSubject": self.through}]
        return entry


def entry(
    recorder: Recorder,
    at: timedelta,
    caller: Caller,
    service: str,
    method: str,
    *,
    resource: str,
    permission: tuple[str, str] | None = None,
    denied: bool = False,
    log: str | None = None,
    request: Any = None,
    response: Any = None,
    metadata: Any = None,
    monitored: tuple[str, dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Return one entry; the log follows from the permission's type unless it is named."""
    moment = START + at
    fraction = f"{recorder.random.randrange(10**9):09d}"
    second = moment.strftime("%Y-%m-%dT%H:%M:%S")
    kind, labels = monitored or (
        "audited_resource",
        {"method": method, "project_id": PROJECT, "service": f"{service}.googleapis.com"},
    )
    payload: dict[str, Any] = {
        "@type": _TYPE,
        "authenticationInfo": caller.authentication(),
        "requestMetadata": {
            "callerIp": caller.ip,
            "callerSuppliedUserAgent": caller.agent,
            "requestAttributes": {"time": f"{second}.{fraction}Z", "auth": {}},
            "destinationAttributes": {},
        },
        "serviceName": f"{service}.googleapis.com",
        "methodName": method,
        "resourceName": resource,
        "status": {"code": _DENIED, "message": f"Permission denied on {resource}"}
        if denied
        else {},
    }
    if permission is not None:
        payload["authorizationInfo"] = [
            {
                "resource": resource,
                "permission": permission[0],
                "permissionType": permission[1],
                "resourceAttributes": {},
                # protobuf's JSON omits false values
                **({} if denied else {"granted": True}),
            }
        ]
    parts = {"request": request, "response": response, "metadata": metadata}
    payload |= {name: value for name, value in parts.items() if value is not None}
    if log is None:
        writes = permission is not None and permission[1] == "ADMIN_WRITE"
        log = "activity" if writes else "data_access"
    return {
        "protoPayload": payload,
        "insertId": f"{recorder.random.getrandbits(60):x}",
        "resource": {"type": kind, "labels": labels},
        "timestamp": f"{second}.{fraction}Z",
        "severity": "ERROR" if denied else "NOTICE" if log == "activity" else "INFO",
        "logName": f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2F{log}",
        "receiveTimestamp": f"{(moment + timedelta(seconds=1)):%Y-%m-%dT%H:%M:%S}.{fraction}Z",
    }


def _kind(email: str | None) -> str:
    return "serviceAccount" if str(email).endswith("gserviceaccount.com") else "user"
