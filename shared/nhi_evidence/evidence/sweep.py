"""Which hours a run of the sealer lists. A late object is found later, never lost.

The last three hours at every run, those up to two days old once an hour, those up to five weeks
old once a day, and everything once a week. Which of these are due follows from the time of the
newest plan alone, so no run needs to remember another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from nhi_evidence.evidence import keys, leaf, log
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

RECENT_MS = 3 * HOUR_MS
HOURLY_MS = 48 * HOUR_MS
DAILY_MS = 35 * DAY_MS

_PERIODS = ((RECENT_MS, 0), (HOURLY_MS, HOUR_MS), (DAILY_MS, DAY_MS))
"""Age of an hour, and how often hours up to that age are listed; 0 is always."""


class Found(msgspec.Struct, frozen=True):
    """What one run listed."""

    versions: tuple[Version, ...]
    swept: Mapping[str, leaf.Sweep]


def open_age(now: int, last: int | None) -> int | None:
    """Age up to which hours are listed now, the newest plan being of `last`; None is every age."""
    if last is None or now // WEEK_MS > last // WEEK_MS:
        return None
    return max(age for age, period in _PERIODS if not period or now // period > last // period)


def is_open(hour: str, now: int, age: int) -> bool:
    """Whether an hour is listed. One that is unknown, malformed or to come always is."""
    begins = keys.hour_start(hour)
    return begins is None or now - begins <= age + HOUR_MS


def find(store: EvidenceVersions, now: int, last: int | None, *, everything: bool = False) -> Found:
    """List every version and delete marker of the hours that are due."""
    age = None if everything else open_age(now, last)
    versions: list[Version] = []
    swept: dict[str, leaf.Sweep] = {}
    for source, folder, hour in _folders(store, whole=age is None):
        if age is not None and not is_open(hour, now, age):
            continue
        listed = list(store.versions(folder))
        versions += listed
        before = swept.get(source, leaf.Sweep(0, hour, hour, 0))
        swept[source] = leaf.Sweep(
            before.hours + 1,
            min(before.first, hour),
            max(before.last, hour),
            before.versions + len(listed),
        )
    return Found(tuple(versions), swept)


def _folders(store: EvidenceVersions, *, whole: bool) -> Iterator[tuple[str, str, str]]:
    """Yield source, folder and hour of what can be listed.

    Of the whole bucket, every folder beside the log, so that nothing under an odd name is missed.
    """
    if whole:
        for folder in store.folders(""):
            if folder != log.PREFIX.partition("/")[0] + "/":
                yield folder, folder, "*"
        return
    for kind in keys.KINDS:
        for source in store.folders(f"{kind}/v1/"):
            for folder in store.folders(source):
                yield source, folder, folder[len(source) : -1].removeprefix("h=")
