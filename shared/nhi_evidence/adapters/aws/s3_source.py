"""Reading a delivered S3 object as a `Delivery`, only from the configured places."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.s3_notification import NO_VERSION, ObjectRef
from nhi_evidence.errors import DeliveryRefusedError, SourceUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import keys
from nhi_evidence.sources import Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

MAX_DELIVERED_BYTES = 128 * 1024 * 1024
"""Largest stored object that is read; CloudTrail's own files hold a few megabytes."""


class SourceBucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket from which deliveries are accepted."""

    bucket: str
    owner: str
    """The account the bucket must belong to."""
    prefix: str = ""
    accounts: tuple[str, ...] = ()
    """Accounts whose `AWSLogs/.../<account>/` folders are accepted; empty accepts any."""


class AnnouncedObject(msgspec.Struct, frozen=True):
    """An accepted object that was not read yet, but whose unit is known."""

    unit: str
    bucket: str
    key: str
    owner: str
    version: str | None
    etag: str | None
    """For an object without a version: only this content is read."""
    size: int | None
    """Bytes, as announced or as stated by S3."""


class LargerThanAnnouncedError(SourceUnavailableError):
    """An object is larger than its notification says; nothing of its body was read."""


_ACCOUNT_FOLDER = re.compile(r"(?:^|/)AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/")


class S3Source:
    """Fetches accepted objects; refuses all others before reading anything. Thread-safe."""

    def __init__(
        self, client: S3Client, accepted: tuple[SourceBucket, ...], source: Source
    ) -> None:
        """Accept only `accepted`; `source` reads the hour from an object's name."""
        self._client = client
        self._accepted = {place.bucket: place for place in accepted}
        self._source = source

    def announce(self, ref: ObjectRef) -> AnnouncedObject:
        """Return an object with the name of its unit, without reading it.

        S3 is asked only if the notification states no version, or the key no hour. Raises
        `DeliveryRefusedError` for a bucket, prefix or account that is not accepted, and
        `SourceUnavailableError` when S3 does not answer or has no such object.
        """
        place = self._check(ref)
        if ref.version is not None and self._source.hour_of(ref.key) is not None:
            unit = self._unit(ref, ref.version, None)
            return AnnouncedObject(
                unit, ref.bucket, ref.key, place.owner, ref.version, None, ref.size
            )
        wanted: dict[str, Any] = {"VersionId": ref.version} if ref.version else {}
        try:
            answer = self._client.head_object(
                Bucket=ref.bucket, Key=ref.key, ExpectedBucketOwner=place.owner, **wanted
            )
        except (ClientError, BotoCoreError) as error:
            raise SourceUnavailableError(f"{ref}: {error}") from error
        etag = answer["ETag"].strip('"')
        stored = answer.get("VersionId")
        version = None if stored == NO_VERSION else stored
        return AnnouncedObject(
            unit=self._unit(ref, version or etag, answer["LastModified"]),
            bucket=ref.bucket,
            key=ref.key,
            owner=place.owner,
            version=version,
            etag=None if version else etag,
            size=answer["ContentLength"],
        )

    def _unit(self, ref: ObjectRef, version: str, modified: datetime | None) -> str:
        return keys.file_unit(
            bucket=ref.bucket,
            key=ref.key,
            version=version,
            hour_of=self._source.hour_of,
            modified=modified,
        )

    def fetch(self, announced: AnnouncedObject, *, at_most: int | None = None) -> Delivery:
        """Read one object.

        Raises `DeliveryRefusedError` for an object too large to hold,
        `LargerThanAnnouncedError` for one of more than `at_most` bytes, and
        `SourceUnavailableError` when it cannot be read.
        """
        name = f"s3://{announced.bucket}/{announced.key}"
        wanted: dict[str, Any] = {}
        if announced.version is not None:
            wanted["VersionId"] = announced.version
        elif announced.etag is not None:
            wanted["IfMatch"] = announced.etag
        try:
            answer = self._client.get_object(
                Bucket=announced.bucket,
                Key=announced.key,
                ExpectedBucketOwner=announced.owner,
                **wanted,
            )
            size = answer["ContentLength"]
            if size > MAX_DELIVERED_BYTES:
                answer["Body"].close()
                raise DeliveryRefusedError(f"{name}: {size} bytes, more than {MAX_DELIVERED_BYTES}")
            if at_most is not None and size > at_most:
                answer["Body"].close()
                raise LargerThanAnnouncedError(f"{name}: {size} bytes, more than {at_most}")
            body = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise SourceUnavailableError(f"{name}: {error}") from error
        return Delivery(
            unit=announced.unit,
            body=body,
            kind=self._source.kind_of(announced.key),
            source_metadata=_metadata(answer, announced.owner),
        )

    def _check(self, ref: ObjectRef) -> SourceBucket:
        place = self._accepted.get(ref.bucket)
        if place is None:
            raise DeliveryRefusedError(f"{ref}: bucket is not a configured source")
        if not ref.key.startswith(place.prefix):
            raise DeliveryRefusedError(f"{ref}: key is outside {place.prefix!r}")
        if place.accounts:
            folder = _ACCOUNT_FOLDER.search(ref.key)
            if folder is None or folder[1] not in place.accounts:
                raise DeliveryRefusedError(f"{ref}: account is not configured")
        return place


def _metadata(answer: GetObjectOutputTypeDef, owner: str) -> dict[str, str]:
    """Return what S3 states about a version that is the same at every delivery.

    That excludes storage class, replication and retention, which change over time. The owner is the
    account that S3 confirmed as the bucket's. User metadata is under `meta.`.
    """
    modified = answer["LastModified"].astimezone(UTC)
    attributes = {
        "owner": owner,
        "etag": answer["ETag"].strip('"'),
        "last_modified": modified.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "content_type": answer.get("ContentType", ""),
        "content_encoding": answer.get("ContentEncoding", ""),
        **{f"meta.{name}": value for name, value in answer["Metadata"].items()},
    }
    return {name: value for name, value in attributes.items() if value}
