"""The demo's AWS: files in a bucket, S3 notifications over SQS, one Lambda function per source."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import msgspec

from nhi_evidence.demo import deployable
from nhi_evidence.demo.files import TrailObject
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject

SOURCE = "aws_cloudtrail"
MESSAGES_PER_INVOCATION = 500


class Aws:
    """Delivers the files of one source, CloudTrail's by default. Use as a context manager."""

    runs = "aws_export by AWS's own runtime client, up to 500 S3 notifications in an SQS event"

    def __init__(
        self,
        store: EmbeddedStore,
        files: list[TrailObject],
        folder: Path,
        *,
        source: str = SOURCE,
        prefix: str = "AWSLogs/",
    ) -> None:
        """Deliver `files`, all under `prefix`, into a running store; the log goes to `folder`."""
        self.source = source
        self._admin = store.client(store.admin)
        self._files = files
        self._stored: list[StoredObject] = []
        accepted = [{"bucket": iam.TRAIL_BUCKET, "owner": iam.WORKLOAD_ACCOUNT, "prefix": prefix}]
        self._runtime = LambdaRuntime(
            deployable.folder("aws_export"),
            "handler.handler",
            environment={
                **store.environment(store.exporter),
                "NHI_EVIDENCE_SOURCE": source,
                "NHI_EVIDENCE_SOURCE_BUCKETS": msgspec.json.encode(accepted).decode(),
                "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
                "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
                "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role(source),
                "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
            },
            log=folder / f"aws_export_{source}.log",
        )

    def __enter__(self) -> Aws:
        """Put the files into the trail bucket, as the log would, and start the function."""
        for file in self._files:
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

    def deliver(self, *, at_once: int = MESSAGES_PER_INVOCATION) -> list[str]:
        """Notify the function of every file; return the messages it did not lock."""
        bodies = [sqs_messages.notification(stored) for stored in self._stored]
        failed: list[str] = []
        for start in range(0, len(bodies), at_once):
            answer = self._runtime.invoke(sqs_messages.event(bodies[start : start + at_once]))
            failed += [
                f"message {entry['itemIdentifier']}" for entry in answer["batchItemFailures"]
            ]
        return failed
