"""CloudTrail digest files: the provider's signed statement of what it delivered.

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
"""Name, in a delivery's metadata, of a digest file's S3 user metadata `signature`, hex."""

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_HEX = re.compile(r"(?:[0-9a-f]{2}){1,1024}")


def signature(metadata: Mapping[str, str]) -> bytes:
    """Return the signature of a digest file from its metadata; it is not in the file itself.

    Raises `ValueError` when it was not kept, or is malformed.
    """
    hexadecimal = metadata.get(_SIGNATURE, "")
    if _HEX.fullmatch(hexadecimal) is None:
        raise ValueError("digest: its signature was not kept with it")
    return bytes.fromhex(hexadecimal)


def statement(document: bytes, unit: str, raw_sha256: str) -> Statement | None:
    """Return what a digest states about a unit's delivered file.

    None when it does not name that file with that hash. `document` is the decompressed digest.
    Raises `ValueError` when it is not one.
    """
    digest = members(document)
    file, at, _ = unit.encode(errors="surrogateescape").rpartition(b"@")
    for element in strict_json.elements(value_of(digest, b"logFiles"), spaces=True):
        if raw_sha256.encode() in element and _names(element, file, raw_sha256.encode()):
            return signed_text(document, digest) if at else None
    signed_text(document, digest)
    return None


def signed_text(document: bytes, digest: Mapping[bytes, bytes]) -> Statement:
    """Return what a digest's signature covers, from its bytes and its members.

    Raises `ValueError` for another algorithm, and when a member is missing or malformed.
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
    """Return the exact text of a record in a decompressed delivered file, by its index.

    Raises `ValueError` when the file is not CloudTrail's, or has too few records.
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
    """Return the members of a document by name, as exact slices.

    Raises `ValueError` for control characters, and for anything but one well-formed object.
    """
    if _CONTROL.search(document):
        raise JsonError("holds a control character")
    return strict_json.members(document, spaces=True)


def text_of(envelope: Mapping[bytes, bytes], name: bytes) -> bytes:
    """Return the text of a member. Raises `ValueError` when it is missing or not a text."""
    return strict_json.text(value_of(envelope, name), foreign=True)


def value_of(envelope: Mapping[bytes, bytes], name: bytes) -> bytes:
    """Return a member's exact slice. Raises `ValueError` when it is missing."""
    if name not in envelope:
        raise JsonError(f"{name.decode()} is missing")
    return envelope[name]
