"""The demo's moving parts: the trail bucket, the function, and what lies in the evidence bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

import nhi_evidence
from nhi_evidence.adapters import seaweedfs_iam as iam
from nhi_evidence.adapters import sqs_messages
from nhi_evidence.adapters.lambda_runtime import LambdaRuntime
from nhi_evidence.adapters.s3_store import S3EvidenceReader
from nhi_evidence.adapters.seaweedfs import EmbeddedStore
from nhi_evidence.adapters.sqs_messages import StoredObject
from nhi_evidence.cli.demo.files import TrailObject
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import batch, frame

SOURCE = "aws_cloudtrail"
MESSAGES_PER_INVOCATION = 10

_LINES_LIMIT = 1 << 30


def function_folder() -> Path:
    """Return the folder of the AWS deployable beside the library.

    Raises `SettingsError` where the library is installed without the deployables.
    """
    folder = Path(nhi_evidence.__file__).resolve().parents[2] / "functions" / "aws_export"
    if not (folder / "handler.py").exists():
        raise SettingsError(
            "the demo runs the real function, which an installed package does not hold; "
            "run it from a checkout: make demo"
        )
    return folder


class Stage:
    """Files go in at one end, evidence is read at the other. Use as a context manager."""

    def __init__(self, store: EmbeddedStore, folder: Path) -> None:
        """Play on a running store; the function's log goes under `folder`."""
        self._admin = store.client(store.admin)
        self._auditor = store.client(store.investigator, role_arn=iam.AUDITOR_ROLE)
        self._reader = S3EvidenceReader(self._auditor, iam.EVIDENCE_BUCKET)
        self._stored: list[StoredObject] = []
        accepted = [
            {"bucket": iam.TRAIL_BUCKET, "owner": iam.WORKLOAD_ACCOUNT, "prefix": "AWSLogs/"}
        ]
        self._runtime = LambdaRuntime(
            function_folder(),
            "handler.handler",
            environment={
                **store.environment(store.exporter),
                "NHI_EVIDENCE_SOURCE": SOURCE,
                "NHI_EVIDENCE_SOURCE_BUCKETS": msgspec.json.encode(accepted).decode(),
                "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
                "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
                "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role(SOURCE),
            },
            log=folder / "function.log",
        )

    def __enter__(self) -> Stage:
        """Start the function."""
        self._runtime.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the function."""
        self._runtime.__exit__(kind, error, trace)

    def upload(self, files: list[TrailObject]) -> None:
        """Put files into the trail bucket, as CloudTrail would."""
        for file in files:
            answer = self._admin.put_object(Bucket=iam.TRAIL_BUCKET, Key=file.key, Body=file.body)
            self._stored.append(
                StoredObject(
                    bucket=iam.TRAIL_BUCKET,
                    key=file.key,
                    version=answer["VersionId"],
                    etag=answer["ETag"].strip('"'),
                    size=len(file.body),
                )
            )

    def deliver(self) -> list[str]:
        """Notify the function of every file; return the messages it did not lock."""
        bodies = [sqs_messages.notification(one) for one in self._stored]
        failed: list[str] = []
        for start in range(0, len(bodies), MESSAGES_PER_INVOCATION):
            chunk = bodies[start : start + MESSAGES_PER_INVOCATION]
            answer = self._runtime.invoke(sqs_messages.event(chunk))
            failed += [one["itemIdentifier"] for one in answer["batchItemFailures"]]
        return failed

    def versions(self) -> set[tuple[str, str]]:
        """Return every key and version of the evidence bucket, delete markers too."""
        pages = self._auditor.get_paginator("list_object_versions").paginate(
            Bucket=iam.EVIDENCE_BUCKET
        )
        found: set[tuple[str, str]] = set()
        for page in pages:
            found |= {(one["Key"], one["VersionId"]) for one in page.get("Versions", [])}
            found |= {(one["Key"], one["VersionId"]) for one in page.get("DeleteMarkers", [])}
        return found

    def evidence(self) -> Iterator[tuple[str, batch.Header, list[bytes]]]:
        """Yield key, header and record lines of every evidence object, as the auditor reads it."""
        for key in self._reader.keys("ev/"):
            lines = frame.unpack(self._reader.get(key), limit=_LINES_LIMIT)
            records = [line for line in lines[1:] if batch.is_record(line)]
            yield key, msgspec.json.decode(lines[0], type=batch.Header), records
