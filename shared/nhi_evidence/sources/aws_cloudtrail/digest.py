"""CloudTrail digest files: what the provider signed that it delivered.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.event import Limits, Statement, Undecodable
from nhi_evidence.reading.inflate import inflate

_SIGNATURE = "signature"
"""User metadata of a digest file that holds its signature, hex; the file itself does not."""

_LIMITS = Limits(inflated_bytes=64 << 20)


class LogFile(msgspec.Struct, frozen=True):
    """One delivered log file, as a digest names it."""

    s3Bucket: str
    s3Object: str
    hashValue: str
    """SHA-256 of the inflated file, hex."""
    hashAlgorithm: str = "SHA-256"


class Digest(msgspec.Struct, frozen=True):
    """One digest, as far as it is read."""

    digestEndTime: str
    digestS3Bucket: str
    digestS3Object: str
    digestPublicKeyFingerprint: str
    digestSignatureAlgorithm: str
    logFiles: tuple[LogFile, ...]
    previousDigestSignature: str | None = None


_decode = msgspec.json.Decoder(Digest).decode


def read(body: bytes) -> tuple[Digest, bytes]:
    """Return a digest file's content and its inflated bytes. Raises `ValueError`."""
    inflated = inflate(body, _LIMITS)
    if isinstance(inflated, Undecodable):
        raise ValueError(  # noqa: TRY004 of content, not of a type
            f"digest: {inflated.reason}: {inflated.detail}"
        )
    return _decode(inflated), bytes(inflated)


def signed_text(digest: Digest, inflated: bytes) -> bytes:
    """Return what the signature of a digest is over: end time, place, own hash, the one before."""
    return "\n".join(
        (
            digest.digestEndTime,
            f"{digest.digestS3Bucket}/{digest.digestS3Object}",
            sha256(inflated).hexdigest(),
            digest.previousDigestSignature or "null",
        )
    ).encode()


def statement(
    body: bytes, metadata: Mapping[str, str], unit: str, raw_sha256: str
) -> Statement | None:
    """Return what a digest file states of the file a unit is; None when it does not name that file.

    `metadata` is the user metadata of the digest file. Raises `ValueError` when it is no digest,
    or its signature is not beside it.
    """
    digest, inflated = read(body)
    file = unit.rpartition("@")[0]
    for entry in digest.logFiles:
        if f"{entry.s3Bucket}/{entry.s3Object}" == file and entry.hashValue.lower() == raw_sha256:
            signature = bytes.fromhex(metadata.get(_SIGNATURE, ""))
            if not signature:
                raise ValueError("digest: its signature was not kept with it")
            text = signed_text(digest, inflated)
            return Statement(text, signature, digest.digestPublicKeyFingerprint)
    return None
