"""Reading a delivered S3 object as a `Delivery`, only from where the deployment says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.errors import DeliveryRefusedError, SourceUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.sources import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_DELIVERED_BYTES = 128 * 1024 * 1024
"""Largest stored object that is read; CloudTrail's own files hold a few megabytes."""


class SourceBucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket deliveries are accepted from."""

    bucket: str
    owner: str
    """The account the bucket must belong to."""
    prefix: str = ""
    accounts: tuple[str, ...] = ()
    """Accounts whose `AWSLogs/.../<account>/` folders are accepted; empty: any."""


_ACCOUNT_FOLDER = re.compile(r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/")


class S3Source:
    """Fetches accepted objects; refuses every other before any read."""

    def __init__(
        self, client: S3Client, accepted: tuple[SourceBucket, ...], source: Source
    ) -> None:
        """Accept only `accepted`; `source` reads the hour from an object's name."""
        self._client = client
        self._accepted = {one.bucket: one for one in accepted}
        self._source = source

    def fetch(self, ref: ObjectRef) -> Delivery:
        """Read one object.

        Raises `DeliveryRefusedError` for a bucket, prefix or account that is not accepted and
        for an object too large to hold, `SourceUnavailableError` when it cannot be read.
        """
        accepted = self._check(ref)
        version: dict[str, Any] = {"VersionId": ref.version} if ref.version else {}
        try:
            answer = self._client.get_object(
                Bucket=ref.bucket, Key=ref.key, ExpectedBucketOwner=accepted.owner, **version
            )
            if answer["ContentLength"] > MAX_DELIVERED_BYTES:
                raise DeliveryRefusedError(
                    f"s3://{ref.bucket}/{ref.key}: {answer['ContentLength']} bytes, "
                    f"more than {MAX_DELIVERED_BYTES}"
                )
            body = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise SourceUnavailableError(f"s3://{ref.bucket}/{ref.key}: {error}") from error
        stored = answer.get("VersionId")
        etag = answer["ETag"].strip('"')
        name = stored if stored and stored != "null" else etag
        return Delivery(
            unit=f"{ref.bucket}/{ref.key}@{name}",
            body=body,
            kind=self._source.kind_of(ref.key),
            hour=self._source.hour_of(ref.key),
            attempt=ref.attempt,
            provenance={
                "bucket": ref.bucket,
                "key": ref.key,
                "version": stored or "",
                "etag": etag,
                "content_type": answer.get("ContentType", ""),
                "content_encoding": answer.get("ContentEncoding", ""),
                "last_modified": answer["LastModified"].isoformat(),
                **{f"meta.{name}": value for name, value in answer["Metadata"].items()},
            },
        )

    def _check(self, ref: ObjectRef) -> SourceBucket:
        accepted = self._accepted.get(ref.bucket)
        where = f"s3://{ref.bucket}/{ref.key}"
        if accepted is None:
            raise DeliveryRefusedError(f"{where}: bucket is not a configured source")
        if not ref.key.startswith(accepted.prefix):
            raise DeliveryRefusedError(f"{where}: key is outside {accepted.prefix!r}")
        if accepted.accounts:
            folder = _ACCOUNT_FOLDER.search(ref.key)
            if folder is None or folder[1] not in accepted.accounts:
                raise DeliveryRefusedError(f"{where}: account is not a configured one")
        return accepted
