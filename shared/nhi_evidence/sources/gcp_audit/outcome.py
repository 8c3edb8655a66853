"""The outcome of a call, from `status`, `authorizationInfo` and, for sign-ins, the method.

`status.code` is a `google.rpc.Code`; JSON leaves the code 0 (OK) out, so `status: {}` is a success.
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nhi_evidence.event import Outcome, Result
from nhi_evidence.sources.gcp_audit.record import AuditLog, Operation, present

_BY_CODE = {
    3: Result.INVALID,  # INVALID_ARGUMENT
    5: Result.NOT_FOUND,
    7: Result.DENIED,  # PERMISSION_DENIED
    8: Result.THROTTLED,  # RESOURCE_EXHAUSTED
    9: Result.INVALID,  # FAILED_PRECONDITION
    11: Result.INVALID,  # OUT_OF_RANGE
    12: Result.INVALID,  # UNIMPLEMENTED
    16: Result.UNAUTHENTICATED,
    # Some services write the HTTP status; no google.rpc.Code is as large.
    400: Result.INVALID,
    401: Result.UNAUTHENTICATED,
    403: Result.DENIED,
    404: Result.NOT_FOUND,
    429: Result.THROTTLED,
}
_BY_NAME = {
    "OK": 0,
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}
"""Names of `google.rpc.Code`, which some exports write instead of the number."""
_LONGEST_CODE = 4
_UNREADABLE = frozenset({"protoPayload.status", "protoPayload.status.code"})
_ERROR = b'"error'
_JOB_ERRORS = (
    ("jobCompletedEvent", "job", "jobStatus", "error"),
    ("jobInsertResponse", "resource", "jobStatus", "error"),
    ("jobGetQueryResultsResponse", "job", "jobStatus", "error"),
    ("jobQueryResponse", "job", "jobStatus", "error"),
    ("jobChange", "job", "jobStatus", "errorResult"),
    ("jobInsertion", "job", "jobStatus", "errorResult"),
)
"""Where BigQuery says that a job failed although the call itself succeeded.

https://cloud.google.com/bigquery/docs/reference/auditlogs
"""
_ANSWERS_REQUESTS = frozenset({"activity", "data_access"})
"""Logs of calls, which succeeded if there is no error. A system event is not a request."""
_POLICY = "policy"
_SIGN_IN = "login.googleapis.com"
_FAILED_SIGN_IN = "loginFailure"
"""Sign-in events have no error status; the method says that it failed."""


class _PolicyMetadata(msgspec.Struct):
    dry_run: bool | None = msgspec.field(name="dryRun", default=None)


def outcome(
    audit: AuditLog,
    operation: Operation | None,
    record_class: str | None,
    unusable: Sequence[str] = (),
) -> Outcome:
    """Derive the outcome of an audit log; `record_class` is that of its log.

    `unusable` names the attributes that could not be used: an unreadable outcome is unknown.
    """
    status = audit.status
    detail = (status.message if status else None) or None
    code = _number(status.code if status else None)
    if code is None or not _UNREADABLE.isdisjoint(unusable):
        text = None if status is None or status.code is None else str(status.code)
        return Outcome(Result.UNKNOWN, text, detail)
    if code:
        result = _BY_CODE.get(code, Result.FAILED)
        if record_class == _POLICY and _is_dry_run(audit):
            result = Result.UNKNOWN
        return Outcome(result, str(status.code if status else code), detail)
    if audit.service_name == _SIGN_IN and (audit.method_name or "").endswith(_FAILED_SIGN_IN):
        return Outcome(Result.UNAUTHENTICATED, None, detail)
    if _refused_all(audit):
        return Outcome(Result.DENIED, None, detail)
    if record_class == _POLICY:
        return Outcome(Result.UNKNOWN if _is_dry_run(audit) else Result.DENIED, None, detail)
    failure = _failure(audit)
    if failure is not None:
        return failure
    if operation is not None and operation.first and not operation.last:
        # The request was accepted; its outcome is in the last entry of the operation.
        return Outcome(Result.UNKNOWN, None, detail)
    if status is not None or record_class in _ANSWERS_REQUESTS:
        return Outcome(Result.SUCCESS, None, detail)
    return Outcome(Result.UNKNOWN, None, detail)


def _number(code: int | str | None) -> int | None:
    """Return the number of a code: 0 if none is stated, None if it is not a known one."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    text = code.strip()
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_CODE:
        return int(text)
    return _BY_NAME.get(text.upper())


def _failure(audit: AuditLog) -> Outcome | None:
    """Return the failure, stated in the payload, of what the call started or responded with."""
    for piece in (audit.service_data, audit.metadata):
        if _ERROR in bytes(piece):
            payload = msgspec.json.decode(piece)
            errors = (_at(payload, *path) for path in _JOB_ERRORS)
            error = next((error for error in errors if isinstance(error, dict) and error), None)
            if error is not None:
                return _of_error(error)
    if _ERROR in bytes(audit.response):
        error = _at(msgspec.json.decode(audit.response), "error")
        if isinstance(error, dict) and error.get("code"):
            return _of_error(error)
    return None


def _of_error(error: dict[str, Any]) -> Outcome:
    code, message = error.get("code"), error.get("message")
    number = _number(code) if isinstance(code, int | str) else None
    return Outcome(
        _BY_CODE.get(number or 0, Result.FAILED),
        str(code) if isinstance(code, int | str) else None,
        message if isinstance(message, str) and message else None,
    )


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _refused_all(audit: AuditLog) -> bool:
    """Whether the record has permissions that were refused, and none that were granted."""
    answers = {one.granted for one in audit.authorization_info or ()}
    return False in answers and True not in answers


def _is_dry_run(audit: AuditLog) -> bool:
    """Whether a perimeter was only in dry run: the violation is logged, but the call goes through.

    https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
    """
    slice_ = present(audit.metadata)
    if slice_ is None:
        return False
    try:
        return msgspec.json.decode(slice_, type=_PolicyMetadata).dry_run is True
    except msgspec.ValidationError:
        return False
