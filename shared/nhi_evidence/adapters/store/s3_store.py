"""The locked store on Amazon S3: create-only writes, reads of the first version of a key.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.objects import MAX_BODY_BYTES
from nhi_evidence.stored import Receipt

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_PRECONDITION_FAILED = 412
_CONFLICT = 409
_SERVER_ERROR = 500

ATTEMPTS = 4
"""How often a write is tried on 409 (another conditional write in flight) and 5xx, and a body is
read whose connection breaks."""

_FIRST_WAIT_SECONDS = 0.1


class S3EvidenceWriter:
    """An `EvidenceWriter` on one bucket, for a role that may only put."""

    def __init__(self, client: S3Client, bucket: str, *, owner: str | None = None) -> None:
        """Write to `bucket`; `owner` is the account it must belong to."""
        self._client = client
        self._bucket = bucket
        self._expected: dict[str, Any] = {"ExpectedBucketOwner": owner} if owner else {}

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """See `EvidenceWriter.put_new`.

        S3 compares the SHA-256 with what arrived before it stores anything. 412 means that the key
        exists: under a key that states the hash of its body, the same bytes should be there.
        """
        lock: dict[str, Any] = {}
        if retain_until is not None:
            until = datetime.fromtimestamp(retain_until // 1000, UTC)
            lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        wait = _FIRST_WAIT_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=b64encode(sha256(body).digest()).decode(),
                    Metadata=dict(metadata),
                    **lock,
                    **self._expected,
                )
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
                if status == _PRECONDITION_FAILED:
                    return Receipt(key, created=False)
                transient = status == _CONFLICT or status >= _SERVER_ERROR
                if not transient or attempt == ATTEMPTS:
                    raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error
            except BotoCoreError as error:
                if attempt == ATTEMPTS:
                    raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error
            else:
                return Receipt(key, created=True, version=answer.get("VersionId"))
            time.sleep(wait)
            wait *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")


def bounded(key: str, body: StreamingBody) -> bytes:
    """Return an object up to the format's size limit, plus one byte, which shows an excess.

    A writer may put gigabytes under a key.
    """
    limit = keys.LOG_OBJECT_BYTES if key.startswith(keys.LOG_PREFIX) else MAX_BODY_BYTES
    chunks: list[bytes] = []
    room = limit + 1
    while room and (chunk := body.read(room)):
        chunks.append(chunk)
        room -= len(chunk)
    body.close()
    return b"".join(chunks)


def read_body(client: S3Client, key: str, **which: Any) -> bytes:
    """Return an object as `bounded` does; `which` are the other parameters of GetObject.

    The SDK retries a request, but not a body whose connection breaks while it is read: that is
    requested again here. Raises `ClientError` and `BotoCoreError`.
    """
    wait = _FIRST_WAIT_SECONDS
    for _ in range(ATTEMPTS - 1):
        answer = client.get_object(Key=key, **which)
        try:
            return bounded(key, answer["Body"])
        except (HTTPClientError, IncompleteReadError):
            answer["Body"].close()
        time.sleep(wait)
        wait *= 2
    return bounded(key, client.get_object(Key=key, **which)["Body"])


class S3EvidenceReader:
    """An `EvidenceReader` on one bucket, for the auditor role."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        """Read from `bucket`."""
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> Iterator[str]:
        """See `EvidenceReader.keys`."""
        for key, _ in self.first_versions(prefix):
            yield key

    def get(self, key: str) -> bytes:
        """See `EvidenceReader.get`."""
        for listed, version in self.first_versions(key):
            if listed == key:
                return self.get_version(key, version)
        raise KeyError(key)

    def get_version(self, key: str, version: str) -> bytes:
        """Return the bytes of one version. Raises `StoreUnavailableError`."""
        try:
            return read_body(self._client, key, Bucket=self._bucket, VersionId=version)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error

    def first_versions(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield each key under `prefix` with its oldest version that is not a delete marker."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        oldest: tuple[str, str] | None = None
        try:
            for page in pages:
                for version in page.get("Versions", []):
                    here = (version["Key"], version["VersionId"])
                    if oldest is not None and oldest[0] != here[0]:
                        yield oldest
                    oldest = here
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"{self._bucket}/{prefix}*: {error}") from error
        if oldest is not None:
            yield oldest
