"""CloudTrail digest files as a chain: each names every file of an hour, and the previous digest.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
A backfill digest (`..._backfill.json.gz`) names what a digest of the same time left out; backfill
digests form a chain of their own.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from nhi_evidence.event import FileScope, SignedList
from nhi_evidence.reading.strict_json import JsonError
from nhi_evidence.sources.aws_cloudtrail.digest import members, signed_text

_FILE = re.compile(
    r"(?P<folder>(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?)(?P<account>\d{12})/CloudTrail[A-Za-z-]*/"
    r"(?P<region>[a-z0-9-]+)/"
)
_DIGEST = re.compile(
    r"(?P<start>.*/CloudTrail-Digest/[a-z0-9-]+/)\d{4}/\d\d/\d\d/"
    r"(?P<name>[^/]+_)\d{8}T\d{6}Z(?P<end>(?:_backfill)?\.json\.gz)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HASHES = {"SHA-256", None}
_LONGEST_TEXT = 4_096
"""Maximum characters of what a digest states of itself and of the one before: a bucket, a key of
1,024 bytes, a signature. It is kept once for each hour that the digest has to do with."""


class _File(msgspec.Struct):
    s3Bucket: str
    s3Object: str
    hashValue: str
    hashAlgorithm: str


class _Digest(msgspec.Struct):
    digestStartTime: datetime
    digestEndTime: datetime
    digestS3Bucket: str
    digestS3Object: str
    logFiles: tuple[_File, ...]
    previousDigestS3Bucket: str | None = None
    previousDigestS3Object: str | None = None
    previousDigestHashValue: str | None = None
    previousDigestHashAlgorithm: str | None = None
    previousDigestSignature: str | None = None


_decode = msgspec.json.Decoder(_Digest).decode


def signed_list(document: bytes) -> SignedList:
    """Return everything a decompressed digest file states. Raises `ValueError` if malformed."""
    statement = signed_text(document, members(document))
    try:
        digest = _decode(document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise JsonError(f"digest: {error}") from error
    if {file.hashAlgorithm for file in digest.logFiles} - _HASHES:
        raise JsonError("digest: names a file by a hash other than SHA-256")
    previous = digest.previousDigestS3Object
    begins, ends = _milliseconds(digest.digestStartTime), _milliseconds(digest.digestEndTime)
    if begins > ends:
        raise JsonError("digest: ends before it begins")
    stated = (
        statement.signed,
        statement.fingerprint,
        previous or "",
        digest.previousDigestS3Bucket or "",
        digest.previousDigestHashValue or "",
    )
    if max(map(len, stated)) > _LONGEST_TEXT:
        raise JsonError("digest: a text longer than any bucket, key or signature")
    is_hashed = digest.previousDigestHashAlgorithm in _HASHES
    return SignedList(
        place=f"{digest.digestS3Bucket}/{digest.digestS3Object}",
        statement=statement,
        chain=f"{digest.digestS3Bucket}/{_chain(digest.digestS3Object)}",
        begins=begins,
        ends=ends,
        previous=None if previous is None else f"{digest.previousDigestS3Bucket}/{previous}",
        previous_sha256=digest.previousDigestHashValue if is_hashed else None,
        previous_signature=digest.previousDigestSignature,
        files=tuple(
            (f"{file.s3Bucket}/{file.s3Object}", file.hashValue) for file in digest.logFiles
        ),
    )


def listed_before(place: str, ends: int) -> str | None:
    """Return where the digest in the same chain that ends at `ends` would be.

    None when `place` is not that of a digest.
    """
    name = _DIGEST.fullmatch(place)
    if name is None:
        return None
    instant = _EPOCH + timedelta(milliseconds=ends)
    return f"{name['start']}{instant:%Y/%m/%d}/{name['name']}{instant:%Y%m%dT%H%M%SZ}{name['end']}"


def scope_of(object_key: str) -> FileScope | None:
    """Return the scope of a delivered file or digest; None when its name does not state it."""
    match = _FILE.match(object_key)
    return FileScope(match["account"], match["region"], match["folder"]) if match else None


def _chain(key: str) -> str:
    """Return a digest's name without its time."""
    name = _DIGEST.fullmatch(key)
    return key if name is None else f"{name['start']}{name['name']}{name['end']}"


def _milliseconds(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise JsonError("digest: a time without a zone")
    return int((instant - _EPOCH).total_seconds() * 1000)
