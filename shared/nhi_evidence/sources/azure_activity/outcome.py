"""The outcome of a call, as far as the record states one.

`Started` and `Accepted` are not final: the outcome is in a later record of the same
correlation id. A refusal shows in Resource Manager's error code or the HTTP status.
https://learn.microsoft.com/azure/azure-monitor/platform/activity-log-schema
https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
"""

from __future__ import annotations

import re
from typing import Any

from nhi_evidence.event import Outcome, Result
from nhi_evidence.sources.azure_activity.record import ActivityRecord, unpacked

_SUCCESS = frozenset({"success", "succeeded"})
_FAILURE = frozenset({"failure", "failed", "fail"})
_CODES = {
    "authorizationfailed": Result.DENIED,
    "linkedauthorizationfailed": Result.DENIED,
    "authorizationpermissionmismatch": Result.DENIED,
    "requestdisallowedbypolicy": Result.DENIED,
    "scopelocked": Result.DENIED,
    "forbidden": Result.DENIED,
    "403": Result.DENIED,
    "unauthorized": Result.UNAUTHENTICATED,
    "authenticationfailed": Result.UNAUTHENTICATED,
    "invalidauthenticationtoken": Result.UNAUTHENTICATED,
    "invalidauthenticationtokentenant": Result.UNAUTHENTICATED,
    "expiredauthenticationtoken": Result.UNAUTHENTICATED,
    "401": Result.UNAUTHENTICATED,
    "notfound": Result.NOT_FOUND,
    "resourcenotfound": Result.NOT_FOUND,
    "resourcegroupnotfound": Result.NOT_FOUND,
    "404": Result.NOT_FOUND,
    "badrequest": Result.INVALID,
    "invalidrequestcontent": Result.INVALID,
    "invalidtemplate": Result.INVALID,
    "400": Result.INVALID,
    "toomanyrequests": Result.THROTTLED,
    "subscriptionrequeststhrottled": Result.THROTTLED,
    "429": Result.THROTTLED,
}
_HTTP_STATUS = re.compile(r"\(HTTP Status Code: (\d{3})\)")


def outcome(record: ActivityRecord, properties: dict[str, Any]) -> Outcome:
    """Derive the outcome; the names in `properties` are in lower case."""
    status_word = (record.resultType or "").strip()
    if status_word.lower() in _SUCCESS:
        return Outcome(Result.SUCCESS)
    if status_word.lower() not in _FAILURE:
        return Outcome(Result.UNKNOWN, status_word or None, record.resultDescription or None)
    error, message = _error(properties)
    signature = (record.resultSignature or "").strip() or None
    status = properties.get("statuscode")
    codes = [one for one in (error, signature, status) if isinstance(one, str) and one]
    result = next(
        (meaning for one in codes if (meaning := _meaning(one)) is not None), Result.FAILED
    )
    code = codes[0] if codes else status_word
    return Outcome(result, code, record.resultDescription or message)


def _meaning(code: str) -> Result | None:
    """Read `Forbidden`, `403`, `Failed.Forbidden` or `Forbidden (HTTP Status Code: 403)`."""
    http = _HTTP_STATUS.search(code)
    last = http[1] if http else code.rpartition(".")[2]
    return _CODES.get(last.strip().lower())


def _error(properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return Resource Manager's error code and message, from `statusMessage`."""
    message = unpacked(properties.get("statusmessage"))
    if not isinstance(message, dict):
        return None, message if isinstance(message, str) else None
    error = message.get("error", message)
    if not isinstance(error, dict):
        return None, None
    code, text = error.get("code"), error.get("message")
    return (
        code if isinstance(code, str) and code else None,
        text if isinstance(text, str) and text else None,
    )
