"""Taking evidence away: the first version of every key, with what the store says of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

_AT_ONCE = 1_000
"""Versions asked for together; bodies are read ahead among these alone."""


def copy(source: EvidenceVersions, target: DirectoryStore) -> Iterator[tuple[Version, bool]]:
    """Copy every key's first version into a directory; yield each, and whether it was still there.

    What the directory holds already stays, so a copy that was broken off goes on. Raises
    `StoreUnavailableError` when the source cannot be read, or the directory holds other bytes.
    """
    first = (one for one in source.versions("") if not one.marker and not one.shadow)
    while chosen := list(islice(first, _AT_ONCE)):
        said = source.describe(chosen)
        bodies = source.bodies((one.key, one.id) for one in chosen)
        for version, description, body in zip(chosen, said, bodies, strict=True):
            there = description is not None and body is not None
            if description is not None and body is not None:
                target.keep(version, description, body)
            yield version, there
