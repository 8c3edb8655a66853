"""What a service event reports about the people and clients it concerns.

Identity Center and sign-in put the result into `serviceEventDetails`, Cognito's hosted pages and
token endpoint an HTTP status into `additionalEventData`.
https://docs.aws.amazon.com/singlesignon/latest/userguide/understanding-sign-in-events.html
https://docs.aws.amazon.com/cognito/latest/developerguide/understanding-amazon-cognito-entries.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from nhi_evidence.event import Result
from nhi_evidence.sources.aws_cloudtrail.record import TrailRecord, present

COGNITO = "cognito-idp"
SERVICE_EVENT = "AwsServiceEvent"

_SIGN_IN_SERVICES = frozenset({COGNITO, "signin", "sso", "sso-oauth", "sso-oidc"})
"""Services whose failures mean that somebody was not authenticated."""
_CLIENT_GRANT = "client_credentials"
"""The one OAuth grant in which the client acts for itself (RFC 6749, section 4.4)."""
_STATUSES = {
    401: Result.UNAUTHENTICATED,
    403: Result.DENIED,
    404: Result.NOT_FOUND,
    429: Result.THROTTLED,
}
_FIRST_STATUS, _FIRST_FAILURE, _LAST_STATUS = 100, 400, 599


def reported(record: TrailRecord, service: str) -> tuple[Result, str | None] | None:
    """Return the outcome that a service event reports, and its code; None if it reports none."""
    details = _object(record.serviceEventDetails)
    words = {word for word in details.values() if word in ("Success", "Failure")}
    if "Failure" in words:
        failed = Result.UNAUTHENTICATED if service in _SIGN_IN_SERVICES else Result.FAILED
        return failed, None
    if words:
        return Result.SUCCESS, None
    response = _member(_object(record.additionalEventData), "responseParameters")
    status = response.get("status")
    if isinstance(status, bool) or not isinstance(status, int | float):
        return None
    if not _FIRST_STATUS <= status <= _LAST_STATUS or status != int(status):
        return None
    if status < _FIRST_FAILURE and not response.get("error"):
        return Result.SUCCESS, None
    return _STATUSES.get(int(status), Result.FAILED), str(int(status))


def machine_client(record: TrailRecord, service: str) -> str | None:
    """Return the app client that asked Cognito for a token of its own; None if not shown.

    Without a user, the client itself is the principal.
    """
    if service != COGNITO or record.eventType != SERVICE_EVENT:
        return None
    request = _member(_object(record.additionalEventData), "requestParameters")
    if _CLIENT_GRANT not in _texts(request.get("grant_type")):
        return None
    clients = _texts(request.get("client_id"))
    return clients[0] if len(clients) == 1 else None


def _object(piece: msgspec.Raw) -> dict[str, Any]:
    """Decode an object; empty for anything else. Raises as `msgspec.json.decode` does."""
    slice_ = present(piece)
    value = None if slice_ is None else msgspec.json.decode(slice_)
    return value if isinstance(value, dict) else {}


def _member(value: dict[str, Any], name: str) -> dict[str, Any]:
    member = value.get(name)
    return member if isinstance(member, dict) else {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text]
