"""The outcome of a call, from `errorCode` and, where a service reports there, `responseElements`.

CloudTrail writes no `errorCode` for a call that succeeded; ConsoleLogin and AgentCore report
their failures in `responseElements` instead.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import Outcome, Result
from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, present

_REPORTS_ERRORS = frozenset({"AwsApiCall", "AwsConsoleAction"})
"""Event types that answer a request: without an error code, the request succeeded.

A service event, an insight or a network activity event without a code states no outcome.
"""
_CLIENT_PREFIX = "Client."
_DRY_RUN_GRANTED = "DryRunOperation"

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedFault",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "ForbiddenException",
        "InsufficientPrivilegesException",
        "KMS.AccessDeniedException",
        "KMSAccessDeniedException",
        "AllAccessDisabled",
        "NotAuthorized",
        "NotAuthorizedException",
        "UnauthorizedAccess",
        "UnauthorizedException",
        "UnauthorizedOperation",
        "VpceAccessDenied",
    }
)
_UNAUTHENTICATED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IDPRejectedClaim",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidIdentityToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_NOT_FOUND_MARKS = ("NoSuch", "NotFound", "DoesNotExist", "NotExist")
_INVALID_MARKS = ("Invalid", "Malformed", "Validation", "Missing", "Unsupported", "BadRequest")


def outcome(record: TrailRecord, service: str, operation: str) -> Outcome:
    """Derive the outcome of a record; `service` and `operation` as the catalog spells them."""
    code, detail = record.errorCode, record.errorMessage
    if code:
        return Outcome(_by_code(code.removeprefix(_CLIENT_PREFIX)), code, detail)
    reader = _IN_RESPONSE.get((service, operation))
    if reader is not None and (response := present(record.responseElements)) is not None:
        reported = reader(msgspec.json.decode(response))
        if reported is not None:
            return Outcome(reported[0], reported[1], detail)
    if detail:
        return Outcome(Result.FAILED, None, detail)
    if record.eventType in _REPORTS_ERRORS:
        return Outcome(Result.SUCCESS)
    return Outcome(Result.UNKNOWN)


def _by_code(code: str) -> Result:
    if code == _DRY_RUN_GRANTED:
        return Result.SUCCESS
    if code in _DENIED:
        return Result.DENIED
    if code in _UNAUTHENTICATED:
        return Result.UNAUTHENTICATED
    if code in _THROTTLED:
        return Result.THROTTLED
    if any(mark in code for mark in _NOT_FOUND_MARKS):
        return Result.NOT_FOUND
    if any(mark in code for mark in _INVALID_MARKS):
        return Result.INVALID
    return Result.FAILED


def _sign_in(field: str) -> Any:
    def read(response: Any) -> tuple[Result, str | None] | None:
        value = response.get(field) if isinstance(response, dict) else None
        if value == "Failure":
            return Result.UNAUTHENTICATED, None
        return (Result.SUCCESS, None) if value == "Success" else (Result.UNKNOWN, None)

    return read


def _agent_gateway(response: Any) -> tuple[Result, str | None] | None:
    """JSON-RPC over HTTP: the status is in the body, `errorCode` stays empty."""
    if not isinstance(response, dict):
        return None
    status = response.get("statusCode")
    error = response.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if status == 401 or code == -32001:  # noqa: PLR2004 HTTP and JSON-RPC numbers
        return Result.UNAUTHENTICATED, None
    if status == 403:  # noqa: PLR2004
        return Result.DENIED, None
    if (isinstance(status, int) and status >= 400) or code is not None:  # noqa: PLR2004
        return Result.FAILED, None
    return None


_IN_RESPONSE = {
    ("signin", "ConsoleLogin"): _sign_in("ConsoleLogin"),
    ("signin", "CredentialVerification"): _sign_in("CredentialVerification"),
    ("signin", "CredentialChallenge"): _sign_in("CredentialChallenge"),
    ("signin", "SwitchRole"): _sign_in("SwitchRole"),
    ("signin", "ExitRole"): _sign_in("ExitRole"),
    ("signin", "RenewRole"): _sign_in("RenewRole"),
    ("signin", "CheckMfa"): _sign_in("CheckMfa"),
    ("signin", "PasswordRecoveryRequested"): _sign_in("PasswordRecoveryRequested"),
    ("signin", "PasswordRecoveryCompleted"): _sign_in("PasswordRecoveryCompleted"),
    ("bedrock-agentcore", "InvokeGateway"): _agent_gateway,
}
