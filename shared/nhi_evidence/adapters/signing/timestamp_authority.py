"""A time-stamping authority over HTTP (RFC 3161 section 3.4) as a witness of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
)

from nhi_evidence.adapters.signing import outside
from nhi_evidence.errors import WitnessError
from nhi_evidence.evidence import note, timestamp
from nhi_evidence.stored import AnchorForm

_OK = 200


class TimestampAuthority:
    """A `Witness` that knows nothing about logs: it signs a digest and its own time."""

    form = AnchorForm.TIMESTAMP

    def __init__(self, url: str, name: str | None = None) -> None:
        """Ask at `url`; its name is `name`, or its host. Raises `SettingsError`."""
        self._url = outside.checked_url(url)
        self.name = name or urlsplit(url).hostname or url

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:  # noqa: ARG002 it remembers nothing
        """See `Witness.attest`. Its certificates are left for the verifier to judge."""
        text, _ = note.split(checkpoint)
        request = (
            TimestampRequestBuilder()
            .data(text.encode())
            .hash_algorithm(HashAlgorithm.SHA256)
            .build()
        )
        status, answer = outside.post(
            self.name, self._url, request.as_bytes(), "application/timestamp-query"
        )
        if status != _OK:
            raise WitnessError(f"{self.name} answers {status}")
        try:
            response = timestamp.read(answer)
            if PKIStatus(response.status) is not PKIStatus.GRANTED:
                refused = ", ".join(response.status_string)
                raise WitnessError(f"{self.name} refuses: {refused}")
            info = response.tst_info
            stamped, nonce = info.message_imprint.message, info.nonce
        except ValueError as error:
            raise WitnessError(f"{self.name} returned no valid time stamp: {error}") from error
        if stamped != sha256(text.encode()).digest() or nonce != request.nonce:
            raise WitnessError(f"{self.name} stamped something else")
        return answer
