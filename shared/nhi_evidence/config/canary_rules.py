"""What must hold between `[[canaries]]` and the rest of a configuration."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence.config.locate import Path
from nhi_evidence.config.tables import Canaries, File

TRAIL_SOURCE = "aws_cloudtrail"


def canaries_fit(file: File) -> Iterator[tuple[Path, str]]:
    """Yield what of `[[canaries]]` contradicts the rest of the file, or another entry of it."""
    buckets = [one.name for one in file.evidence.buckets]
    entries: dict[str, int] = {}
    accounts: dict[str, int] = {}
    for at, entry in enumerate(file.canaries):
        path: Path = ("canaries", at)
        if entry.evidence not in buckets:
            yield (
                (*path, "evidence"),
                f'"{entry.evidence}" is no evidence bucket; there are: {", ".join(buckets)}',
            )
        first = entries.setdefault(entry.evidence, at + 1)
        if first != at + 1:
            yield (
                (*path, "evidence"),
                f'"{entry.evidence}" has canaries, entry {first}: name all its accounts there',
            )
        yield from _arrives(file, entry, path)
        if not entry.accounts:
            yield (*path, "accounts"), "is empty: at least one is needed"
        for position, account in enumerate(entry.accounts):
            place: Path = (*path, "accounts", position)
            if account == file.evidence.account:
                yield (
                    place,
                    "is the evidence account, which holds nothing to be recorded: remove it",
                )
            taken = accounts.setdefault(account, at + 1)
            if taken != at + 1 or account in entry.accounts[:position]:
                yield place, f'"{account}" has a canary, entry {taken}: remove one of the two'


def _arrives(file: File, entry: Canaries, path: Path) -> Iterator[tuple[Path, str]]:
    if entry.evidence not in {one.name for one in file.evidence.buckets}:
        return
    kept = {one.source for one in file.sources if one.evidence == entry.evidence}
    if entry.accounts and TRAIL_SOURCE not in kept:
        yield (
            (*path, "evidence"),
            f'"{entry.evidence}" takes no {TRAIL_SOURCE}: no canary of AWS would ever arrive there',
        )
