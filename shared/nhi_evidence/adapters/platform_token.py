"""Tokens in which a platform states who a function is, each kept until shortly before it expires.

They are all that a function outside AWS authenticates with. There is no other way in: nothing here
takes a key file, a client secret or an access key.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping

import msgspec
import urllib3

from nhi_evidence.adapters import clock
from nhi_evidence.errors import TokenUnavailableError

EARLY_MS = 5 * 60 * 1000
"""How long before its expiry a token is no longer used."""

_TIMEOUT = urllib3.Timeout(connect=2.0, read=10.0)
_RETRY = urllib3.Retry(
    total=3,
    redirect=0,
    backoff_factor=0.5,
    status_forcelist=(408, 429, 500, 502, 503, 504),
    raise_on_status=False,
)

_OK = 200
_EXCERPT = 300

# Straight to the platform: unlike most HTTP clients, a pool takes no proxy from the environment.
_http = urllib3.PoolManager(1, retries=_RETRY, timeout=_TIMEOUT)


class Claims(msgspec.Struct, frozen=True):
    """What a token states; never trusted here: whoever accepts the token checks its signature."""

    iss: str
    sub: str
    exp: float
    """Expiry, seconds since the epoch."""
    aud: str | tuple[str, ...] = ""


def claims(token: str) -> Claims | None:
    """Return the claims of a JSON Web Token (RFC 7519), or None if it is not one."""
    parts = token.split(".")
    if len(parts) != len(("header", "claims", "signature")):
        return None
    try:
        body = urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(body, type=Claims)
    except (ValueError, msgspec.DecodeError):
        return None


def ask(platform: str, url: str, *, query: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
    """Return the answer of a platform's token endpoint.

    Raises `TokenUnavailableError` naming the platform and its refusal.
    """
    try:
        answer = _http.request("GET", url, fields=dict(query), headers=dict(headers))
    except urllib3.exceptions.HTTPError as error:
        raise TokenUnavailableError(f"{platform} gives no token: {error}") from error
    if answer.status != _OK:
        excerpt = answer.data[:_EXCERPT].decode(errors="replace")
        raise TokenUnavailableError(f"{platform} gives no token: {answer.status} {excerpt}")
    return answer.data


class PlatformToken:
    """The function's token for one audience, fetched again before it expires."""

    def __init__(
        self, platform: str, fetch: Callable[[], str], *, now: Callable[[], int] = clock.now
    ) -> None:
        """Keep the token that `fetch` returns; `now` is in milliseconds since the epoch."""
        self._platform = platform
        self._fetch = fetch
        self._now = now
        self._token = ""
        self._until_ms = 0.0

    def __call__(self) -> str:
        """Return a token that remains valid for a while. Raises `TokenUnavailableError`."""
        if self._now() >= self._until_ms:
            token = self._fetch()
            stated = claims(token)
            if stated is None:
                raise TokenUnavailableError(f"{self._platform} answers with no JSON Web Token")
            self._token, self._until_ms = token, stated.exp * 1000 - EARLY_MS
        return self._token
