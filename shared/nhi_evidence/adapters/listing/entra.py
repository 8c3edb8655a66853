"""Entra's logs of an hour, as Microsoft Graph lists them to a federated AWS role.

https://learn.microsoft.com/graph/api/directoryaudit-list
https://learn.microsoft.com/graph/api/signin-list
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import msgspec

from nhi_evidence.adapters.listing import http_json
from nhi_evidence.errors import SourceUnavailableError

LOGIN = "https://login.microsoftonline.com"
AUDIENCE = "api://AzureADTokenExchange"
"""What Entra asks of an identity token of a federated credential."""

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523 section 2.2."""

_PATHS = {
    "audit": ("v1.0/auditLogs/directoryAudits", "activityDateTime", ""),
    # Sign-ins of service principals and managed identities are listed by the beta alone.
    "service_principal": (
        "beta/auditLogs/signIns",
        "createdDateTime",
        " and signInEventTypes/any(t:t eq 'servicePrincipal')",
    ),
    "managed_identity": (
        "beta/auditLogs/signIns",
        "createdDateTime",
        " and signInEventTypes/any(t:t eq 'managedIdentity')",
    ),
}
_NO_LICENSE = frozenset({"Authentication_RequestFromNonPremiumTenantOrB2CTenant"})


Log = Literal["audit", "service_principal", "managed_identity"]


class EntraScope(msgspec.Struct, frozen=True, tag_field="kind", tag="entra"):
    """One log of one tenant."""

    tenant: str
    client_id: str
    """Of the application with the federated credential and `AuditLog.Read.All`."""
    log: Log
    login: str = LOGIN
    graph: str = "https://graph.microsoft.com"


def path_of(scope: EntraScope, begins: int, ends: int) -> str:
    """Return path and query of a span of time, which is kept with what it lists."""
    path, time, more = _PATHS[scope.log]
    wanted = f"{time} ge {_instant(begins)} and {time} lt {_instant(ends)}{more}"
    return f"{path}?$filter={quote(wanted)}&$select=id&$top=999"


def token(scope: EntraScope, identity: Callable[[str], str]) -> str:
    """Exchange an AWS identity token for one of Graph. Raises as `http_json.ask` does."""
    return exchanged(
        scope.tenant,
        scope.client_id,
        identity,
        resource="https://graph.microsoft.com",
        login=scope.login,
    )


def exchanged(
    tenant: str,
    client_id: str,
    identity: Callable[[str], str],
    *,
    resource: str,
    login: str = LOGIN,
) -> str:
    """Exchange an AWS identity token for one of an application of a tenant, for one resource.

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


def ids(scope: EntraScope, access: str, path: str) -> Iterator[str]:
    """Yield the id of each entry. Raises as `http_json.ask` does."""
    url = f"{scope.graph}/{path}"
    while True:
        page = http_json.ask(url, token=access)
        for entry in page.get("value") or ():
            uid = entry.get("id")
            if isinstance(uid, str) and uid:
                yield uid
        following = page.get("@odata.nextLink")
        if not isinstance(following, str):
            return
        if urlsplit(following)[:2] != urlsplit(scope.graph)[:2] or following == url:
            raise SourceUnavailableError(f"{scope.graph}: the next page is elsewhere")
        url = following


def reason(error: http_json.RefusedError) -> str:
    """Return the reason for a statement why Graph listed nothing.

    Without a premium license it does not list; a plain refusal may be for the same cause.
    """
    return "license_unknown" if error.code in _NO_LICENSE else "refused"


def _instant(milliseconds: int) -> str:
    at: Any = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
