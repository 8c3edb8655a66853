"""Whether it is decided, for every source, how long its silence raises no alarm."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence import sources
from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, File

USUAL_HOURS = {"aws_cloudtrail": 3, GCP_SOURCE: 24, AZURE_SOURCE: 24}
"""Hours if the configuration does not say. CloudTrail writes digests every hour, whatever happens;
that an organization is never silent for a day in another cloud is an assumption. Nothing is known
about sources that are not listed: how busy they are is for the configuration to say."""


def silence_decided(file: File) -> Iterator[tuple[Path, str]]:
    """Yield each source that would stop without an alarm, and nobody has decided so."""
    for at, entry in enumerate(file.sources):
        # A source that does not exist is a fault of its own.
        unusual = entry.source in sources.names() and entry.source not in USUAL_HOURS
        if unusual and entry.silence_hours is None:
            yield (
                ("sources", at),
                (
                    f"silence_hours is missing and has no default for {entry.source}: say after "
                    "how many hours without evidence an alarm is raised, or write "
                    "silence_hours = 0 for none"
                ),
            )
