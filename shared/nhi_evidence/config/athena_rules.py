"""What must hold between `[evidence.buckets.athena]` and the rest of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def athena_fits(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what of the buckets' Athena contradicts the rest of the file."""
    for at, bucket in enumerate(file.evidence.buckets):
        path: Path = ("evidence", "buckets", at, "athena")
        if bucket.athena is None:
            continue
        if not file.auditors:
            yield path, "is for auditors, but there are none: name one, or remove it"
        try:
            date.fromisoformat(bucket.athena.since)
        except ValueError:
            yield (*path, "since"), f"is {bucket.athena.since}, which is not a calendar day"
