"""CloudTrail digest files: what the provider signed that it delivered.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from nhi_evidence.event import Statement
from nhi_evidence.reading import strict_json
from nhi_evidence.reading.strict_json import JsonError

_SIGNATURE = "meta.signature"
"""What the source said of a digest file: its user metadata `signature`, hex."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def signature(metadata: Mapping[str, str]) -> bytes:
    """Return the signature of a digest file, of what the source said of it; not in the file.

    Raises `ValueError` when it was not kept, or is none.
    """
    hexadecimal = metadata.get(_SIGNATURE, "")
    if _HEX.fullmatch(hexadecimal) is None:
        raise ValueError("digest: its signature was not kept with it")
    return bytes.fromhex(hexadecimal)


def statement(document: bytes, unit: str, raw_sha256: str) -> Statement | None:
    """Return what a digest states of a unit's delivered file; None when it does not name it so.

    `document` is the digest, inflated. Raises `ValueError` when it is none.
    """
    digest = members(document)
    file, at, _ = unit.encode(errors="surrogateescape").rpartition(b"@")
    for element in strict_json.elements(value_of(digest, b"logFiles"), spaces=True):
        if raw_sha256.encode() in element and _names(element, file, raw_sha256.encode()):
            return signed_text(document, digest) if at else None
    signed_text(document, digest)
    return None


def signed_text(document: bytes, digest: Mapping[bytes, bytes]) -> Statement:
    """Return what the signature of a digest is over, of its bytes and its members.

    Raises `ValueError` when it does not say.
    """
    algorithm = text_of(digest, b"digestSignatureAlgorithm")
    if algorithm != b"SHA256withRSA":
        raise JsonError(f"digest: signed by {algorithm[:40]!r}")
    previous = value_of(digest, b"previousDigestSignature")
    place = b"/".join((text_of(digest, b"digestS3Bucket"), text_of(digest, b"digestS3Object")))
    lines = (
        text_of(digest, b"digestEndTime"),
        place,
        sha256(document).hexdigest().encode(),
        b"null" if previous == b"null" else strict_json.text(previous, foreign=True),
    )
    fingerprint = text_of(digest, b"digestPublicKeyFingerprint").decode("utf-8", "replace")
    return Statement(b"\n".join(lines), fingerprint)


def delivered_record(file: bytes, index: int) -> bytes:
    """Return the exact text of a record of a delivered file, inflated, by its place in it.

    Raises `ValueError` when the file is none of CloudTrail, or holds fewer records.
    """
    envelope = members(file)
    if list(envelope) != [b"Records"]:
        raise JsonError("file: not {'Records': [...]}")
    records = strict_json.elements(envelope[b"Records"], spaces=True)
    if index >= len(records):
        raise JsonError(f"file: {len(records)} records, none has the index {index}")
    return records[index]


def _names(element: bytes, file: bytes, raw_sha256: bytes) -> bool:
    named = strict_json.members(element, spaces=True)
    if value_of(named, b"hashValue") != b'"%b"' % raw_sha256:
        return False
    bucket, key = text_of(named, b"s3Bucket"), text_of(named, b"s3Object")
    return value_of(named, b"hashAlgorithm") == b'"SHA-256"' and bucket + b"/" + key == file


def members(document: bytes) -> dict[bytes, bytes]:
    """Return the members of a document by name, as exact slices. Raises `ValueError`."""
    if _CONTROL.search(document):
        raise JsonError("holds a control character")
    return strict_json.members(document, spaces=True)


def text_of(envelope: Mapping[bytes, bytes], name: bytes) -> bytes:
    """Return the text of a member. Raises `ValueError` when it is missing, or none."""
    return strict_json.text(value_of(envelope, name), foreign=True)


def value_of(envelope: Mapping[bytes, bytes], name: bytes) -> bytes:
    """Return a member as it is written. Raises `ValueError` when it is missing."""
    if name not in envelope:
        raise JsonError(f"{name.decode()} is missing")
    return envelope[name]
