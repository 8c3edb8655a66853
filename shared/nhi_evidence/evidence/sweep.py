"""What a run of the sealer lists, and when: a late object is found later, never lost.

The last three hours are listed at every run, those up to two days old once an hour, those up to
five weeks old once a day, older ones once a week; folders that are not a past hour once an hour.
Each has its own minute of the hour, day or week, so that runs share the work evenly. Which ones are
due follows from the time of an earlier plan alone, so runs need no other state.

Nothing under one prefix can keep a run from the others: a run takes a bounded number of keys from
each, and the next run continues after them. When there is too much for one run, as after an outage,
it takes what fell due first. The plan records both: how far the run got in time (`until`), and in
each prefix (`cursors`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.evidence import keys, leaf, log
from nhi_evidence.ports import EvidenceLog
from nhi_evidence.stored import Version

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS

RECENT_MS = 3 * HOUR_MS
HOURLY_MS = 48 * HOUR_MS
DAILY_MS = 35 * DAY_MS

_PERIODS = ((RECENT_MS, 0), (HOURLY_MS, HOUR_MS), (DAILY_MS, DAY_MS))
"""Maximum age of an hour, and how often hours up to that age are listed; 0 means at every run."""

MAX_LISTED_AT_ONCE = 20_000
"""Maximum versions and folders one run takes from a prefix; S3 lists a thousand per request."""

MAX_CURSORS = 4
"""Maximum folders of one source that a run may leave partly listed."""

MAX_CURSOR_BYTES = 32_000
MAX_SWEPT_BYTES = 16_000
"""A run records its listing in one entry of the plan, of at most 65,535 bytes."""

_LOG = log.PREFIX.partition("/")[0] + "/"

_FRACTIONS = 1 << 64
_SPREAD = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: its multiples modulo 2^64 are evenly spread, however many."""


class SweepResult(msgspec.Struct, frozen=True):
    """What one run listed."""

    versions: tuple[Version, ...]
    swept: Mapping[str, leaf.Sweep]
    until: int
    """Everything that fell due by then was listed; before now if it was too much for one run."""
    cursors: Mapping[str, leaf.Cursor]
    """By prefix, where a later run continues."""


def period(hour: str, now: int) -> int:
    """Return how often an hour is listed at its age, in milliseconds; 0 means at every run.

    An hour that is unknown, malformed or in the future is listed once an hour.
    """
    begins = keys.hour_start(hour)
    if begins is None or begins > now:
        return HOUR_MS
    old = now - begins - HOUR_MS
    return next((each for age, each in _PERIODS if old <= age), WEEK_MS)


def falls_due(hour: str, now: int, last: int) -> int | None:
    """Return when an hour fell or falls due, given that everything due at `last` was listed then.

    None for an hour that is always due. Once per period is enough, however long ago `last` is.
    """
    each = period(hour, now)
    if not each:
        return None
    begins = keys.hour_start(hour)
    fraction = (
        int.from_bytes(sha256(hour.encode(errors="surrogatepass")).digest()[:8], "big")
        if begins is None
        else begins // HOUR_MS * _SPREAD % _FRACTIONS
    )
    phase = fraction * each // _FRACTIONS
    since = max(last, now - each)
    return ((since - phase) // each + 1) * each + phase


def is_due(hour: str, now: int, last: int) -> bool:
    """Whether an hour is listed now, given that everything due at `last` was listed then."""
    due = falls_due(hour, now, last)
    return due is None or due <= now


def find(
    store: EvidenceLog,
    now: int,
    last: int | None,
    cursors: Mapping[str, leaf.Cursor] | None = None,
    *,
    everything: bool = False,
    enough: Callable[[int], bool] = lambda _versions: False,
    at_once: int = MAX_LISTED_AT_ONCE,
) -> SweepResult:
    """List the versions and delete markers in the hours that are due.

    Everything due at `last` has been sealed; if it is None, everything is due. `cursors` are those
    of the same plan. `everything` lists all hours at once, due or not. `enough` is called with the
    number of versions listed; when it returns true, the rest is left to another run, except for the
    last hours. It is not called with `everything`.
    """
    listing = _Listing(store, now, last or 0, cursors or {}, None if everything else at_once)
    if everything:
        for folder in listing.level("").folders:
            listing.folder(folder, folder, "*")
        return listing.result(now)
    due: list[tuple[int, str, str, str]] = []
    for source, folder, hour, since in _folders(listing, now):
        instant = falls_due(hour, now, since) or 0
        if folder in listing.before:
            instant = min(instant, listing.before[folder].began)
        if instant <= now:
            due.append((instant, source, folder, hour))
    until, at = now, 0
    for instant, source, folder, hour in sorted(due):
        if at and instant > at and enough(listing.count):
            until = min(until, max(instant, last or 0) - 1)
            break
        at = instant
        if not listing.folder(source, folder, hour) and instant:
            until = min(until, max(instant, last or 0) - 1)
    return listing.result(until if listing.is_whole else min(until, last or 0))


class _Level(msgspec.Struct, frozen=True):
    """What a run saw of one level of the store."""

    folders: list[str]
    since: int
    """Everything due in them by then is sealed."""
    is_whole: bool
    """Whether the run saw the level from beginning to end."""


class _Listing:
    """Collects what one run lists, within the limit for each prefix."""

    def __init__(
        self,
        store: EvidenceLog,
        now: int,
        last: int,
        before: Mapping[str, leaf.Cursor],
        at_once: int | None,
    ) -> None:
        self.before = before if at_once is not None else {}
        self.is_whole = True
        """Whether a cursor covers everything that was not listed."""
        self._store = store
        self._now = now
        self._last = last
        self._at_once = at_once
        self._versions: list[Version] = []
        self._swept: dict[str, leaf.Sweep] = {}
        self._cursors = dict(self.before)

    @property
    def count(self) -> int:
        return len(self._versions)

    def result(self, until: int) -> SweepResult:
        swept = self._swept
        if len(msgspec.json.encode(swept)) > MAX_SWEPT_BYTES:
            hours = sum(one.hours for one in swept.values())
            swept = {"*": leaf.Sweep(hours, "*", "*", self.count)}
        return SweepResult(tuple(self._versions), swept, until, self._cursors)

    def level(self, prefix: str) -> _Level:
        """Return the folders directly under a prefix; also take the versions there.

        Both are limited per run. A level that takes more than one run is listed again at once, so
        that what fell due meanwhile is not missed: until it is seen in one run, the start of its
        last listing decides which of its folders are due.
        """
        cursor = self.before.get(prefix) or leaf.Cursor("", self._now, self._last)
        folders: list[str] = []
        versions, taken, name = 0, 0, ""
        is_cut = False
        for entry in self._store.level(prefix, after=cursor.after):
            here = entry if isinstance(entry, str) else entry.key
            is_cut = self._is_full(taken) and here != name
            if is_cut:
                break
            taken, name = taken + 1, here
            if isinstance(entry, str):
                folders.append(entry)
            else:
                self._versions.append(entry)
                versions += 1
        self._cursors.pop(prefix, None)
        if is_cut:
            self._keep(prefix, leaf.Cursor(name, cursor.began, cursor.since))
        elif cursor.after:
            self._keep(prefix, leaf.Cursor("", self._now, cursor.began))
        if versions:
            self._sweep(prefix, "*", versions)
        listed = [folder for folder in folders if folder != _LOG]
        return _Level(listed, cursor.since, is_whole=not is_cut and not cursor.after)

    def folder(self, source: str, folder: str, hour: str) -> bool:
        """Take the versions under a folder; False if no cursor covers the rest of it."""
        cursor = self.before.get(folder) or leaf.Cursor("", self._now)
        taken, key = 0, ""
        is_cut = False
        for version in self._store.versions(folder, after=cursor.after):
            is_cut = self._is_full(taken) and version.key != key
            if is_cut:
                break
            taken, key = taken + 1, version.key
            self._versions.append(version)
        self._cursors.pop(folder, None)
        if taken:
            self._sweep(source, hour, taken)
        if not is_cut:
            return True
        beside = [one for one in self._cursors if one.startswith(source) and one != source]
        return len(beside) < MAX_CURSORS and self._keep(folder, leaf.Cursor(key, cursor.began))

    def _keep(self, prefix: str, cursor: leaf.Cursor) -> bool:
        """Leave the rest of a prefix to a later run; False if the plan has no room for a cursor."""
        cursors = {**self._cursors, prefix: cursor}
        if len(msgspec.json.encode(cursors)) > MAX_CURSOR_BYTES:
            self.is_whole = False
            return False
        self._cursors = cursors
        return True

    def _is_full(self, taken: int) -> bool:
        return self._at_once is not None and taken >= self._at_once

    def _sweep(self, source: str, hour: str, versions: int) -> None:
        hour = hour if keys.hour_start(hour) is not None else "*"
        before = self._swept.get(source, leaf.Sweep(0, hour, hour, 0))
        self._swept[source] = leaf.Sweep(
            before.hours + 1,
            min(before.first, hour),
            max(before.last, hour),
            before.versions + versions,
        )


def _folders(listing: _Listing, now: int) -> Iterator[tuple[str, str, str, int]]:
    """Yield source, folder, hour of everything that can be listed, and until when it was listed.

    A folder with an odd name is included, so that nothing in it is missed. If a run does not see
    all folders of a source, its last hours and partly listed folders are always included.
    """
    recent = [keys.hour_of(now - age) for age in range(0, RECENT_MS + HOUR_MS, HOUR_MS)]
    kinds = listing.level("")
    for kind in kinds.folders:
        if kind[:-1] not in keys.KINDS:
            yield kind, kind, "*", kinds.since
            continue
        formats = listing.level(kind)
        for version in formats.folders:
            if version != f"{kind}v1/":
                yield version, version, "*", formats.since
                continue
            sources = listing.level(version)
            for source in sources.folders:
                level = listing.level(source)
                folders = set(level.folders)
                if not level.is_whole:
                    folders |= {f"{source}h={hour}/" for hour in recent}
                    folders |= {one for one in listing.before if one.startswith(source)}
                for folder in folders - {source}:
                    hour = folder[len(source) : -1].removeprefix("h=")
                    yield source, folder, hour, level.since
