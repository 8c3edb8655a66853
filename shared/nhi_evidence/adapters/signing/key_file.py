"""A signing key in a local file, for the embedded store and experiments. Not for deployments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from nhi_evidence.errors import SettingsError
from nhi_evidence.stored import Unreadable

_OWNER_ONLY = 0o600


class KeyFile:
    """A `Signer` whose private key (PEM, PKCS #8) is in a file."""

    def __init__(self, path: Path) -> None:
        """Read the key. Raises `SettingsError` if it is not an Ed25519, P-256 or ML-DSA-44 key."""
        try:
            pem = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}; `keys --new` makes a key") from error
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SettingsError(f"{path}: not a private key: {error}") from error
        if not isinstance(
            key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey
        ):
            raise SettingsError(f"{path}: not an Ed25519, P-256 or ML-DSA-44 key")
        self._key = key

    @staticmethod
    def create(path: Path, *, post_quantum: bool = False) -> KeyFile:
        """Create a key that only the file's owner can read: Ed25519, or ML-DSA-44.

        Raises `SettingsError` when the file exists: a key is never overwritten.
        """
        key = (
            mldsa.MLDSA44PrivateKey.generate()
            if post_quantum
            else ed25519.Ed25519PrivateKey.generate()
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        except FileExistsError as error:
            raise SettingsError(f"{path}: already exists; a key is never overwritten") from error
        except OSError as error:
            raise SettingsError(f"{path}: {error.strerror}") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return KeyFile(path)

    def public_key(self) -> bytes:
        """See `Signer.public_key`."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        """See `Signer.sign`."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(text, ec.ECDSA(SHA256()))
        return self._key.sign(text)

    def configuration(self) -> Mapping[str, str | Unreadable]:
        """See `Signer.configuration`: a file has no settings."""
        return {}
