"""The calls of a Google Cloud or Entra canary over HTTPS: each once, without following redirects.

A canary's token goes only to the hosts it is for, and never into a message.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec

from nhi_evidence.adapters import one_host
from nhi_evidence.adapters.probing.outcome import Done, filled
from nhi_evidence.coverage.canary.probes import NONCE, Probe
from nhi_evidence.errors import SettingsError

_SECONDS = 10
_MOST_BYTES = 1 << 20
_UNAUTHENTICATED, _BUSY, _BROKEN = 401, 429, 500
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Runner:
    """The probes of one project or tenant in one hour."""

    def __init__(
        self,
        tokens: Mapping[str, str],
        values: Mapping[str, str],
        done: Done,
        bases: Mapping[str, str] | None = None,
    ) -> None:
        """Call with a bearer token for each host of `tokens`; count into `done`.

        `values` replace placeholders in calls and parameters; `bases` are other addresses for
        hosts, used by tests.
        """
        self._tokens = tokens
        self._values = values
        self._done = done
        self._bases = bases or {}
        self._opener = one_host.opener()

    def run(self, probe: Probe, nonce: str) -> None:
        """Make one call, once, and note whether it was refused as it should be."""
        request, has_token = self._request(probe, nonce)
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                answer.read(_MOST_BYTES)
            status = int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                error.read(_MOST_BYTES)
            status = error.code
        except (OSError, http.client.HTTPException) as error:
            self._done.unanswered.append(f"{probe.cell}: {_short(probe)}: {error}")
            return
        if status == _BUSY or status >= _BROKEN:
            # It is unknown whether the call was recorded, so it is not repeated this hour.
            self._done.unanswered.append(f"{probe.cell}: {_short(probe)}: {status}")
            return
        self._done.answered(probe, _short(probe), _outcome(status, has_token=has_token))

    def _request(self, probe: Probe, nonce: str) -> tuple[urllib.request.Request, bool]:
        method, _, template = _short(probe).partition(" ")
        values = {**self._values, NONCE: nonce}
        quoted = {name: quote(value, safe="@") for name, value in values.items()}
        parts = urlsplit(filled(template, quoted))
        arguments = filled(probe.parameters, values)
        data = None
        headers = {"User-Agent": f"nhi-evidence nhi-canary/{nonce}", "Accept": "application/json"}
        if probe.nonce_in == "request_id":
            headers |= {"client-request-id": nonce, "return-client-request-id": "true"}
        if method == "GET" and arguments:
            parts = parts._replace(query=urlencode(arguments))
        elif method != "GET" and probe.body == "form":
            data = urlencode(arguments).encode()
        elif method != "GET":
            data, headers["Content-Type"] = msgspec.json.encode(arguments), "application/json"
        token = self._tokens.get(parts.netloc)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        base = self._bases.get(parts.netloc)
        if base is not None:
            local = urlsplit(base)
            parts = parts._replace(scheme=local.scheme, netloc=local.netloc)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise SettingsError(f"{_short(probe)}: not an https address")
        request = urllib.request.Request(urlunsplit(parts), data, headers, method=method)  # noqa: S310 checked above
        return request, token is not None


def _short(probe: Probe) -> str:
    """Return method and address of a probe's call as in the table, without remarks or token."""
    return " ".join(probe.call.split(" ")[:2])


def _outcome(status: int, *, has_token: bool) -> str:
    """Return the outcome a status means; a token that is not accepted is not a refused right."""
    if status == _UNAUTHENTICATED and has_token:
        return "unauthenticated"
    return "allowed" if status < 400 else "refused"  # noqa: PLR2004 the first of the refusals
