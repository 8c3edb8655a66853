"""Entra's logs of an hour, as Microsoft Graph lists them to a federated AWS role.

https://learn.microsoft.com/graph/api/directoryaudit-list
https://learn.microsoft.com/graph/api/signin-list
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from nhi_evidence.adapters.listing import http_json, microsoft

_PATHS = {
    "audit": ("v1.0/auditLogs/directoryAudits", "activityDateTime", ""),
    # Only the beta API lists sign-ins of service principals and managed identities.
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
    """Client id of the application with the federated credential and `AuditLog.Read.All`."""
    log: Log
    login: str = microsoft.LOGIN
    graph: str = "https://graph.microsoft.com"


def path_of(scope: EntraScope, begins: int, ends: int) -> str:
    """Return path and query for a span of time; they are kept with the listing."""
    path, time, more = _PATHS[scope.log]
    wanted = f"{time} ge {_instant(begins)} and {time} lt {_instant(ends)}{more}"
    return f"{path}?$filter={quote(wanted)}&$select=id&$top=999"


def token(scope: EntraScope, identity: Callable[[str], str]) -> str:
    """Return a token for Graph. Raises as `http_json.ask` does."""
    return microsoft.exchanged(
        scope.tenant,
        scope.client_id,
        identity,
        resource="https://graph.microsoft.com",
        login=scope.login,
    )


def ids(scope: EntraScope, access: str, path: str) -> Iterator[str]:
    """Yield the id of each entry. Raises as `http_json.ask` does."""
    for entry in microsoft.entries(scope.graph, path, access, "@odata.nextLink"):
        uid = entry.get("id")
        if isinstance(uid, str) and uid:
            yield uid


def reason(error: http_json.RefusedError) -> str:
    """Return a statement's reason why Graph listed nothing.

    Without a premium license Graph does not list; a plain refusal may have the same cause.
    """
    return "license_unknown" if error.code in _NO_LICENSE else "refused"


def _instant(milliseconds: int) -> str:
    at: Any = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
