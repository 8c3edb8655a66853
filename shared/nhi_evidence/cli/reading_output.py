"""Writes what a collector read, and reports what it could not read."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from nhi_evidence import plural
from nhi_evidence.cli import exit_codes, screen
from nhi_evidence.config import Config
from nhi_evidence.coverage import answers
from nhi_evidence.coverage.answers import Deployment, Reading, Source
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys


def write(reading: Reading, folder: Path) -> None:
    """Write a reading into a folder. Exits INCOMPLETE where calls were refused or failed."""
    path = folder / f"{reading.platform}-{keys.hour_of(reading.at)}-{reading.at}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(answers.write(reading))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    unread = [one for one in reading.answers if one.status in {"denied", "failed"}]
    screen.say(
        f"{plural.count(len(reading.answers), 'answer')}, {len(unread)} of them refused or failed"
    )
    for answer in unread:
        screen.say(f"{answer.status}: {answer.name}: {answer.error}", err=True)
    screen.say(f"written to {path}")
    if unread:
        raise typer.Exit(exit_codes.INCOMPLETE)


def token(path: str) -> str:
    """Read a token from a file, or from standard input for `-`. Raises `SettingsError`."""
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if not text.strip() or not text.isascii() or len(text.split()) != 1:
        raise SettingsError(f"{path}: must hold a token: one word")
    return text.strip()


def deployment(settings: Config) -> Deployment:
    """Return what a deployment takes in, as far as its configuration alone shows."""
    trails = {trail.name: trail for trail in settings.trails}
    sources = []
    for source in settings.sources:
        buckets = [trails[source.trail].bucket] if source.trail in trails else []
        buckets += [source.files.bucket] if source.files else []
        sources.append(Source(source=source.source, buckets=tuple(buckets)))
    return Deployment(tuple(sources))


def with_doors(
    of: Deployment, source: str, *, destinations: list[str], hubs: list[str]
) -> Deployment:
    """Return a deployment with the destinations of one source, which exist once it is deployed."""
    kept = tuple(one for one in of.sources if one.source != source)
    return Deployment(
        (*kept, Source(source=source, destinations=tuple(destinations), event_hubs=tuple(hubs)))
    )
