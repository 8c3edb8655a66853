"""What the provider itself signed of the file a record came in, as part of a proof bundle.

The link is the hash: the header of the evidence object states that of the inflated file, and the
provider's signed document names the file with the same one.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from nhi_evidence import sources
from nhi_evidence.event import Kind, Statement
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.batch import Header
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.ports import EvidenceVersions

DOCUMENT = "provider-document"
METADATA = "provider-document.meta.json"
SIGNED = "provider-signed.txt"
SIGNATURE = "provider-signature.bin"
KEY = "provider-key.der"
FILES = (DOCUMENT, METADATA, SIGNED, SIGNATURE)

_BESIDE = ".meta.json"
_USER = "meta."


class ProviderError(ValueError):
    """What the provider signed does not show what the bundle claims: says how."""


class PublicKey(msgspec.Struct, frozen=True):
    """One key of a provider, as `aws cloudtrail list-public-keys` prints it."""

    Value: str
    """Base64 of the DER of an RSAPublicKey (PKCS #1)."""
    Fingerprint: str


class _Listed(msgspec.Struct):
    PublicKeyList: list[PublicKey]


class ProviderSignature(msgspec.Struct, frozen=True):
    """What a provider said of a file, checked."""

    fingerprint: str
    """Of the key that signed it."""
    trusted: bool
    """Whether that key was given by the one who checks, and not by the bundle."""


def read_keys(document: bytes) -> dict[str, bytes]:
    """Return DER by fingerprint, of what `aws cloudtrail list-public-keys` prints.

    Raises `ProviderError` when it is something else.
    """
    try:
        listed = msgspec.json.decode(document, type=_Listed).PublicKeyList
        return {one.Fingerprint: b64decode(one.Value, validate=True) for one in listed}
    except ValueError as error:
        raise ProviderError(f"not a list of public keys: {error}") from error


def find(
    store: EvidenceVersions,
    leaves: Iterable[ObjectLeaf],
    header: Header,
    hour: str,
    public_keys: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Return the files that show what the provider signed of a unit; none when it is not kept.

    The nearest hours are looked at first.
    """
    pack = sources.signing_source(header.source)
    if pack is None or header.raw_sha256 is None:
        return {}
    copies: dict[str, str] = {}
    beside: dict[str, str] = {}
    for leaf in leaves:
        parsed = keys.parse_key(leaf.key)
        if (parsed.kind, parsed.source) != ("src", header.source):
            continue
        if leaf.key.endswith(_BESIDE):
            beside.setdefault(leaf.key[: -len(_BESIDE)].rpartition(".")[0], leaf.key)
        elif pack.kind_of(parsed.unit or "") is Kind.COMPANION or (parsed.unit or "").startswith(
            "~"
        ):
            copies[leaf.key] = parsed.hour or keys.UNKNOWN_HOUR
    for key in sorted(copies, key=lambda one: _distance(hour, copies[one])):
        if key not in beside:
            continue
        document, metadata = store.get(key), store.get(beside[key])
        try:
            said = pack.statement(document, _user(metadata), header.unit, header.raw_sha256)
        except ValueError:
            continue  # not one of the provider's, or not whole: it shows nothing
        if said is not None:
            return dict(_files(document, metadata, said, public_keys))
    return {}


def _files(
    document: bytes, metadata: bytes, said: Statement, public_keys: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    yield DOCUMENT, document
    yield METADATA, metadata
    yield SIGNED, said.signed
    yield SIGNATURE, said.signature
    if said.fingerprint in public_keys:
        yield KEY, public_keys[said.fingerprint]


def check(
    files: Mapping[str, bytes], header: Header, trusted: Mapping[str, bytes]
) -> ProviderSignature | None:
    """Check what a provider signed of the file a header speaks of; None when there is nothing.

    Raises `ProviderError` when it is there and does not hold.
    """
    if DOCUMENT not in files:
        return None
    missing = [one for one in FILES if one not in files]
    pack = sources.signing_source(header.source)
    if missing or pack is None or header.raw_sha256 is None:
        raise ProviderError(f"{DOCUMENT}: nothing to check it by: {', '.join(missing)}")
    try:
        metadata = _user(files[METADATA])
        said = pack.statement(files[DOCUMENT], metadata, header.unit, header.raw_sha256)
    except ValueError as error:
        raise ProviderError(f"{DOCUMENT}: {error}") from error
    if said is None:
        raise ProviderError(f"{DOCUMENT}: does not name this file with this hash")
    if (said.signed, said.signature) != (files[SIGNED], files[SIGNATURE]):
        raise ProviderError(f"{SIGNED}, {SIGNATURE}: not those of {DOCUMENT}")
    der = trusted.get(said.fingerprint, files.get(KEY))
    if der is None:
        return ProviderSignature(said.fingerprint, trusted=False)
    _verify(der, said)
    return ProviderSignature(said.fingerprint, trusted=said.fingerprint in trusted)


def _verify(der: bytes, said: Statement) -> None:
    """Verify RSA PKCS #1 v1.5 over SHA-256."""
    try:
        public = load_der_public_key(der)
        if not isinstance(public, rsa.RSAPublicKey):
            raise ProviderError(f"{KEY}: not an RSA key")
        public.verify(said.signature, said.signed, padding.PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise ProviderError(f"{SIGNATURE}: not by the key {said.fingerprint}") from error
    except ValueError as error:
        raise ProviderError(f"{KEY}: {error}") from error


def _user(metadata: bytes) -> dict[str, str]:
    """User metadata of a kept file, as it was said of it at its source. Raises `ValueError`."""
    said = msgspec.json.decode(metadata, type=dict[str, str])
    return {name[len(_USER) :]: value for name, value in said.items() if name.startswith(_USER)}


def _distance(hour: str, other: str) -> int:
    one, two = keys.hour_start(hour), keys.hour_start(other)
    return abs(one - two) if one is not None and two is not None else 1 << 62
