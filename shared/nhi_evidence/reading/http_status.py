"""The outcome that an HTTP status states.

https://www.rfc-editor.org/rfc/rfc9110#name-status-codes
"""

from __future__ import annotations

from nhi_evidence.event import Result

_CLASSES = {
    400: Result.INVALID,
    401: Result.UNAUTHENTICATED,
    403: Result.DENIED,
    404: Result.NOT_FOUND,
    410: Result.NOT_FOUND,
    422: Result.INVALID,
    429: Result.THROTTLED,
}
_FIRST, _FIRST_FAILURE, _LAST = 100, 400, 599


def number(status: str | int | None) -> int | None:
    """Return a status as a number; None if it is absent or not one."""
    text = "" if status is None else str(status)
    if not text.isascii() or not text.isdigit() or len(text) != len(str(_LAST)):
        return None
    return int(text) if _FIRST <= int(text) <= _LAST else None


def result(status: int) -> Result:
    """Return the outcome of a status."""
    if status < _FIRST_FAILURE:
        return Result.SUCCESS
    return _CLASSES.get(status, Result.FAILED)
