"""The outcome of a call, from `errorCode` and, where a service reports there, `responseElements`.

CloudTrail writes no `errorCode` for a call that succeeded; ConsoleLogin and AgentCore report
their failures in `responseElements` instead, where batches, too, list what failed (`batches`).
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nhi_evidence.event import Outcome, Result
from nhi_evidence.reading.bounded_cache import bounded_cache
from nhi_evidence.sources.aws_cloudtrail import batches
from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, present
from nhi_evidence.sources.aws_cloudtrail.service_events import SERVICE_EVENT, reported

_REPORTS_ERRORS = frozenset({"AwsApiCall", "AwsConsoleAction"})
"""Event types that record a request's response: without an error code, the request succeeded.

A service event, an insight or a network activity event without a code states no outcome.
"""
_ERRORS = frozenset({"errorCode", "errorMessage", "eventType"})
_SIGN_IN = "signin"
"""Every console sign-in event has its result in `responseElements`, under the event's own name."""
_CLIENT_PREFIX = "Client."
_DRY_RUN_GRANTED = "DryRunOperation"

_SUFFIXES = ("Exception", "Fault", "Error")
"""Suffixes that some services put after an error name and others do not."""
_DENIED = (
    "AccessDenied",
    "AuthorizationError",
    "Forbidden",
    "InsufficientPrivileges",
    "AllAccessDisabled",
    "NotAuthorized",
    "UnauthorizedAccess",
    "Unauthorized",
    "UnauthorizedOperation",
)
_UNAUTHENTICATED = (
    "AuthFailure",
    "ExpiredToken",
    "IDPRejectedClaim",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidIdentityToken",
    "MissingAuthenticationToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClient",
)
_THROTTLED = (
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttled",
    "Throttling",
    "TooManyRequests",
    "TransactionInProgress",
)
_BY_ENDING = (
    *((name, Result.DENIED) for name in _DENIED),
    *((name, Result.UNAUTHENTICATED) for name in _UNAUTHENTICATED),
    *((name, Result.THROTTLED) for name in _THROTTLED),
)
"""Meaning of an error by the end of its name: services put their own name before it.

`CloudTrailInvalidClientTokenIdException` is an `InvalidClientTokenId`.
"""
_NOT_FOUND_MARKS = ("NoSuch", "NotFound", "DoesNotExist", "NotExist")
_INVALID_MARKS = ("Invalid", "Malformed", "Validation", "Missing", "Unsupported", "BadRequest")


def outcome(
    record: TrailRecord, service: str, operation: str, unusable: Sequence[str] = ()
) -> Outcome:
    """Derive the outcome of a record; `service` and `operation` are spelled as in the catalog.

    `unusable` names the attributes that could not be used: an unreadable outcome is unknown.
    """
    code, detail = record.errorCode, record.errorMessage
    if code:
        return Outcome(_by_code(code.removeprefix(_CLIENT_PREFIX)), code, detail)
    reader = _sign_in(operation) if service == _SIGN_IN else _IN_RESPONSE.get((service, operation))
    if reader is not None and (response := present(record.responseElements)) is not None:
        answer = reader(msgspec.json.decode(response))
        if answer is not None:
            return Outcome(answer[0], answer[1], detail)
    if record.eventType == SERVICE_EVENT and (report := reported(record, service)) is not None:
        return Outcome(report[0], report[1], detail or None)
    if detail:
        return Outcome(Result.FAILED, None, detail)
    if record.eventType in _REPORTS_ERRORS and _ERRORS.isdisjoint(unusable):
        failed = batches.failures(record, service, operation)
        return Outcome(Result.SUCCESS) if failed is None else _of_batch(failed)
    return Outcome(Result.UNKNOWN)


def _of_batch(failed: batches.Failures) -> Outcome:
    """Derive the outcome of a batch: a success if any of it was done, with a failure's message."""
    if failed.is_all is None:
        return Outcome(Result.UNKNOWN, failed.codes[0], failed.message)
    if not failed.is_all:
        return Outcome(Result.SUCCESS, None, failed.message)
    results = {_by_code(code) if code else Result.FAILED for code in failed.codes}
    result = results.pop() if len(results) == 1 else Result.FAILED
    return Outcome(result, failed.codes[0], failed.message)


@bounded_cache(results=1024, longest=256)
def _by_code(code: str) -> Result:
    if code == _DRY_RUN_GRANTED:
        return Result.SUCCESS
    stem = code
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    for name, result in _BY_ENDING:
        if stem.endswith(name) or code.endswith(name):
            return result
    if any(mark in code for mark in _NOT_FOUND_MARKS):
        return Result.NOT_FOUND
    if any(mark in code for mark in _INVALID_MARKS):
        return Result.INVALID
    return Result.FAILED


def _sign_in(field: str) -> Any:
    def read(response: Any) -> tuple[Result, str | None] | None:
        if not isinstance(response, dict) or field not in response:
            return None
        value = response[field]
        if value == "Failure":
            return Result.UNAUTHENTICATED, None
        return (Result.SUCCESS, None) if value == "Success" else (Result.UNKNOWN, None)

    return read


def _agent_gateway(response: Any) -> tuple[Result, str | None] | None:
    """Read the outcome of JSON-RPC over HTTP; None if the response shows no failure.

    `errorCode` stays empty: a call's error is in the response body, whatever the status, and a
    tool that failed says so in its result. https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/understanding-gateway-cloudtrail-log-entries.html
    """
    if not isinstance(response, dict):
        return Result.UNKNOWN, None
    status = response.get("statusCode")
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if status is not None and (isinstance(status, bool) or not isinstance(status, int)):
        return Result.UNKNOWN, None
    answer = _json_rpc(response.get("body"))
    error = answer.get("error") or response.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    reason = str(code) if isinstance(code, int) and not isinstance(code, bool) else None
    if status == 401 or code == -32001:  # noqa: PLR2004 HTTP and JSON-RPC numbers
        return Result.UNAUTHENTICATED, reason
    if status == 403 or _is_refusal(error):  # noqa: PLR2004
        return Result.DENIED, reason
    if reason is not None and code in _JSON_RPC:
        return _JSON_RPC[code], reason
    if (isinstance(status, int) and status >= 400) or error is not None:  # noqa: PLR2004
        return Result.FAILED, reason
    result = answer.get("result")
    if isinstance(result, dict) and result.get("isError") is True:
        return Result.FAILED, None
    return None


def _json_rpc(body: Any) -> dict[str, Any]:
    """Return the JSON-RPC response in a body, which may be JSON or its text; empty if neither."""
    if isinstance(body, str):
        try:
            body = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError):
            return {}
    return body if isinstance(body, dict) else {}


def _is_refusal(error: Any) -> bool:
    message = error.get("message") if isinstance(error, dict) else None
    text = message.lower() if isinstance(message, str) else ""
    return any(words in text for words in _REFUSED_WORDS)


_JSON_RPC = {
    -32700: Result.INVALID,
    -32600: Result.INVALID,
    -32601: Result.NOT_FOUND,
    -32602: Result.INVALID,
}
"""https://www.jsonrpc.org/specification#error_object"""
_REFUSED_WORDS = ("not authorized", "unauthorized", "insufficient", "access denied", "forbidden")

_IN_RESPONSE = {
    ("bedrock-agentcore", "InvokeGateway"): _agent_gateway,
    ("bedrock-agentcore", "InvokeMcp"): _agent_gateway,
}
