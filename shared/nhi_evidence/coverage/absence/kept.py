"""Store statements of absence under `op/v1/coverage/`: one object each, sealed like all others."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.absence import document
from nhi_evidence.coverage.absence.document import AbsenceError, Document
from nhi_evidence.evidence import frame, keys

PREFIX = "op/v1/coverage/"
ENDING = ".absence.json.zst"


def write(attestation: Document) -> Operation:
    """Return a document's object, under the hour its newest head was sealed in.

    Equal documents have equal bytes: storing one twice leaves one object.
    """
    body, _ = frame.pack([msgspec.json.encode(attestation, order="sorted")])
    key = keys_of(attestation, body)
    question = attestation.asked
    # An identity may contain characters that no HTTP header may: it is in the body alone.
    about = {"step": str(question.step), "from": str(question.start), "to": str(question.end)}
    return Operation(key, body, about)


def keys_of(attestation: Document, body: bytes) -> str:
    """Return the key for a document with this body."""
    hour = keys.hour_of(attestation.sealed_until)
    return f"{PREFIX}h={hour}/{sha256(body).hexdigest()}{ENDING}"


def read(body: bytes, key: str) -> Document:
    """Decode a document. Raises `AbsenceError` for anything `write` would not have put there."""
    try:
        lines = frame.unpack(body, limit=document.MAX_DOCUMENT_BYTES)
    except ValueError as error:
        raise AbsenceError(f"{key}: {error}") from error
    if len(lines) != 1:
        raise AbsenceError(f"{key}: {len(lines)} lines, not one")
    attestation = document.read(lines[0], key)
    if keys_of(attestation, body) != key or write(attestation).body != body:
        raise AbsenceError(f"{key}: not in canonical form")
    return attestation
