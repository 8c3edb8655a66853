"""One bounded HTTP request to an outside party, for its attestation of a checkpoint."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from nhi_evidence.adapters import one_host
from nhi_evidence.errors import SettingsError, WitnessError

_TIMEOUT_SECONDS = 20
_MAX_ANSWER_BYTES = 1 << 20

_opener = one_host.opener()


def checked_url(url: str) -> str:
    """Return an http or https address that names a host. Raises `SettingsError` on any other."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"{url}: not an http or https address")
    return url


def post(name: str, url: str, body: bytes, content_type: str) -> tuple[int, bytes]:
    """Return status and body of the answer to a POST, also for a refusal or a redirect.

    Raises `WitnessError` when there is no answer, or it is too long.
    """
    request = urllib.request.Request(  # noqa: S310 the scheme is checked where it is configured
        url, data=body, method="POST", headers={"Content-Type": content_type}
    )
    try:
        with _opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            status, answer = response.status, response.read(_MAX_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            status, answer = error.code, error.read(_MAX_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise WitnessError(f"{name} does not answer: {error}") from error
    if len(answer) > _MAX_ANSWER_BYTES:
        raise WitnessError(f"{name} answers with more than {_MAX_ANSWER_BYTES} bytes")
    return status, answer
