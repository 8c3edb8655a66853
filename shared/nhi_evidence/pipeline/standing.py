"""The standing of units in the evidence, from the tables of its objects, read by range. Pure.

This is not a verifier's verdict: the log is not read, so what is not sealed yet is included.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from nhi_evidence.evidence import counting, frame, keys, objects
from nhi_evidence.evidence.counting import Status
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify.objects import weigh
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.sources import Source
from nhi_evidence.stored import Description, Version


class Standing(StrEnum):
    """What the evidence has of a unit."""

    PRESENT = "present"
    MISSING = "missing"
    """It is in no object that counts, or not completely."""
    CONTESTED = "contested"
    """Objects contradict each other about it."""
    UNKNOWN = "unknown"
    """The evidence was not examined."""


_STANDINGS = {
    Status.COUNTED: Standing.PRESENT,
    Status.CONTESTED: Standing.CONTESTED,
    Status.INCOMPLETE: Standing.MISSING,
}


def of_hour(store: EvidenceVersions, source: Source, hour: str) -> dict[str, Standing]:
    """Return the standing of each unit claimed by objects of an hour; all others are missing.

    Raises `StoreUnavailableError` when the store is unavailable.
    """
    claims: list[counting.Claim] = []
    for index, (key, table) in enumerate(_tables(store, f"ev/v1/{source.NAME}/h={hour}/")):
        if (table.header.source, table.header.hour) == (source.NAME, hour):
            own = [
                line for line in table.units if keys.unit_hour(line.unit, source.hour_of) == hour
            ]
            claims += counting.claims(index, key, table.header, own)
    return {name: _STANDINGS[unit.status] for (_, name), unit in counting.count(claims).items()}


def _tables(store: EvidenceVersions, prefix: str) -> Iterator[tuple[str, Table]]:
    """Yield key and table of each object whose body hash matches its key."""
    versions = [
        version for version in store.versions(prefix) if not version.marker and not version.shadow
    ]
    genuine = [
        (version, description)
        for version, description in zip(versions, store.describe(versions), strict=True)
        if description is not None and _is_genuine(version, description)
    ]
    wanted = (
        (version.key, version.id, _table_bytes(description)) for version, description in genuine
    )
    for (version, description), beginning in zip(genuine, store.beginnings(wanted), strict=True):
        try:
            lines = frame.unpack_table(beginning or b"", limit=objects.MAX_LINES_BYTES)
            table = objects.read_table(lines)
        except ValueError:
            continue  # not an evidence object: nothing it claims counts
        leaf = ObjectLeaf(
            version.key, version.id, version.modified, version.size, md=description.metadata
        )
        if weigh(leaf, table).counts:
            yield version.key, table


def _is_genuine(version: Version, description: Description) -> bool:
    digest = keys.parse_key(version.key).body_sha256
    return digest is not None and description.sha256 == digest


def _table_bytes(description: Description) -> int:
    """Return how many bytes the table takes; the whole object if the metadata does not say."""
    size = description.metadata.get("table", "")
    if size.isascii() and size.isdecimal() and 0 < int(size) < description.size:
        return int(size)
    return max(description.size, 1)
