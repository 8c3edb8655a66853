"""OAuth access tokens of the service account a Google Cloud function runs as.

Only the metadata server is asked; no key file and no credentials of a user are searched for.
https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
"""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from nhi_evidence.adapters import clock, platform_token
from nhi_evidence.errors import TokenUnavailableError

_PLATFORM = "the metadata server"
_HOST = "metadata.google.internal"
_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"


class _Answer(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int
    """Seconds from now."""


class AccessToken:
    """The function's access token, fetched again before it expires."""

    def __init__(self, *, now: Callable[[], int] = clock.now) -> None:
        """Tell the time by `now`, in milliseconds since the epoch."""
        self._now = now
        self._token = ""
        self._until_ms = 0

    def __call__(self) -> str:
        """Return a token that remains valid for a while. Raises `TokenUnavailableError`."""
        if self._now() >= self._until_ms:
            host = os.environ.get("GCE_METADATA_HOST") or _HOST
            answer = platform_token.ask(
                _PLATFORM, f"http://{host}{_PATH}", query={}, headers={"Metadata-Flavor": "Google"}
            )
            try:
                decoded = msgspec.json.decode(answer, type=_Answer)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                raise TokenUnavailableError(f"{_PLATFORM} answers with no token") from error
            self._token = decoded.access_token
            self._until_ms = self._now() + decoded.expires_in * 1000 - platform_token.EARLY_MS
        return self._token
