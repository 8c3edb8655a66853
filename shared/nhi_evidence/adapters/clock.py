"""The wall clock. Only facts about a write, and about sealing, depend on it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current instant as ISO 8601 UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def now() -> int:
    """Return the current instant, milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000
