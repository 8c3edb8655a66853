"""What the provider itself signed about the file a record came in, as part of a proof.

The links are hashes and positions: the provider's signed document names the delivered file with
the hash in the unit line, the file in the bundle has that hash, and the record's text is in it at
its index. If a link is missing from the bundle, only what the others show is claimed.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from nhi_evidence import sources
from nhi_evidence.event import Statement
from nhi_evidence.evidence import gaps
from nhi_evidence.evidence.lines import UnitLine, decode_line

DIGEST = "provider-digest.json"
"""The document in which the provider names the file, byte for byte, inflated."""
SIGNATURE = "provider-signature.bin"
KEY = "provider-key.der"
"""The provider's public key, PKCS #1, if the maker of the proof had it."""
FILE = "provider-file.json"
"""The delivered file, inflated: rebuilt from the unit's gaps and records."""
FILES = (DIGEST, SIGNATURE, KEY, FILE)

MAX_FILE_BYTES = 64 << 20
"""A larger delivered file is left out of a proof."""

_RSA = re.compile(
    rb"\x30\x82(?P<all>..)\x02\x82(?P<size>\x01\x01|\x01\x81|\x02\x01)\x00[\x80-\xff].*"
    rb"\x02\x03\x01\x00\x01",
    re.DOTALL,
)
"""DER of an RSAPublicKey of 2048, 3072 or 4096 bits with the exponent 65537."""


class ProviderError(ValueError):
    """The provider's signature does not show what the bundle claims; the message says how."""


class PublicKey(msgspec.Struct, frozen=True):
    """One key of a provider, as `aws cloudtrail list-public-keys` prints it."""

    Value: str
    """Base64 of the DER of an RSAPublicKey (PKCS #1)."""
    Fingerprint: str


class _Listed(msgspec.Struct):
    PublicKeyList: list[PublicKey]


class KeyTrust(StrEnum):
    """Which key a provider's signature was verified with."""

    TRUSTED = "trusted"
    """A key supplied by whoever checks."""
    BUNDLED = "bundled"
    """The key in the bundle; it still has to be compared with what the provider publishes."""
    ABSENT = "absent"
    """No key: the signer was not checked."""


class ProviderSignature(msgspec.Struct, frozen=True):
    """What a bundle shows about a provider's signature."""

    fingerprint: str
    """Fingerprint of the key, as the provider's document states it."""
    key: KeyTrust
    key_sha256: str | None
    """SHA-256 (hex) of the DER of the key the signature was verified with; None without a key.

    The maker of a bundle chooses the fingerprint and the key in it, but no key of this hash."""
    is_text_shown: bool
    """Whether the delivered file is in the bundle with the record's text at its index: only then
    did the provider sign the text itself."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """The delivered file a record came in, as a proof knows it."""

    source: str
    unit: str
    raw_sha256: str | None
    """SHA-256 of the inflated file, hex; None where the unit is not a file of records."""
    index: int
    """Index of the record in the file."""
    raw: bytes
    """The record's text."""


def read_keys(document: bytes) -> dict[str, bytes]:
    """Return DER by fingerprint, from the output of `aws cloudtrail list-public-keys`.

    Raises `ProviderError` for anything else.
    """
    try:
        listed = msgspec.json.decode(document, type=_Listed).PublicKeyList
        return {key.Fingerprint: b64decode(key.Value, validate=True) for key in listed}
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"not a list of public keys: {error}") from error


def find(
    companions: Iterable[tuple[UnitLine, Sequence[bytes]]],
    delivered: Delivered,
    public_keys: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return the files that show what the provider signed about a delivered file.

    `companions` are units with their lines, the most likely first. Returns no files if none of
    them names the file.
    """
    pack = sources.signing_source(delivered.source)
    if pack is None or delivered.raw_sha256 is None:
        return {}
    for unit, lines in companions:
        if unit.kind != "companion" or len(lines) != 1:
            continue
        try:
            document = decode_line(lines[0]).raw or b""
            statement = pack.statement(document, delivered.unit, delivered.raw_sha256)
            signature = pack.signature(unit.source_metadata)
        except (ValueError, RecursionError):
            continue  # not a provider's document, or incomplete: it shows nothing
        if statement is not None:
            key = public_keys.get(statement.fingerprint)
            files = {DIGEST: document, SIGNATURE: signature}
            return files if key is None else files | {KEY: key}
    return {}


def rebuilt(parts: Iterable[tuple[UnitLine, Sequence[bytes]]]) -> bytes | None:
    """Return the delivered file of a unit from all its parts, in order.

    None if part of it was not kept, if it is too large for a proof, or if the parts do not give
    the bytes stated in the unit line.
    """
    pieces: list[bytes] = []
    expected: str | None = None
    for unit, lines in parts:
        if not unit.is_exact or unit.raw_size > MAX_FILE_BYTES:
            return None
        expected = unit.raw_sha256
        try:
            pieces += gaps.rebuild(unit.gaps, _raws(lines))
        except (ValueError, RecursionError):
            return None
    file = b"".join(pieces)
    return file if sha256(file).hexdigest() == expected else None


def _raws(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        raw = decode_line(line).raw
        if raw is not None:
            yield raw


def check(
    files: Mapping[str, bytes], delivered: Delivered, trusted: Mapping[str, bytes]
) -> ProviderSignature | None:
    """Check what a bundle contains about a provider's signature; None if it contains nothing.

    Raises `ProviderError` when what is present is invalid or incomplete.
    """
    if not any(name in files for name in FILES):
        return None
    missing = [name for name in (DIGEST, SIGNATURE) if name not in files]
    pack = sources.signing_source(delivered.source)
    if missing:
        raise ProviderError(f"the bundle lacks {', '.join(missing)}")
    if pack is None or delivered.raw_sha256 is None:
        raise ProviderError(f"{DIGEST}: the record's file is not one its provider signs")
    try:
        statement = pack.statement(files[DIGEST], delivered.unit, delivered.raw_sha256)
    except ValueError as error:
        raise ProviderError(f"{DIGEST}: {error}") from error
    if statement is None:
        raise ProviderError(f"{DIGEST}: does not name this file with this hash")
    key, der = KeyTrust.ABSENT, files.get(KEY)
    if der is not None:
        verify(der, statement, files[SIGNATURE])
        key = KeyTrust.BUNDLED
    if statement.fingerprint in trusted:
        key, der = KeyTrust.TRUSTED, trusted[statement.fingerprint]
        verify(der, statement, files[SIGNATURE])
    if FILE in files:
        _check_file(files[FILE], delivered, pack)
    key_sha256 = None if der is None else sha256(der).hexdigest()
    return ProviderSignature(statement.fingerprint, key, key_sha256, is_text_shown=FILE in files)


def _check_file(file: bytes, delivered: Delivered, pack: sources.SigningSource) -> None:
    if sha256(file).hexdigest() != delivered.raw_sha256:
        raise ProviderError(f"{FILE}: hash does not match the unit line")
    try:
        text = pack.delivered_record(file, delivered.index)
    except ValueError as error:
        raise ProviderError(f"{FILE}: {error}") from error
    if text != delivered.raw:
        raise ProviderError(f"{FILE}: record {delivered.index} is not the text in raw.txt")


def verify(der: bytes, statement: Statement, signature: bytes) -> None:
    """Verify a provider's signature: RSA PKCS #1 v1.5 over SHA-256 (RFC 8017 section 8.2.2).

    Raises `ProviderError` when it does not verify, or the key is in another form.
    """
    form = _RSA.fullmatch(der)
    if form is None or int.from_bytes(form["all"]) != len(der) - 4:
        raise ProviderError(f"{KEY}: not an RSA key of 2048, 3072 or 4096 bits and exponent 65537")
    if len(der) != int.from_bytes(form["size"]) + 13:
        raise ProviderError(f"{KEY}: its length differs from the stated one")
    try:
        public = load_der_public_key(der)
        if not isinstance(public, rsa.RSAPublicKey):
            raise ProviderError(f"{KEY}: not an RSA key")
        public.verify(signature, statement.signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise ProviderError(f"{SIGNATURE}: not by the key {statement.fingerprint}") from error
    except ValueError as error:
        raise ProviderError(f"{KEY}: {error}") from error
