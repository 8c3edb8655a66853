"""Listing the delivered files of a time window, without walking years of other folders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.errors import SourceUnavailableError
from nhi_evidence.pipeline.replay import File, Window

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Listing:
    """The versions of one bucket's objects, as far as a time window needs them."""

    def __init__(self, client: S3Client, bucket: str, *, owner: str) -> None:
        """List `bucket`, which must belong to the account `owner`."""
        self._client = client
        self._bucket = bucket
        self._owner = owner

    def files(self, prefix: str, when: Window) -> Iterator[File]:
        """Yield every version under a prefix, except those in folders of other dates.

        Raises `SourceUnavailableError` when the bucket cannot be listed.
        """
        folders = [prefix]
        while folders:
            folder = folders.pop()
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket,
                Prefix=folder,
                Delimiter="/",
                ExpectedBucketOwner=self._owner,
            )
            inside: list[str] = []
            try:
                for page in pages:
                    inside += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                    for version in page.get("Versions", []):
                        version_id = version["VersionId"]
                        yield File(
                            bucket=self._bucket,
                            key=version["Key"],
                            version=None if version_id == "null" else version_id,
                            etag=version["ETag"].strip('"'),
                            size=version["Size"],
                            stored=version["LastModified"],
                        )
            except (ClientError, BotoCoreError) as error:
                raise SourceUnavailableError(f"s3://{self._bucket}/{folder}: {error}") from error
            folders += sorted((one for one in set(inside) if when.may_hold(one)), reverse=True)
