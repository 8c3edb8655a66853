"""Consistency of `[evidence.buckets.athena]` with the rest of a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import File


def athena_fits(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what contradicts the rest of the file in the buckets' Athena tables."""
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
