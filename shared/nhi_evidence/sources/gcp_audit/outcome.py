"""The outcome of a call, from `status`, `authorizationInfo` and, for sign-ins, the method.

`status.code` is a `google.rpc.Code`; JSON leaves the code 0 (OK) out, so `status: {}` is a success.
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from __future__ import annotations

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
_ANSWERS_REQUESTS = frozenset({"activity", "data_access"})
"""Logs of calls: without an error, the call succeeded. A system event answers no request."""
_POLICY = "policy"
_SIGN_IN = "login.googleapis.com"
_FAILED_SIGN_IN = "loginFailure"
"""Sign-in events carry no error; the method says that it failed."""


class _PolicyMetadata(msgspec.Struct):
    dry_run: bool | None = msgspec.field(name="dryRun", default=None)


def outcome(audit: AuditLog, operation: Operation | None, record_class: str | None) -> Outcome:
    """Derive the outcome of an audit log; `record_class` is that of its log."""
    status = audit.status
    code = (status.code if status else None) or 0
    detail = (status.message if status else None) or None
    if code:
        result = _BY_CODE.get(code, Result.FAILED)
        if record_class == _POLICY and _is_dry_run(audit):
            result = Result.UNKNOWN
        return Outcome(result, str(code), detail)
    if audit.service_name == _SIGN_IN and (audit.method_name or "").endswith(_FAILED_SIGN_IN):
        return Outcome(Result.UNAUTHENTICATED, None, detail)
    if _refused_all(audit):
        return Outcome(Result.DENIED, None, detail)
    if record_class == _POLICY:
        return Outcome(Result.UNKNOWN if _is_dry_run(audit) else Result.DENIED, None, detail)
    if operation is not None and operation.first and not operation.last:
        # The request was accepted; its outcome is in the last entry of the operation.
        return Outcome(Result.UNKNOWN, None, detail)
    if status is not None or record_class in _ANSWERS_REQUESTS:
        return Outcome(Result.SUCCESS, None, detail)
    return Outcome(Result.UNKNOWN, None, detail)


def _refused_all(audit: AuditLog) -> bool:
    """Whether permissions are said not to be granted, and none is said to be."""
    answers = {one.granted for one in audit.authorization_info or ()}
    return False in answers and True not in answers


def _is_dry_run(audit: AuditLog) -> bool:
    """Whether a perimeter was only tried out: the violation is logged, the call goes through.

    https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
    """
    slice_ = present(audit.metadata)
    if slice_ is None:
        return False
    try:
        return msgspec.json.decode(slice_, type=_PolicyMetadata).dry_run is True
    except msgspec.ValidationError:
        return False
