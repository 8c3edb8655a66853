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
