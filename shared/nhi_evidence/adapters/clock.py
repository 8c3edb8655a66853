"""The wall clock. Only what is written about a write is timed, never what is written."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current instant as ISO 8601 UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
