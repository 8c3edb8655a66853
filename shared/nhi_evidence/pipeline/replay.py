"""Sending delivered files to the exporter again: which files, and as which attempt. Pure.

Repeating is safe: what is locked already stays as it is, under the same key. So a replay adds
what is missing, what a newer mapper reads otherwise, and, as an attempt of its own, what could
not be written because something else lay under its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Kind
from nhi_evidence.evidence import keys
from nhi_evidence.sources import Source
from nhi_evidence.stored import Description, Version

_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPELT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}(:\d{2}(:\d{2})?)?Z?)?")
_DATED = re.compile(r"/(\d{4})/(?:(\d{2})/(?:(\d{2})/)?)?$")
_BESIDE = timedelta(days=1)
"""How far beside its date a folder may hold something."""
_DAYS = 366
"""Longest window: what is longer is more than one replay."""


class Window(msgspec.Struct, frozen=True):
    """From one instant, inclusive, to another, exclusive; UTC, on whole hours."""

    begins: datetime
    ends: datetime

    def hours(self) -> Iterator[str]:
        """Yield every hour of the window as keys spell it."""
        hour = self.begins
        while hour < self.ends:
            yield hour.strftime("%Y%m%d%H")
            hour += _HOUR

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in the window."""
        return self.begins <= instant < self.ends

    def may_hold(self, folder: str) -> bool:
        """Whether something under a folder of keys can lie in the window.

        A folder that ends in `/YYYY/`, `/YYYY/MM/` or `/YYYY/MM/DD/` holds that time; files
        are sometimes put a day beside it. Any other folder can hold anything.
        """
        dated = _DATED.search(folder)
        if dated is None:
            return True
        year, month, day = (int(one) if one else None for one in dated.groups())
        try:
            first = datetime(year or 1, month or 1, day or 1, tzinfo=UTC)
        except ValueError:
            return True  # digits that are no date
        length = 1 if day else 31 if month else 366
        return (
            first - _BESIDE < self.ends and self.begins < first + timedelta(days=length) + _BESIDE
        )


class File(msgspec.Struct, frozen=True):
    """One version of a delivered file in its bucket."""

    bucket: str
    key: str
    version: str | None
    """None in a bucket that was never versioned."""
    etag: str
    size: int
    stored: datetime

    @property
    def unit(self) -> str:
        """Name of the unit, as the exporter forms it."""
        return f"{self.bucket}/{self.key}@{self.version or self.etag}"


class Standing(StrEnum):
    """What the evidence holds of a unit."""

    PRESENT = "present"
    MISSING = "missing"
    SQUATTED = "squatted"
    """Something else lies under its key, and no attempt got round it."""
    UNKNOWN = "unknown"
    """The evidence was not looked at, or its hour cannot be told from the file's name."""


class Sending(msgspec.Struct, frozen=True):
    """One file to send again."""

    file: File
    hour: str | None
    standing: Standing = Standing.UNKNOWN
    attempt: int = 0


def window(begins: str, ends: str) -> Window:
    """Return the window two texts name: `2026-03-02`, `2026-03-02T08` or with minutes, UTC.

    Raises `SettingsError` saying what is wrong with which.
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
    """Yield what lies in the window: by the hour a file's name states, else by its storing."""
    wanted = set(when.hours())
    for file in files:
        hour = source.hour_of(file.key)
        if (hour in wanted) if hour is not None else when.holds(file.stored):
            yield Sending(file, hour)


class Held(msgspec.Struct):
    """What the evidence holds of one unit, as far as it was looked at."""

    parts: int = 1
    """How many the unit has, by a genuine one; its key tells the rest."""
    genuine: set[int] = msgspec.field(default_factory=set)
    squatted: set[int] = msgspec.field(default_factory=set)
    attempt: int = 0
    """Highest so far."""

    def standing(self) -> Standing:
        """Return how the unit stands."""
        if self.squatted - self.genuine:
            return Standing.SQUATTED
        return Standing.PRESENT if len(self.genuine) >= self.parts else Standing.MISSING


def held(described: Iterable[tuple[Version, Description | None]]) -> dict[str, Held]:
    """Return what each unit has, from the versions under its keys and what the store says of them.

    Units are spelt as in keys. The first version of a key is the one that counts; a version whose
    bytes have not the hash its key states is a squatter's.
    """
    units: dict[str, Held] = {}
    for version, said in described:
        if version.marker or version.shadow or said is None:
            continue
        parsed = keys.parse_key(version.key)
        if parsed.unit is None or parsed.body_sha256 is None:
            continue
        one = units.setdefault(parsed.unit, Held())
        one.attempt = max(one.attempt, keys.attempt_in(version.key))
        if said.sha256 is not None and said.sha256.startswith(parsed.body_sha256):
            one.genuine.add(parsed.part)
            one.parts = max(one.parts, _parts(said))
        else:
            one.squatted.add(parsed.part)
    return units


def _parts(said: Description) -> int:
    total = said.metadata.get("part", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else 1


def judged(sending: Sending, source: Source, units: dict[str, Held]) -> Sending:
    """Return a sending with its standing, and with an attempt where its key is squatted.

    A companion has no attempts: its copy alone is kept, and the finding of it stays.
    """
    if sending.hour is None:
        return sending
    one = units.get(keys.encode_unit(sending.file.unit), Held())
    standing = one.standing()
    again = standing is Standing.SQUATTED and source.kind_of(sending.file.key) is Kind.RECORDS
    attempt = one.attempt + 1 if again else 0
    return msgspec.structs.replace(sending, standing=standing, attempt=attempt)


def prefixes(sendings: Iterable[Sending], source: Source) -> list[str]:
    """Return the prefixes of the evidence bucket under which these files' objects lie."""
    kinds = {Kind.RECORDS: "ev", Kind.COMPANION: "src"}
    return sorted(
        {
            f"{kinds[source.kind_of(one.file.key)]}/v1/{source.NAME}/h={one.hour}/"
            for one in sendings
            if one.hour is not None
        }
    )
