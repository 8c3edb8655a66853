"""The UTC hour that the key of a delivered file states."""

from __future__ import annotations

from datetime import datetime


def of_parts(year: str, month: str, day: str, hour: str) -> str | None:
    """Return `YYYYMMDDHH`, or None if that is not an hour of the calendar."""
    try:
        datetime(int(year), int(month), int(day), int(hour))  # noqa: DTZ001 a check of the calendar
    except ValueError:
        return None
    return f"{year}{month}{day}{hour}"
