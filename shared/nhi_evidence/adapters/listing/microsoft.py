"""What Microsoft's APIs have in common: tokens by federated credential, and paging.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from nhi_evidence.adapters import one_host
from nhi_evidence.adapters.listing import http_json
from nhi_evidence.errors import SourceUnavailableError

LOGIN = "https://login.microsoftonline.com"
AUDIENCE = "api://AzureADTokenExchange"
"""The audience Entra requires in a federated identity token."""

MAX_PAGES = 10_000
"""Maximum pages read for one hour: endless pages are an error, not a listing."""

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 section 2.2."""


def exchanged(
    tenant: str,
    client_id: str,
    identity: Callable[[str], str],
    *,
    resource: str,
    login: str = LOGIN,
) -> str:
    """Exchange an AWS identity token for a token of a tenant's application, for one resource.

    Raises as `http_json.ask` does.
    """
    url = f"{login}/{quote(tenant)}/oauth2/v2.0/token"
    answer = http_json.ask(
        url,
        form={
            "grant_type": "client_credentials",
            "client_id": client_id,
            "scope": f"{resource}/.default",
            "client_assertion_type": _ASSERTION,
            "client_assertion": identity(AUDIENCE),
        },
    )
    value = answer.get("access_token")
    if not isinstance(value, str) or not value:
        raise SourceUnavailableError(f"{url}: the answer has no access_token")
    return value


def entries(origin: str, path: str, access: str, following: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of every page; `following` names the member that links the next one.

    Raises as `http_json.ask` does, and `SourceUnavailableError` if an answer is no page of entries,
    or if pages lead to another host or never end.
    """
    url = f"{origin}/{path}"
    seen = {url}
    for _ in range(MAX_PAGES):
        page = http_json.ask(url, token=access)
        yield from http_json.objects(origin, page.get("value"))
        link = page.get(following) or ""
        if link == "":
            return
        if not isinstance(link, str) or not one_host.is_same(link, origin) or link in seen:
            raise SourceUnavailableError(
                f"{origin}: the next page is on another host, or repeats one"
            )
        seen.add(link)
        url = link
    raise SourceUnavailableError(f"{origin}: more than {MAX_PAGES} pages for one hour")
