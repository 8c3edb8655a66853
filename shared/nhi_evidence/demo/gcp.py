"""The demo's Google Cloud: a subscription's files in Cloud Storage, and the Cloud Run function."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import msgspec

from nhi_evidence.adapters.gcp import cloud_event
from nhi_evidence.demo import deployable, identities
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.cloud_run_runtime import CloudEvent, CloudRunRuntime
from nhi_evidence.embedded.gcs import EmbeddedGcs, GcsObject
from nhi_evidence.embedded.issuer import GOOGLE, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore

SOURCE = "gcp_audit"

_BUCKET = "example-audit-files"
_DELIVERED = range(200, 300)


class Gcp:
    """Delivers the files of a Cloud Storage subscription. Use as a context manager."""

    source = SOURCE
    runs = "gcp_export by Google's Functions Framework, a CloudEvent per file in Cloud Storage"

    def __init__(self, store: EmbeddedStore, platforms: EmbeddedIssuer, folder: Path) -> None:
        """Deliver the story into a running store; the function's log goes under `folder`."""
        self._store = store
        self._platforms = platforms
        self._folder = folder
        self._storage = EmbeddedGcs(_BUCKET, log=folder / "storage.log")
        self._runtime: CloudRunRuntime | None = None
        self._stored: list[GcsObject] = []

    def __enter__(self) -> Gcp:
        """Put the files into the bucket, as the subscription would, and start the function."""
        self._storage.__enter__()
        try:
            self._stored = [self._storage.put(file.name, file.body) for file in gcp_files()]
            self._runtime = CloudRunRuntime(
                deployable.folder("gcp_export"),
                "handler",
                environment=self._environment(),
                log=self._folder / "gcp_export.log",
            )
            self._runtime.__enter__()
        except BaseException:
            self._storage.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the function and Cloud Storage."""
        try:
            if self._runtime is not None:
                self._runtime.__exit__(kind, error, trace)
        finally:
            self._storage.__exit__(kind, error, trace)

    def deliver(self) -> list[str]:
        """Announce every file; return those the function did not lock, and its status."""
        if self._runtime is None:
            return [f"file {stored.name} (no function runs)" for stored in self._stored]
        answers = [(stored, self._runtime.deliver(_finalized(stored))) for stored in self._stored]
        return [
            f"file {stored.name} ({status})"
            for stored, status in answers
            if status not in _DELIVERED
        ]

    def _environment(self) -> dict[str, str]:
        accepted = [{"bucket": _BUCKET, "prefix": "audit/"}]
        return {
            **self._store.location(),
            **self._platforms.environment(),
            **self._storage.environment(),
            "NHI_EVIDENCE_SOURCE_BUCKETS": msgspec.json.encode(accepted).decode(),
            "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
            "NHI_EVIDENCE_BUCKET_REGION": self._store.region,
            "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
            "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role(SOURCE),
            "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
            "NHI_EVIDENCE_AUDIENCE": identities.AUDIENCE[GOOGLE],
        }


def _finalized(stored: GcsObject) -> CloudEvent:
    """Return the event of a finished object, as Eventarc sends it."""
    return CloudEvent(
        id=stored.generation,
        type=cloud_event.STORED,
        source=f"//storage.googleapis.com/projects/_/buckets/{stored.bucket}",
        subject=f"objects/{stored.name}",
        data=msgspec.json.encode(stored),
    )
