"""Consistency of `[[canaries]]` with the rest of a configuration."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import AZURE_SOURCE, GCP_SOURCE, Canaries, File

TRAIL_SOURCE = "aws_cloudtrail"


def canaries_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what in `[[canaries]]` contradicts the rest of the file, or another entry."""
    buckets = [one.name for one in file.evidence.buckets]
    entries: dict[str, int] = {}
    places: dict[str, int] = {}
    for at, entry in enumerate(file.canaries):
        path: Path = ("canaries", at)
        first = entries.setdefault(entry.evidence, at + 1)
        if first != at + 1:
            text = f'"{entry.evidence}" already has canaries in entry {first}: name them all there'
            yield (*path, "evidence"), text
        if entry.evidence in buckets:
            yield from _arrives(file, entry, path)
        else:
            text = f'"{entry.evidence}" is not an evidence bucket; there are: {", ".join(buckets)}'
            yield (*path, "evidence"), text
        if not entry.accounts and entry.google is None and entry.entra is None:
            yield path, "is empty: name accounts, google or entra"
        for place, name in _places(file, entry, path):
            taken = places.setdefault(name, at + 1)
            if taken != at + 1:
                yield place, f'"{name}" already has a canary in entry {taken}: remove one of them'
            if name == file.evidence.account:
                yield (
                    place,
                    "is the evidence account, where there is nothing to record: remove it",
                )


def _places(file: File, entry: Canaries, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each canary's path in the file, and its account, project or tenant."""
    for position, account in enumerate(entry.accounts):
        yield (*path, "accounts", position), account
    if entry.google is not None:
        yield (*path, "google"), entry.google.project
    if entry.entra is not None and file.azure is not None:
        yield (*path, "entra"), file.azure.tenant


def _arrives(file: File, entry: Canaries, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each cloud whose canary's records would never arrive in this bucket."""
    kept = {one.source for one in file.sources if one.evidence == entry.evidence}
    wanted = (
        ("accounts", bool(entry.accounts), TRAIL_SOURCE),
        ("google", entry.google is not None, GCP_SOURCE),
        ("entra", entry.entra is not None, AZURE_SOURCE),
    )
    for key, has_canary, source in wanted:
        if has_canary and source not in kept:
            text = f'"{entry.evidence}" takes no {source}: its records would never arrive there'
            yield (*path, key), text
    if entry.entra is not None and file.azure is not None and not file.azure.entra:
        yield (*path, "entra"), "needs the tenant's own logs: entra is false under [azure]"
