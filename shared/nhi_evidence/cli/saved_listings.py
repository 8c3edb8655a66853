"""Saved listings: those sealed in the evidence, and files in a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from nhi_evidence.completeness import listing
from nhi_evidence.completeness.saved import SavedListing, collect
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.ports import EvidenceVersions


class Saved(msgspec.Struct, kw_only=True):
    """What was loaded."""

    listings: dict[tuple[str, str, Scope], SavedListing]
    not_checked: list[str] = []


def load(
    store: EvidenceVersions,
    sealed: Sequence[ObjectLeaf],
    folder: Path | None,
    is_due: Callable[[str, str], bool],
) -> Saved:
    """Return the newest listing of each source, hour and scope that is due.

    Raises `SettingsError` naming a file, or an object of the evidence, that is not a listing, was
    altered, or belongs to another hour or account than it states.
    """
    try:
        listings = collect([*_of_evidence(store, sealed), *_of_folder(folder)])
    except ValueError as error:
        raise SettingsError(f"saved listings: {error}") from error
    names = {keys.parse_key(entry.key).body_sha256 for entry in sealed}
    due = {subject: each for subject, each in listings.items() if is_due(*subject[:2])}
    strange = sum(any(_hash(key) not in names for key in each.keys) for each in due.values())
    note = f"the origin of {strange} of the listings: they are not sealed in this log"
    return Saved(listings=due, not_checked=[note] if strange else [])


def _of_evidence(
    store: EvidenceVersions, sealed: Sequence[ObjectLeaf]
) -> Iterator[tuple[str, bytes]]:
    bodies = store.bodies((entry.key, entry.vid) for entry in sealed)
    for entry, body in zip(sealed, bodies, strict=True):
        if body is None:
            continue  # an earlier copy without operations, or expired: the hour is not judged
        yield entry.key, body


def _of_folder(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    if folder is None:
        return
    paths = sorted(folder.rglob(f"*{listing.ENDING}"))
    if not paths:
        raise SettingsError(f"{folder}: contains no file named <sha256>{listing.ENDING}")
    for path in paths:
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from error


def _hash(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(listing.ENDING)
