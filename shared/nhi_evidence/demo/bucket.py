"""The evidence bucket as the auditor role sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.adapters.store.s3_store import S3EvidenceReader
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.lines import Header, UnitLine


class Unit(msgspec.Struct, frozen=True):
    """One unit, or one part of it, in an object."""

    table_line: UnitLine
    lines: Sequence[bytes]


class Object(msgspec.Struct, frozen=True):
    """One evidence object: its key, its header and its units with their lines."""

    key: str
    size: int
    """Bytes stored."""
    header: Header
    units: list[Unit]

    @property
    def lines(self) -> list[bytes]:
        """Lines of all its units."""
        return [line for unit in self.units for line in unit.lines]


class Bucket:
    """Reads the evidence bucket of a running store."""

    def __init__(self, store: EmbeddedStore) -> None:
        """Assume the auditor's role."""
        self._auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
        self._reader = S3EvidenceReader(self._auditor, iam.EVIDENCE_BUCKET)

    def versions(self) -> set[tuple[str, str]]:
        """Return every key and version, delete markers too."""
        pages = self._auditor.get_paginator("list_object_versions").paginate(
            Bucket=iam.EVIDENCE_BUCKET
        )
        versions: set[tuple[str, str]] = set()
        for page in pages:
            versions |= {(entry["Key"], entry["VersionId"]) for entry in page.get("Versions", [])}
            versions |= {
                (entry["Key"], entry["VersionId"]) for entry in page.get("DeleteMarkers", [])
            }
        return versions

    def objects(self) -> Iterator[Object]:
        """Yield every evidence object."""
        for key, version in self._reader.first_versions("ev/"):
            body = self._reader.get_version(key, version)
            table, lines = objects.read_object(body)
            units = [Unit(line, own) for line, own in objects.lines_of(table, lines)]
            yield Object(key, len(body), table.header, units)
