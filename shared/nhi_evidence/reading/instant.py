"""Times as written in logs: an RFC 3339 text, or a count since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nhi_evidence.reading.bounded_cache import bounded_cache

_TEXT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LATEST = 253_402_300_800_000
"""The year 10000, in milliseconds: nothing later is a time in a log."""
_SECONDS = 100_000_000_000
"""A smaller count is one of seconds: as milliseconds it would be before March 1973."""
_EARLIEST = 946_684_800_000
"""The year 2000, in milliseconds: no log that counts is older."""


@bounded_cache(results=4096, longest=64)
def milliseconds(text: str | None) -> int | None:
    """Read a text with a zone as milliseconds since the epoch, UTC; None for anything else.

    A time before the epoch is None, too: logs write Go's zero time (0001-01-01) for no time at all.
    """
    if text is None or _TEXT.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return of_number((moment - _EPOCH) // _MILLISECOND)


def of_number(value: int) -> int | None:
    """Return a number of milliseconds since the epoch; None if it is out of bounds."""
    return value if 0 <= value < _LATEST else None


def of_count(value: int) -> int | None:
    """Return a count of milliseconds, or of seconds where it could be nothing else.

    None if it would be before the year 2000 as either, or is out of bounds.
    """
    time = of_number(value * 1000 if value < _SECONDS else value)
    return time if time is not None and time >= _EARLIEST else None
