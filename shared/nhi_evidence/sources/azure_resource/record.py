"""The parts of Azure's resource logs that this pack reads: the envelope all categories share.

https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema
"""

from __future__ import annotations

import msgspec

from nhi_evidence.event import Rejection
from nhi_evidence.reading.lenient_decoder import LenientDecoder

EMPTY = msgspec.Raw(b"")

Number = str | int | None
"""A number, which some exports write as a text."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What every diagnostic settings record has; what varies by category stays a slice."""

    time: str | None = None
    resourceId: str | None = None
    operationName: str | None = None
    operationVersion: str | int | float | None = None
    category: str | None = None
    resultType: Number = None
    resultSignature: Number = None
    resultDescription: str | None = None
    statusCode: Number = None
    statusText: str | None = None
    callerIpAddress: str | None = None
    correlationId: str | None = None
    location: str | None = None
    uri: str | None = None
    httpStatusCode: Number = None
    """From Managed HSM, which writes next to `properties` what Key Vault writes in them."""
    clientInfo: str | None = None
    requestUri: str | None = None
    identity: msgspec.Raw = EMPTY
    properties: msgspec.Raw = EMPTY


_envelope = LenientDecoder(Envelope, fold_case=True)


def read(raw: bytes) -> tuple[Envelope, tuple[str, ...]] | Rejection:
    """Read the envelope; the second value names attributes that could not be used."""
    decoded = _envelope.record(raw)
    if isinstance(decoded, Rejection):
        return decoded
    if decoded[0].category is None or decoded[0].operationName is None:
        return _envelope.record_leniently(raw)
    return decoded


def is_absent(slice_: msgspec.Raw) -> bool:
    """Whether an attribute is absent, null or an empty text."""
    return bytes(slice_) in {b"", b"null", b'""'}
