"""Every version of the locked store on Amazon S3, for the auditor and the sealer.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from __future__ import annotations

from base64 import b64decode
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.store.s3_store import S3EvidenceReader, S3EvidenceWriter, read_body
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence import log
from nhi_evidence.stored import Description, Receipt, Unreadable, Version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 16
"""Concurrent requests when many versions are described or read."""

_AHEAD = 2 * THREADS

_NOT_FOUND = 404
_NO_SUCH_RANGE = 416
"""Status of a request for the first bytes of an empty object."""

_REFUSALS = {400, 403, 405}
"""Statuses of a HEAD that may concern one version: invalid for it, forbidden, not supported."""

_LAST = "\U0010ffff"
"""Sorts behind every other character of a key, in UTF-8."""

_T = TypeVar("_T")
_U = TypeVar("_U")


class S3EvidenceVersions(S3EvidenceReader):
    """An `EvidenceVersions` on one bucket."""

    complete = True
    """Every version and delete marker of the store is visible."""

    def folders(self, prefix: str) -> Iterator[str]:
        """See `EvidenceVersions.folders`."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/"
        )
        seen = ""
        for page in self._reached(pages, prefix):
            for folder in page.get("CommonPrefixes", []):
                if folder["Prefix"] != seen:
                    seen = folder["Prefix"]
                    yield seen

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        """See `EvidenceVersions.level`."""
        yield from self._listed(prefix, after, Delimiter="/")

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """See `EvidenceVersions.versions`."""
        for entry in self._listed(prefix, after):
            if isinstance(entry, Version):
                yield entry

    def _listed(self, prefix: str, after: str, **grouped: Any) -> Iterator[str | Version]:
        # To continue after a folder, the marker must sort after every key in it.
        marker = f"{after}{_LAST}" if after.endswith("/") else after
        paginator: Any = self._client.get_paginator("list_object_versions")
        start = {"KeyMarker": marker} if after else {}
        pages: Iterable[Any] = paginator.paginate(
            Bucket=self._bucket, Prefix=prefix, **grouped, **start
        )
        listed: list[Any] = []
        for page in self._reached(pages, prefix):
            here = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            # S3 lists a key's versions newest first, and its markers in a separate list.
            listed += sorted(here, key=lambda version: version["Key"])
            listed += page.get("CommonPrefixes", [])
            last = max(map(_name, listed), default="")
            yield from _ordered((one for one in listed if _name(one) != last), after)
            listed = [one for one in listed if _name(one) == last]
        yield from _ordered(listed, after)

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        """See `EvidenceVersions.describe`."""
        return _in_parallel(self._description, versions)

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.bodies`."""
        return _in_parallel(lambda version: self._body(*version), versions)

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        """See `EvidenceVersions.beginnings`."""
        return _in_parallel(
            lambda wanted: self._body(wanted[0], wanted[1], Range=f"bytes=0-{wanted[2] - 1}"),
            versions,
        )

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `EvidenceVersions.configuration`."""
        where = {"Bucket": self._bucket}
        questions: dict[str, Callable[[], Any]] = {
            "policy": lambda: self._client.get_bucket_policy(**where)["Policy"],
            "object_lock": lambda: self._client.get_object_lock_configuration(**where),
            "versioning": lambda: self._client.get_bucket_versioning(**where),
            "lifecycle": lambda: self._client.get_bucket_lifecycle_configuration(**where),
            "replication": lambda: self._client.get_bucket_replication(**where),
            "encryption": lambda: self._client.get_bucket_encryption(**where),
        }
        return {name: self._setting(ask) for name, ask in questions.items()}

    def _setting(self, ask: Callable[[], Any]) -> str | Unreadable:
        try:
            value = ask()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            # S3 answers 404 for a setting that was never made, which is a state, not a failure.
            return code if _status(error) == _NOT_FOUND else Unreadable(code)
        except BotoCoreError as error:
            raise StoreUnavailableError(f"{self._bucket}: {error}") from error
        if isinstance(value, dict):
            value.pop("ResponseMetadata", None)
        return msgspec.json.encode(value, order="deterministic").decode()

    def _description(self, version: Version) -> Description | None:
        if version.marker:
            return None
        try:
            head = self._head(version.key, VersionId=version.id, ChecksumMode="ENABLED")
        except ClientError as error:
            return self._refused(version, error)
        checksum = head.get("ChecksumSHA256")
        locked = head.get("ObjectLockMode") == "COMPLIANCE"
        until: datetime | None = head.get("ObjectLockRetainUntilDate") if locked else None
        return Description(
            size=head["ContentLength"],
            # A multipart checksum is a checksum of checksums ("...-2"), not a hash of the bytes.
            sha256=b64decode(checksum).hex() if checksum and "-" not in checksum else None,
            metadata=head["Metadata"],
            retain_until=None if until is None else _milliseconds(until),
            encryption=head.get("ServerSideEncryption"),
        )

    def _refused(self, version: Version, refusal: ClientError) -> Description | None:
        """Return what is known about a version that S3 refuses to describe.

        S3 does not describe a version encrypted with a customer-provided key to anyone without that
        key, nor the checksum of one encrypted with a KMS key that the caller may not use. The
        refusal concerns only this version if the log's genesis can be described; otherwise the
        store is unavailable.
        """
        status = _status(refusal)
        if status == _NOT_FOUND:
            return None
        unavailable = StoreUnavailableError(f"{self._bucket}/{version.key}: {refusal}")
        if status not in _REFUSALS:
            raise unavailable from refusal
        try:
            self._head(log.GENESIS)
        except ClientError as error:
            if _status(error) != _NOT_FOUND:
                raise unavailable from refusal
        code = refusal.response.get("Error", {}).get("Code", "unknown")
        return Description(version.size, None, {}, None, None, undescribed=code)

    def _head(self, key: str, **which: Any) -> Any:
        try:
            return self._client.head_object(Bucket=self._bucket, Key=key, **which)
        except BotoCoreError as error:
            raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error

    def _body(self, key: str, version: str, **more: Any) -> bytes | None:
        try:
            return read_body(self._client, key, Bucket=self._bucket, VersionId=version, **more)
        except ClientError as error:
            if _status(error) == _NOT_FOUND:
                return None
            if _status(error) == _NO_SUCH_RANGE:
                return b""
            raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error
        except BotoCoreError as error:
            raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error

    def _reached(self, pages: Iterable[_T], prefix: str) -> Iterator[_T]:
        try:
            yield from pages
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailableError(f"{self._bucket}/{prefix}*: {error}") from error


class S3EvidenceLog(S3EvidenceVersions):
    """An `EvidenceLog` on one bucket, for the sealer role."""

    def __init__(self, client: S3Client, bucket: str, *, owner: str | None = None) -> None:
        """Read all of `bucket` and write under `log/`; `owner` is the account it belongs to."""
        super().__init__(client, bucket)
        self._writer = S3EvidenceWriter(client, bucket, owner=owner)

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        """See `EvidenceWriter.put_new`."""
        return self._writer.put_new(key, body, metadata=metadata, retain_until=retain_until)

    def hold(self, key: str, version: str) -> None:
        """Put a version under legal hold: it stays, whatever its lock, until the hold is released.

        Raises `StoreUnavailableError` when the store refuses or cannot be reached.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html
        """
        try:
            self._client.put_object_legal_hold(
                Bucket=self._bucket, Key=key, VersionId=version, LegalHold={"Status": "ON"},
                ChecksumAlgorithm="SHA256",
            )  # fmt: skip
        except (BotoCoreError, ClientError) as error:
            raise StoreUnavailableError(f"{self._bucket}/{key}: {error}") from error


def _name(entry: Any) -> str:
    """Return the key of a version or marker, or the prefix of a folder."""
    name: str = entry.get("Key") or entry["Prefix"]
    return name


def _ordered(listed: Iterable[Any], after: str) -> Iterator[str | Version]:
    """Yield folders and, for each key, versions oldest first and then markers, in key order."""
    by_name: dict[str, list[Any]] = {}
    for entry in listed:
        by_name.setdefault(_name(entry), []).append(entry)
    for name in sorted(by_name):
        if name <= after:
            continue
        if "Prefix" in by_name[name][0]:
            yield name
            continue
        stored = [one for one in by_name[name] if "Size" in one]
        markers = [one for one in by_name[name] if "Size" not in one]
        for position, version in enumerate(reversed(stored)):
            yield Version(
                name,
                version["VersionId"],
                _milliseconds(version["LastModified"]),
                version["Size"],
                shadow=position > 0,
            )
        for marker in reversed(markers):
            taken = _milliseconds(marker["LastModified"])
            yield Version(name, marker["VersionId"], taken, marker=True)


def _in_parallel(work: Callable[[_T], _U], items: Iterable[_T]) -> Iterator[_U]:
    """Map in order, with a bounded number of calls ahead."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[Future[_U]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
