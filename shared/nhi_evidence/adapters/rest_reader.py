"""Read-only calls over HTTPS for coverage; every answer is kept with its exact text."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from nhi_evidence.adapters import one_host
from nhi_evidence.coverage.answers import Answer, Status
from nhi_evidence.errors import SettingsError

MAX_ANSWER_BYTES = 32 * 1024 * 1024
_TIMEOUT_SECONDS = 30
_MOST_PAGES = 200
_MOST_TEXT = 300
_DENIED, _ABSENT = (401, 403), (404,)
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class RestReader:
    """Makes calls with a bearer token, and keeps every answer."""

    def __init__(
        self,
        tokens: Mapping[str, str],
        bases: Mapping[str, str] | None = None,
        *,
        refusals: Mapping[str, str] | None = None,
    ) -> None:
        """Use a token for each host; `bases` are other addresses for hosts, used by tests.

        `refusals` say, by host, why there is no token; such a host is never called.
        """
        self._tokens = tokens
        self._refusals = refusals or {}
        self._bases = bases or {}
        self._opener = one_host.opener()
        self.answers: list[Answer] = []

    def ask(
        self,
        call: str,
        scope: str,
        url: str,
        *,
        body: Any = None,
        items: str | None = None,
        next_page: str = "",
        page_parameter: str = "",
    ) -> Any:
        """Make a call, combine all pages into one answer, keep and return it; None unless `ok`.

        `items` names the list that pages add to, `next_page` the member that leads to the next
        page: a complete address, or a token to pass in `page_parameter`. A list that goes on where
        it cannot be followed is a failure: part of it would look like all of it.
        """
        texts: list[str] = []
        combined: Any = None
        target: str | None = url
        status: Status = "ok"
        error = ""
        while target and len(texts) < _MOST_PAGES:
            status, error, text = self._send(target, body)
            if status != "ok":
                break
            try:
                page = msgspec.json.decode(text)
            except (msgspec.MsgspecError, RecursionError):
                status, error = "failed", "the answer is not JSON"
                break
            if items is not None and not _is_page(page, items, may_omit=bool(page_parameter)):
                status, error = "failed", f"the answer has no list of {items}"
                break
            texts.append(text)
            combined = page if combined is None or items is None else _joined(combined, page, items)
            target, error = _following(url, page, next_page, page_parameter)
            if error:
                status = "failed"
        if status == "ok" and target:
            status, error = "failed", f"more than {_MOST_PAGES} pages"
        is_ok = status == "ok"
        self.answers.append(
            Answer(
                call=call,
                scope=scope,
                request={} if body is None else {"body": body},
                status=status,
                error=error,
                answer=combined if is_ok else None,
                raw="\n".join(texts) if is_ok else "",
            )
        )
        return combined if is_ok else None

    def _send(self, url: str, body: Any) -> tuple[Status, str, str]:
        parts = urlsplit(url)
        token = self._tokens.get(parts.netloc)
        if token is None:
            reason = self._refusals.get(parts.netloc) or f"no token for {parts.netloc}"
            return "failed", reason[:_MOST_TEXT], ""
        base = self._bases.get(parts.netloc)
        if base is not None:
            local = urlsplit(base)
            parts = parts._replace(scheme=local.scheme, netloc=local.netloc)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise SettingsError(f"{url}: tokens are only sent over HTTPS")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = msgspec.json.encode(body), "application/json"
        request = urllib.request.Request(urlunsplit(parts), data=data, headers=headers)  # noqa: S310 checked above
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                content = answer.read(MAX_ANSWER_BYTES + 1)
        except urllib.error.HTTPError as failed:
            with failed:
                code = failed.code
            status: Status = (
                "denied" if code in _DENIED else "absent" if code in _ABSENT else "failed"
            )
            return status, str(code), ""
        except (OSError, http.client.HTTPException) as failed:
            return "failed", type(failed).__name__, ""
        if len(content) > MAX_ANSWER_BYTES:
            return "failed", f"more than {MAX_ANSWER_BYTES} bytes", ""
        try:
            return "ok", "", content.decode()
        except UnicodeDecodeError:
            return "failed", "the answer is not UTF-8", ""


def _is_page(page: Any, items: str, *, may_omit: bool) -> bool:
    """Whether an answer is an object with the list `items`; Google leaves out an empty one."""
    if not isinstance(page, dict) or "error" in page:
        return False
    return isinstance(page.get(items, [] if may_omit else None), list)


def _joined(earlier: Any, page: Any, items: str) -> Any:
    return {**page, items: [*earlier.get(items, ()), *page.get(items, ())]}


def _following(url: str, page: Any, next_page: str, parameter: str) -> tuple[str | None, str]:
    """Return the address of the next page, if there is one, or why it cannot be followed."""
    following = page.get(next_page) if next_page and isinstance(page, dict) else None
    if following is None or following == "":
        return None, ""
    if not isinstance(following, str):
        return None, f"{next_page} is not a text"
    if parameter:
        joint = "&" if "?" in url else "?"
        return f"{url}{joint}{parameter}={quote(following, safe='')}", ""
    # A complete address, as Azure gives it: only on the host that was called.
    if not one_host.is_same(following, url):
        return None, "the next page is on another host"
    first, then = urlsplit(url), urlsplit(following)
    return urlunsplit((first.scheme, first.netloc, then.path, then.query, "")), ""
