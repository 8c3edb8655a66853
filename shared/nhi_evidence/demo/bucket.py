"""The evidence bucket as the auditor role sees it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nhi_evidence.adapters.store.s3_store import S3EvidenceReader
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import batch, frame

_LINES_LIMIT = 1 << 30


class Object(msgspec.Struct, frozen=True):
    """One evidence object: its key, its header and its record lines."""

    key: str
    header: batch.Header
    lines: list[bytes]


class Bucket:
    """Reads the evidence bucket of a running store."""

    def __init__(self, store: EmbeddedStore) -> None:
        """Take the auditor's role."""
        self._auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
        self._reader = S3EvidenceReader(self._auditor, iam.EVIDENCE_BUCKET)

    def versions(self) -> set[tuple[str, str]]:
        """Return every key and version, delete markers too."""
        pages = self._auditor.get_paginator("list_object_versions").paginate(
            Bucket=iam.EVIDENCE_BUCKET
        )
        found: set[tuple[str, str]] = set()
        for page in pages:
            found |= {(one["Key"], one["VersionId"]) for one in page.get("Versions", [])}
            found |= {(one["Key"], one["VersionId"]) for one in page.get("DeleteMarkers", [])}
        return found

    def objects(self) -> Iterator[Object]:
        """Yield every evidence object."""
        for key, version in self._reader.first_versions("ev/"):
            lines = frame.unpack(self._reader.get_version(key, version), limit=_LINES_LIMIT)
            header = msgspec.json.decode(lines[0], type=batch.Header)
            yield Object(key, header, [line for line in lines[1:] if batch.is_record(line)])
