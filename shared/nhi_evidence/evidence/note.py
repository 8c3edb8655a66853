"""Signed notes (https://c2sp.org/signed-note): text under one or more named keys' signatures.

Ed25519 is type 0x01; ECDSA P-256 over SHA-256 is type 0x02, whose key id is the hash of its SPKI.
Cosignatures (https://c2sp.org/tlog-cosignature) are type 0x04, Ed25519, and type 0x06, ML-DSA-44
(FIPS 204, pure, empty context).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from nhi_evidence.evidence import cosignature

MAX_SIGNATURES = 64
MAX_NOTE_BYTES = 1 << 20

_ID_BYTES = 4
_DASH = "— "


class NoteError(ValueError):
    """A note or a key is malformed, or no pinned key signed it; the message says which and why."""


class Algorithm(IntEnum):
    """Signature types of signed-note."""

    ED25519 = 0x01
    ECDSA_P256 = 0x02
    COSIGNATURE_V1 = 0x04
    """Ed25519 over a time and the text; the signature starts with that time."""
    ML_DSA_44 = 0x06
    """ML-DSA-44 over a time and a checkpoint's contents; the signature starts with that time."""


PRIMARY = frozenset({Algorithm.ED25519, Algorithm.ECDSA_P256})
"""Types that sign the text of a note itself: a log's checkpoint needs one of them."""

COSIGNING = frozenset({Algorithm.COSIGNATURE_V1, Algorithm.ML_DSA_44})
"""Types of tlog-cosignature, whose signatures start with a time."""


class Key(msgspec.Struct, frozen=True):
    """A named public key, as `<name>+<key id in hex>+<base64(type || public key)>`."""

    name: str
    algorithm: Algorithm
    public: bytes
    """The 32 bytes of RFC 8032; for P-256 the DER of its SubjectPublicKeyInfo; for ML-DSA-44 the
    1,312 bytes of FIPS 204."""

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        if self.algorithm is Algorithm.ECDSA_P256:
            return sha256(self.public).digest()[:_ID_BYTES]
        named = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return sha256(named).digest()[:_ID_BYTES]

    @property
    def is_primary(self) -> bool:
        """Whether the key signs the text of a note itself."""
        return self.algorithm in PRIMARY

    def named(self, name: str) -> Key:
        """Return the same key under another name."""
        return Key(_checked(name), self.algorithm, self.public)

    def __str__(self) -> str:
        encoded = b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made a signature over a text."""
        try:
            _VERIFY[self.algorithm](self, text, signature)
        except (InvalidSignature, ValueError):
            return False
        return True


def parse_key(text: str) -> Key:
    """Read a verifier key. Raises `NoteError` saying what is wrong with it."""
    name, plus, rest = text.strip().partition("+")
    written_id, second, encoded = rest.partition("+")
    if not plus or not second:
        raise NoteError(f"not a verifier key, <name>+<id>+<key>: {text[:80]!r}")
    try:
        data = b64decode(encoded, validate=True)
        algorithm = Algorithm(data[0]) if data else None
    except ValueError as error:
        raise NoteError(f"verifier key of {name!r}: {error}") from error
    if algorithm is None:
        raise NoteError(f"verifier key of {name!r} is empty")
    key = Key(_checked(name), algorithm, data[1:])
    if key.id.hex() != written_id:
        raise NoteError(f"verifier key of {name!r}: its id is {key.id.hex()}, not {written_id}")
    _load(key)
    return key


def from_spki(name: str, der: bytes) -> Key:
    """Return the key of a DER SubjectPublicKeyInfo. Raises `NoteError` on another algorithm."""
    try:
        public = load_der_public_key(der)
    except ValueError as error:
        raise NoteError(f"public key of {name!r}: {error}") from error
    if isinstance(public, ed25519.Ed25519PublicKey):
        return Key(_checked(name), Algorithm.ED25519, public.public_bytes_raw())
    if isinstance(public, mldsa.MLDSA44PublicKey):
        return Key(_checked(name), Algorithm.ML_DSA_44, public.public_bytes_raw())
    key = Key(_checked(name), Algorithm.ECDSA_P256, der)
    _load(key)
    return key


def spki(key: Key) -> bytes:
    """Return the DER SubjectPublicKeyInfo of a key, the form OpenSSL and KMS use."""
    return _public(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def write(text: str, signatures: Iterable[tuple[Key, bytes]]) -> bytes:
    """Combine a text and its signatures into a note. Raises `NoteError` on a malformed text."""
    _check_text(text)
    lines = [
        f"{_DASH}{key.name} {b64encode(key.id + signature).decode()}\n"
        for key, signature in signatures
    ]
    if not lines:
        raise NoteError("a note needs a signature")
    return f"{text}\n{''.join(lines)}".encode()


def read(note: bytes, keys: Sequence[Key]) -> tuple[str, list[Key]]:
    """Return the text of a note and the pinned keys that signed it.

    Signatures by unknown keys are ignored. Raises `NoteError` when the note is malformed, when
    a signature in a pinned key's name and id does not verify, or when no pinned key signed.
    """
    text, signatures = split(note)
    signed: list[Key] = []
    for name, key_id, signature in signatures:
        for key in keys:
            if (key.name, key.id) != (name, key_id):
                continue
            if not key.verify(text.encode(), signature):
                raise NoteError(f"the signature of {name} ({key_id.hex()}) does not verify")
            if key not in signed:
                signed.append(key)
    if not signed:
        named = ", ".join(sorted({f"{name} ({key.hex()})" for name, key, _ in signatures}))
        raise NoteError(f"no pinned key signed this note; it is signed by {named}"[:500])
    return text, signed


def split(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the text of a note and its signatures (name, key id, signature), unverified.

    Raises `NoteError` when the note is malformed.
    """
    if len(note) > MAX_NOTE_BYTES:
        raise NoteError(f"a note of {len(note)} bytes")
    try:
        decoded = note.decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"a note is UTF-8: {error}") from error
    head, gap, tail = decoded.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise NoteError("a note is a text, an empty line and signature lines")
    text = head + "\n"
    _check_text(text)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"a note with {len(lines)} signatures")
    return text, [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        data = b64decode(encoded, validate=True)
    except ValueError:
        data = b""
    if not line.startswith(_DASH) or not name or not space or len(data) <= _ID_BYTES:
        raise NoteError(f"not a signature line: {line[:80]!r}")
    return name, data[:_ID_BYTES], data[_ID_BYTES:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise NoteError("the text of a note ends in a newline and holds no other control character")


def _checked(name: str) -> str:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise NoteError(f"not a key name: {name!r}")
    return name


def _load(key: Key) -> None:
    try:
        _public(key)
    except ValueError as error:
        raise NoteError(f"public key of {key.name!r}: {error}") from error


def _public(
    key: Key,
) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | mldsa.MLDSA44PublicKey:
    if key.algorithm is Algorithm.ECDSA_P256:
        return _p256(key.public)
    if key.algorithm is Algorithm.ML_DSA_44:
        return mldsa.MLDSA44PublicKey.from_public_bytes(key.public)
    return ed25519.Ed25519PublicKey.from_public_bytes(key.public)


def _p256(der: bytes) -> ec.EllipticCurvePublicKey:
    public = load_der_public_key(der)
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise NoteError("a key is Ed25519, ECDSA on P-256 (type 0x02) or ML-DSA-44")
    return public


def _verify_ed25519(key: Key, text: bytes, signature: bytes) -> None:
    ed25519.Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)


def _verify_p256(key: Key, text: bytes, signature: bytes) -> None:
    _p256(key.public).verify(signature, text, ec.ECDSA(SHA256()))


def _verify_cosignature(key: Key, text: bytes, signature: bytes) -> None:
    message = cosignature.text_message(text, cosignature.cosigned_at(signature))
    _verify_ed25519(key, message, signature[cosignature.TIME_BYTES :])


def _verify_ml_dsa(key: Key, text: bytes, signature: bytes) -> None:
    time = cosignature.cosigned_at(signature)
    message = cosignature.checkpoint_message(key.name, text.decode(), time)
    public = mldsa.MLDSA44PublicKey.from_public_bytes(key.public)
    public.verify(signature[cosignature.TIME_BYTES :], message)


_VERIFY: dict[Algorithm, Callable[[Key, bytes, bytes], None]] = {
    Algorithm.ED25519: _verify_ed25519,
    Algorithm.ECDSA_P256: _verify_p256,
    Algorithm.COSIGNATURE_V1: _verify_cosignature,
    Algorithm.ML_DSA_44: _verify_ml_dsa,
}
"""Verifiers, which raise `InvalidSignature`, or `ValueError` on a text that cannot be signed."""
