"""Public keys of a provider, as fetched and sealed by the deployment."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from nhi_evidence.completeness.check import KEYS_ENDING
from nhi_evidence.completeness.statement_file import PREFIX, Operation, operation_key
from nhi_evidence.evidence import keys, provider
from nhi_evidence.ports import EvidenceReader


def write(listed: bytes, hour: str) -> Operation:
    """Return the object that keeps a provider's list of its keys, byte for byte.

    Raises `ProviderError` when it is not a list of keys.
    """
    return Operation(
        operation_key("recon", hour, listed, KEYS_ENDING),
        listed,
        {"keys": str(len(provider.read_keys(listed)))},
    )


def read(
    store: EvidenceReader, hours: Iterable[str] | None = None
) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """Return where public keys are sealed, and the public keys: DER by fingerprint.

    Reads some hours, or all. An object that is not a list of keys, or does not match the hash in
    its key, is left out: `verify` reports it. Raises `StoreUnavailableError`.
    """
    public_keys: dict[str, bytes] = {}
    places: list[str] = []
    prefixes = [PREFIX] if hours is None else [f"{PREFIX}h={hour}/" for hour in hours]
    for prefix in prefixes:
        for key in store.keys(prefix):
            if not key.endswith(KEYS_ENDING):
                continue
            body = store.get(key)
            if sha256(body).hexdigest() != keys.parse_key(key).body_sha256:
                continue
            try:
                public_keys |= provider.read_keys(body)
            except provider.ProviderError:
                continue
            places.append(key)
    return tuple(places), public_keys
