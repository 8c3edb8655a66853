"""HTTPS requests that stay on one host: a token is for no other."""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the refusal it is: following it would send all headers along."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


def opener() -> urllib.request.OpenerDirector:
    """Return what opens a URL and follows no redirect; it raises `HTTPError` for one."""
    return urllib.request.build_opener(_NoRedirect)


def is_same(link: str, url: str) -> bool:
    """Whether two addresses have the same scheme, host and port.

    A host's case and a scheme's own port make no difference (RFC 3986 section 6.2.3): providers
    write both forms in links to further pages. False for anything that is not an address.
    """
    try:
        return _origin(link) == _origin(url)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
