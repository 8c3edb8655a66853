"""Whose logs are kept and for how long: the input of a bill, and what follows from it."""

from __future__ import annotations

import msgspec

from nhi_evidence.cost import measured as m
from nhi_evidence.cost.prices import GB
from nhi_evidence.errors import SettingsError


class Estate(msgspec.Struct, frozen=True, kw_only=True):
    """AWS accounts under one organization trail, and how long their evidence is kept."""

    events_per_day: int
    accounts: int
    regions: int
    """Those with activity: each account and region delivers its own files."""
    enabled_regions: int = 17
    """Per account; CloudTrail signs a digest every hour in each. 17 are enabled by default."""
    retention_days: int = 400
    """R: how long each version is locked."""
    grace_days: int = 30
    """From the end of the lock to expiry."""
    archive_after_days: int | None = 30
    """Days until Glacier Instant Retrieval; None: never."""
    replica: bool = False
    """A second locked bucket in another region."""
    subscriber: bool = False
    """A SIEM that new evidence is forwarded to."""
    canaries: int = 0
    """AWS accounts with a canary."""
    coverage: int = 0
    """AWS accounts whose settings are read every hour."""
    other_region: bool = False
    """Whether the trail's bucket is in another region than the evidence."""

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a number that is out of range, naming it."""
        for name in ("events_per_day", "accounts", "regions", "enabled_regions", "retention_days"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name}: {getattr(self, name)} is not at least 1")
        for name in ("grace_days", "archive_after_days", "canaries", "coverage"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise SettingsError(f"{name}: {value} is less than 0")
        if self.regions > self.enabled_regions:
            raise SettingsError(
                f"regions: {self.regions} is more than the {self.enabled_regions} that are enabled"
            )


REFERENCE: tuple[Estate, ...] = (
    Estate(events_per_day=5_000_000, accounts=10, regions=3),
    Estate(events_per_day=1_000_000_000, accounts=1_000, regions=6),
)
"""A small estate and a large one."""


class Volumes(msgspec.Struct, frozen=True, kw_only=True):
    """What an estate produces per day, on average: a real day has busy hours."""

    files: float
    digests: float
    batches: float
    """Runs of the exporter."""
    objects: float
    gigabytes: float
    """Stored, in units of 2^30 bytes."""
    standard_days: int
    """How long an object stays in S3 Standard."""
    archive_days: int
    """How long it then stays in Glacier Instant Retrieval; 0: it never moves there."""

    @property
    def units(self) -> float:
        """Return the number of files and digests: each is one message and one unit."""
        return self.files + self.digests

    @property
    def object_bytes(self) -> float:
        """Return the average size of an object."""
        return self.gigabytes * GB / self.objects


def volumes(estate: Estate) -> Volumes:
    """Return what an estate produces per day."""
    files = float(estate.accounts * estate.regions * m.FILES_A_DAY)
    digests = float(estate.accounts * estate.enabled_regions * m.DIGESTS_A_DAY)
    units = files + digests
    windows = 86_400 / m.BATCH_SECONDS
    batches = min(units, max(units / m.BATCH_FILES, windows * m.POLLERS))
    lines = estate.events_per_day * m.LINE_BYTES
    objects = max(batches, lines / m.LARGEST_OBJECT_LINES) + batches * m.TWO_HOURS_SHARE
    stored = (
        estate.events_per_day * m.RECORD_BYTES
        + digests * m.DIGEST_BYTES
        + files * m.NAMED_FILE_BYTES
    )
    kept = estate.retention_days + estate.grace_days
    archived = _archive_days(estate) if stored / objects >= m.SMALLEST_TRANSITION else 0
    return Volumes(
        files=files,
        digests=digests,
        batches=batches,
        objects=objects,
        gigabytes=stored / GB,
        standard_days=kept - archived,
        archive_days=archived,
    )


def _archive_days(estate: Estate) -> int:
    """Return the days in the archive class, or 0 if R is too short for its minimum."""
    after = estate.archive_after_days
    if after is None or estate.retention_days < after + m.ARCHIVE_MINIMUM_DAYS:
        return 0
    return estate.retention_days + estate.grace_days - after
