"""JSON over HTTPS: bounded, retrying when an API is busy, and explicit about a refusal.

No redirect is followed, as tokens and assertions are for the host that was named.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from nhi_evidence.adapters import one_host
from nhi_evidence.errors import EvidenceError, SettingsError, SourceUnavailableError

MAX_BYTES = 64 << 20
_SECONDS = 60.0
_TRIES = 5
_FIRST_WAIT = 2.0
_LONGEST_WAIT = 60.0
_BUSY = {408, 429, 500, 502, 503, 504}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_opener = one_host.opener()


class RefusedError(EvidenceError):
    """An API refused a request, and would again; the text gives its status and its reason."""

    def __init__(self, text: str, *, status: int, code: str) -> None:
        """Keep the HTTP status and the provider's own code, if it gave one."""
        super().__init__(text)
        self.status = status
        self.code = code


def ask(
    url: str,
    *,
    token: str | None = None,
    form: Mapping[str, str] | None = None,
    document: Any = None,
) -> dict[str, Any]:
    """Return the JSON object an API answers with: to a GET, or to a POST of a form or document.

    A busy API is tried again a few times. Raises `RefusedError`, `SourceUnavailableError` when
    there is no usable answer, and `SettingsError` for an address that is not HTTPS.
    """
    host = urlsplit(url)
    if host.scheme != "https" and host.hostname not in _LOOPBACK:
        raise SettingsError(f"{url}: not an https address")
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 checked above
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    if form is not None:
        request.data = urlencode(form).encode()
    elif document is not None:
        request.data = msgspec.json.encode(document)
        request.add_header("Content-Type", "application/json")
    wait = _FIRST_WAIT
    for attempt in range(1, _TRIES + 1):
        try:
            with _opener.open(request, timeout=_SECONDS) as answer:
                return _object(url, answer.read(MAX_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                body = error.read(MAX_BYTES)
            if error.code not in _BUSY:
                raise _refused(url, error.code, body) from error
            problem = f"{url}: {error.code}"
            wait = _wait(error.headers.get("Retry-After"), wait)
        except (OSError, http.client.HTTPException) as error:
            problem = f"{url}: {error}"
        if attempt < _TRIES:
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)
    raise SourceUnavailableError(problem)


def _wait(stated: str | None, otherwise: float) -> float:
    if stated is not None and stated.isascii() and stated.isdigit():
        return min(float(stated), _LONGEST_WAIT)
    return otherwise


def _object(url: str, body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise SourceUnavailableError(f"{url}: the answer has more than {MAX_BYTES} bytes")
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceUnavailableError(f"{url}: the answer is not a JSON object: {error}") from error
    return answer


def objects(url: str, listed: Any) -> list[dict[str, Any]]:
    """Return the entries of a page. Raises `SourceUnavailableError` unless it lists objects.

    An answer of another form, such as an error with status 200, must not pass for an empty page.
    """
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise SourceUnavailableError(f"{url.partition('?')[0]}: the answer lists no entries")
    return listed


def _refused(url: str, status: int, body: bytes) -> RefusedError:
    """Return a refusal with what Google, Microsoft and OAuth put into it, never the request."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        answer = {}
    error = answer.get("error")
    detail = error if isinstance(error, dict) else answer
    code = str(detail.get("code") or detail.get("status") or error or "")[:100]
    words = str(detail.get("message") or answer.get("error_description") or "")[:300]
    return RefusedError(
        f"{url.partition('?')[0]}: {status} {code} {words}", status=status, code=code
    )
