"""How long a source may be silent before somebody is told."""

from __future__ import annotations

from nhi_evidence.config import Config
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, SourceEntry

USUAL_HOURS = {"aws_cloudtrail": 3, GCP_SOURCE: 24, AZURE_SOURCE: 24}
"""Where the configuration does not say. CloudTrail writes digests every hour, whatever happens;
that an organization is never silent for a day in another cloud is an assumption. Of a source that
is not here nothing is known, so its silence is no alarm."""


def of_entry(entry: SourceEntry) -> int | None:
    """Return the hours of one source entry; None: its silence is no alarm."""
    hours = USUAL_HOURS.get(entry.source) if entry.silence_hours is None else entry.silence_hours
    return hours or None


def silence_hours(config: Config, store: str, source: str) -> int | None:
    """Return the hours of a source in one evidence bucket: the shortest of its entries."""
    entries = [one for one in config.sources_in(store) if one.source == source]
    hours = [known for one in entries if (known := of_entry(one)) is not None]
    return min(hours, default=None)
