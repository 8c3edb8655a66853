"""Signers whose keys follow from a name, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class LocalSigner:
    """Ed25519, repeatable by name."""

    def __init__(self, name: str) -> None:
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)

    def configuration(self) -> Mapping[str, str]:
        return {}


class LocalCosigner:
    """ML-DSA-44, its key repeatable by name; its signatures are not."""

    def __init__(self, name: str) -> None:
        self._key = mldsa.MLDSA44PrivateKey.from_seed_bytes(sha256(name.encode()).digest())

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        return self._key.sign(text)

    def configuration(self) -> Mapping[str, str]:
        return {}
