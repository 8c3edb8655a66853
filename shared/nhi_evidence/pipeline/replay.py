"""Which delivered files to send to the exporter again. Pure.

Repeating is safe: what is locked already stays unchanged, and a unit delivered again in another
batch counts once. A replay thus adds what is missing, and what a newer mapper reads differently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline import standing
from nhi_evidence.pipeline.standing import Standing
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.sources import Source

_HOUR = timedelta(hours=1)
_SPELT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2})?)?Z?)?")
_DATED = re.compile(r"/(\d{4})/(?:(\d{2})/(?:(\d{2})/)?)?$")
_BESIDE = timedelta(days=1)
"""How far the contents of a folder may be from its date."""
_DAYS = 366
"""The longest window of one replay, in days."""


class Window(msgspec.Struct, frozen=True):
    """From one instant, inclusive, to another, exclusive; UTC, on whole hours."""

    begins: datetime
    ends: datetime

    def hours(self) -> Iterator[str]:
        """Yield every hour of the window, `YYYYMMDDHH` as in keys."""
        hour = self.begins
        while hour < self.ends:
            yield hour.strftime("%Y%m%d%H")
            hour += _HOUR

    def holds(self, instant: datetime) -> bool:
        """Whether an instant is in the window."""
        return self.begins <= instant < self.ends

    def may_hold(self, folder: str) -> bool:
        """Whether anything under a folder of keys can be in the window.

        A folder that ends in `/YYYY/`, `/YYYY/MM/` or `/YYYY/MM/DD/` is for that time, though files
        are sometimes a day off. Any other folder can contain anything.
        """
        dated = _DATED.search(folder)
        if dated is None:
            return True
        year, month, day = (int(digits) if digits else None for digits in dated.groups())
        try:
            first = datetime(year or 1, month or 1, day or 1, tzinfo=UTC)
            length = timedelta(days=1 if day else 31 if month else 366)
            return first - _BESIDE < self.ends and self.begins < first + length + _BESIDE
        except (ValueError, OverflowError):
            return True  # digits that are not a date, or one at the end of the calendar


class File(msgspec.Struct, frozen=True):
    """One version of a delivered file in its bucket."""

    bucket: str
    key: str
    version: str | None
    """None in an unversioned bucket."""
    etag: str
    size: int
    stored: datetime


class Sending(msgspec.Struct, frozen=True):
    """One file to send again."""

    file: File
    unit: str
    """The unit's name, as the exporter forms it."""
    hour: str
    standing: Standing = Standing.UNKNOWN


def window(begins: str, ends: str) -> Window:
    """Return the window between two texts: `2026-03-02`, `2026-03-02T08` or with minutes, UTC.

    Raises `SettingsError` saying which is wrong, and why.
    """
    first, last = _instant(begins, "--from"), _instant(ends, "--to")
    if last.time() != datetime.min.time() and last != _on_the_hour(last):
        last = _on_the_hour(last) + _HOUR
    first = _on_the_hour(first)
    if first >= last:
        raise SettingsError(f"--to {ends} is not after --from {begins}")
    if last - first > timedelta(days=_DAYS):
        raise SettingsError(
            f"{begins} to {ends} is more than {_DAYS} days: replay a year at a time"
        )
    return Window(first, last)


def _instant(text: str, option: str) -> datetime:
    wanted = f"{option} {text!r}: write a UTC time such as 2026-03-02T08 or a day, 2026-03-02"
    if not _SPELT.fullmatch(text):
        raise SettingsError(wanted)
    try:
        bare = text.removesuffix("Z")
        return datetime.fromisoformat(f"{bare}:00" if bare[-3:-2] == "T" else bare).replace(
            tzinfo=UTC
        )
    except ValueError as error:
        raise SettingsError(f"{wanted} ({error})") from error


def _on_the_hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def chosen(files: Iterable[File], source: Source, when: Window) -> Iterator[Sending]:
    """Yield the files in the window, by the hour in their names, else by when they were stored."""
    wanted = set(when.hours())
    for file in files:
        unit = keys.file_unit(
            bucket=file.bucket,
            key=file.key,
            version=file.version or file.etag,
            hour_of=source.hour_of,
            modified=file.stored,
        )
        hour = keys.unit_hour(unit, source.hour_of)
        if hour in wanted:
            yield Sending(file, unit, hour)


def judged(
    sendings: Iterable[Sending],
    store: EvidenceVersions,
    source: Source,
    progress: Callable[[str, int], None] = lambda _what, _done: None,
) -> Iterator[Sending]:
    """Yield sendings, hour by hour, with the standing of their units in the evidence."""
    by_hour: defaultdict[str, list[Sending]] = defaultdict(list)
    for sending in sendings:
        by_hour[sending.hour].append(sending)
    for done, hour in enumerate(sorted(by_hour), start=1):
        standings = standing.of_hour(store, source, hour)
        for sending in by_hour[hour]:
            known = standings.get(sending.unit, Standing.MISSING)
            yield msgspec.structs.replace(sending, standing=known)
        progress("hours of evidence", done)
