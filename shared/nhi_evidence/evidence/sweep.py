"""Which hours a run of the sealer lists. A late object is found later, never lost.

The last three hours at every run, those up to two days old once an hour, those up to five weeks
old once a day, older ones once a week. Each hour has its own minute of the hour, day or week, so
that a run lists an even share of them. Which are due follows from the time of an earlier plan
alone, so no run needs to remember another. When there is more to list than one run can, after an
outage, the hours that fell due first come first, and the plan says how far the run came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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

_LOG = log.PREFIX.partition("/")[0] + "/"

_SPREAD = 0x9E3779B97F4A7C15
"""2^64 by the golden ratio: multiples of it, as fractions of 2^64, lie evenly however many."""


class SweepResult(msgspec.Struct, frozen=True):
    """What one run listed."""

    versions: tuple[Version, ...]
    swept: Mapping[str, leaf.Sweep]
    until: int
    """What fell due until then was listed; less than now where it was too much for one run."""


def period(hour: str, now: int) -> int:
    """Return how often an hour is listed at its age, in milliseconds; 0 is at every run.

    One that is unknown, malformed or to come always is.
    """
    begins = keys.hour_start(hour)
    if begins is None:
        return 0
    old = now - begins - HOUR_MS
    return next((each for age, each in _PERIODS if old <= age), WEEK_MS)


def falls_due(hour: str, now: int, last: int) -> int | None:
    """Return when an hour fell or falls due, what was due at `last` having been listed then.

    None of one that always is. Once in its period is enough, however long ago `last` is.
    """
    each = period(hour, now)
    begins = keys.hour_start(hour)
    if not each or begins is None:
        return None
    phase = (begins // HOUR_MS * _SPREAD % (1 << 64)) * each >> 64
    since = max(last, now - each)
    return ((since - phase) // each + 1) * each + phase


def is_due(hour: str, now: int, last: int) -> bool:
    """Whether an hour is listed now, what was due at `last` having been listed then."""
    due = falls_due(hour, now, last)
    return due is None or due <= now


def find(
    store: EvidenceVersions,
    now: int,
    last: int | None,
    *,
    everything: bool = False,
    enough: Callable[[int], bool] = lambda _versions: False,
) -> SweepResult:
    """List every version and delete marker of the hours that are due.

    `last` is when all that was due then had been sealed; without it every hour is due.
    `everything` lists all of it whatever is due. `enough` is told how many versions were listed;
    when it says so, what is left of the older hours is left for another run, but never all.
    """
    versions: list[Version] = []
    swept: dict[str, leaf.Sweep] = {}
    due = [
        (falls_due(hour, now, last or 0) or 0, source, folder, hour)
        for source, folder, hour in _folders(store, everything=everything)
    ]
    until, at = now, 0
    for instant, source, folder, hour in sorted(one for one in due if one[0] <= now):
        if at and instant > at and enough(len(versions)):
            until = instant - 1
            break
        at = instant
        listed = list(store.versions(folder))
        versions += listed
        before = swept.get(source, leaf.Sweep(0, hour, hour, 0))
        swept[source] = leaf.Sweep(
            before.hours + 1,
            min(before.first, hour),
            max(before.last, hour),
            before.versions + len(listed),
        )
    return SweepResult(tuple(versions), swept, until)


def _folders(store: EvidenceVersions, *, everything: bool) -> Iterator[tuple[str, str, str]]:
    """Yield source, folder and hour of what can be listed.

    A folder under an odd name is one as well, so that nothing in it is missed.
    """
    if everything:
        for folder in store.folders(""):
            if folder != _LOG:
                yield folder, folder, "*"
        return
    for kind in store.folders(""):
        if kind[:-1] not in keys.KINDS:
            if kind != _LOG:
                yield kind, kind, "*"
            continue
        for version in store.folders(kind):
            if version != f"{kind}v1/":
                yield version, version, "*"
                continue
            for source in store.folders(version):
                for folder in store.folders(source):
                    yield source, folder, folder[len(source) : -1].removeprefix("h=")
