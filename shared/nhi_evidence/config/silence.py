"""How long a source may be silent before an alarm is raised."""

from __future__ import annotations

from collections.abc import Iterable

from nhi_evidence.config import Config
from nhi_evidence.config.silence_rules import USUAL_HOURS
from nhi_evidence.config.tables import SourceEntry


def of_entry(entry: SourceEntry) -> int | None:
    """Return the hours for one source entry; None if its silence is not to raise an alarm."""
    hours = USUAL_HOURS.get(entry.source) if entry.silence_hours is None else entry.silence_hours
    return hours or None


def silence_hours(config: Config, store: str, source: str) -> int | None:
    """Return the hours for a source in one evidence bucket: the fewest of its entries."""
    entries = [one for one in config.sources_in(store) if one.source == source]
    return _fewest(entries)


def of_store(config: Config, store: str) -> int | None:
    """Return the hours for an evidence bucket as a whole: the fewest of its sources."""
    return _fewest(config.sources_in(store))


def _fewest(entries: Iterable[SourceEntry]) -> int | None:
    return min((known for one in entries if (known := of_entry(one)) is not None), default=None)
