"""Output for people: text from records made inert, times as ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nhi_evidence import inert

_IN_JSON = re.compile(f"[{inert.BEYOND_C0}]")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters of a cell that a spreadsheet may take for a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(milliseconds: int) -> str:
    """Return a time as ISO 8601 UTC, to the second; one outside the calendar as a number."""
    try:
        return f"{_EPOCH + timedelta(milliseconds=milliseconds):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return f"{milliseconds} ms after 1970-01-01T00:00:00Z"


def iso_instant(milliseconds: int) -> str:
    """Return a time as ISO 8601 UTC, to the millisecond."""
    at = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def neutralize(text: str) -> str:
    r"""Show control, bidirectional and invisible characters as `\u` escapes."""
    return inert.neutralize(text)


def neutralize_json(document: bytes) -> bytes:
    """Escape whatever a terminal could act on in a JSON document; its value stays the same.

    JSON already escapes U+0000 to U+001F; what else is not visible text is escaped here.
    """
    if document.isascii() and b"\x7f" not in document:
        return document
    return _IN_JSON.sub(lambda match: inert.escape(match[0]), document.decode()).encode()
