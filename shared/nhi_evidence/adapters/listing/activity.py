"""The Activity Log of an hour, as Resource Manager lists it to a federated AWS role.

It is listed by the time of the event, to the tick of 100 ns, for 90 days; no license is needed.
https://learn.microsoft.com/rest/api/monitor/activity-logs/list
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from nhi_evidence import sources
from nhi_evidence.adapters.listing import microsoft

PACK = "azure_activity"
KEPT_MS = 90 * 86_400_000
"""Older entries are no longer listed."""

_VERSION = "2015-04-01"
_CLOUD = "https://management.azure.com"


class ActivityScope(msgspec.Struct, frozen=True, tag_field="kind", tag="activity"):
    """The Activity Log of one subscription."""

    tenant: str
    client_id: str
    """Client id of the application with the federated credential, which has a role on the
    subscription with the permission `Microsoft.Insights/eventtypes/values/read`."""
    subscription: str
    categories: tuple[str, ...]
    """Categories that are exported; entries of others are not compared."""
    login: str = microsoft.LOGIN
    manager: str = _CLOUD


def path_of(scope: ActivityScope, begins: int, ends: int) -> str:
    """Return path and query for a span of time (milliseconds since the epoch).

    The log includes both bounds, so the span ends one tick before `ends`.
    """
    first, last = _instant(begins), _instant(ends - 1000)
    wanted = f"eventTimestamp ge '{first}.0000000Z' and eventTimestamp le '{last}.9999999Z'"
    return (
        f"subscriptions/{quote(scope.subscription)}/providers/Microsoft.Insights/eventtypes"
        f"/management/values?api-version={_VERSION}&$filter={quote(wanted)}"
    )


def request_of(scope: ActivityScope, begins: int, ends: int) -> str:
    """Return the request kept with a listing: path, query and, as a fragment, the categories."""
    return f"{path_of(scope, begins, ends)}#categories={','.join(scope.categories)}"


def token(scope: ActivityScope, identity: Callable[[str], str]) -> str:
    """Return a token for Resource Manager. Raises as `http_json.ask` does."""
    return microsoft.exchanged(
        scope.tenant, scope.client_id, identity, resource=_CLOUD, login=scope.login
    )


def entries(
    scope: ActivityScope, access: str, path: str
) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Yield, for each entry of an exported category, the id to match it by, its own id, the entry.

    An entry that lacks a part of the id to match it by is left out, as it cannot be matched. Raises
    as `http_json.ask` does.
    """
    pack = sources.listed_source(PACK)
    wanted = {category.lower() for category in scope.categories}
    for entry in microsoft.entries(scope.manager, path, access, "nextLink"):
        raw = msgspec.json.encode(entry)
        uid = None if pack is None else pack.listed_id(raw)
        if pack is not None and uid is not None and _category(entry).lower() in wanted:
            yield uid, pack.native_id(raw), entry


def _category(entry: dict[str, Any]) -> str:
    category = entry.get("category")
    if isinstance(category, dict):
        category = category.get("value")
    return category if isinstance(category, str) else ""


def _instant(milliseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return f"{at:%Y-%m-%dT%H:%M:%S}"
