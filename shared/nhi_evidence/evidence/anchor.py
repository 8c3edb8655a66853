"""Anchors: an outside party's statement about a checkpoint, with its time. Pure; the verifier
decides whom to trust.

Time stamps are RFC 3161 responses over the text of a checkpoint; cosignatures are signed notes of
the same text (https://c2sp.org/tlog-cosignature). Both are stored in the log, next to the
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec
from cryptography.x509 import (
    Certificate,
    DuplicateExtension,
    InvalidVersion,
    UnsupportedGeneralNameType,
    load_pem_x509_certificates,
)
from rfc3161_client import VerificationError, VerifierBuilder

from nhi_evidence.evidence import cosignature, note, timestamp
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.stored import AnchorForm

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AnchorError(ValueError):
    """An anchor does not show what it should; the message says why."""


class Trust(msgspec.Struct, frozen=True):
    """Whose anchors are trusted, and on what basis."""

    name: str
    form: AnchorForm
    roots: tuple[Certificate, ...] = ()
    """For a time-stamping authority: the root certificates its chain may end in."""
    key: note.Key | None = None
    """For a witness: its verifier key, type 0x04 or 0x06."""


def file_name(name: str, form: AnchorForm) -> str:
    """Return the last segment of an anchor's key: who made it, and in which form."""
    return f"{quote(name, safe='')}.{form}"


def authority(name: str, pem: bytes) -> Trust:
    """Trust a time-stamping authority by its root certificates. Raises `AnchorError`."""
    try:
        roots = tuple(load_pem_x509_certificates(pem))
    except ValueError as error:
        raise AnchorError(f"root certificates of {name}: {error}") from error
    return Trust(name, AnchorForm.TIMESTAMP, roots=roots)


def witness(text: str) -> Trust:
    """Trust a witness by its verifier key. Raises `AnchorError`."""
    try:
        key = note.parse_key(text)
    except note.NoteError as error:
        raise AnchorError(str(error)) from error
    if key.algorithm not in note.COSIGNING:
        raise AnchorError(f"the key of {key.name} is not a witness's (type 0x04 or 0x06)")
    return Trust(key.name, AnchorForm.COSIGNATURE, key=key)


def check(trust: Trust, data: bytes, checkpoint: Checkpoint) -> int:
    """Return when a trusted name saw a checkpoint, milliseconds since the epoch.

    Raises `AnchorError` when the anchor is by someone else or of another checkpoint.
    """
    return _CHECKS[trust.form](trust, data, checkpoint)


def _check_timestamp(trust: Trust, data: bytes, checkpoint: Checkpoint) -> int:
    # The chain must have been valid when the stamp was made; it may have expired since.
    try:
        response = timestamp.read(data)
        verifier = VerifierBuilder(roots=list(trust.roots)).build()
        verifier.verify_message(response, checkpoint.text.encode())
        return (response.tst_info.gen_time - _EPOCH) // _MILLISECOND
    except (VerificationError, ValueError, TypeError, *_NO_CERTIFICATE) as error:
        raise AnchorError(f"time stamp of {trust.name}: {error}") from error


def _check_cosignature(trust: Trust, data: bytes, checkpoint: Checkpoint) -> int:
    keys = [trust.key] if trust.key is not None else []
    try:
        text, _ = note.read(data, keys)
        _, signatures = note.split(data)
    except note.NoteError as error:
        raise AnchorError(f"cosignature of {trust.name}: {error}") from error
    if text != checkpoint.text:
        raise AnchorError(f"cosignature of {trust.name}: is for another checkpoint")
    times = [
        cosignature.cosigned_at(signature)
        for name, key_id, signature in signatures
        for key in keys
        if (key.name, key.id) == (name, key_id)
    ]
    if not min(times):
        raise AnchorError(f"cosignature of {trust.name}: states no time")
    return min(times) * 1000


_NO_CERTIFICATE = (InvalidVersion, DuplicateExtension, UnsupportedGeneralNameType)
"""Raised for certificates in a token, which nobody signs: anyone can add or change some."""

_MILLISECOND = datetime.resolution * 1000

_CHECKS: dict[AnchorForm, Callable[[Trust, bytes, Checkpoint], int]] = {
    AnchorForm.TIMESTAMP: _check_timestamp,
    AnchorForm.COSIGNATURE: _check_cosignature,
}
