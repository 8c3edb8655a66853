"""Reading Azure and Entra settings for coverage: diagnostic settings, categories, licenses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from nhi_evidence.adapters.rest_reader import RestReader
from nhi_evidence.coverage.answers import Deployment, Reading
from nhi_evidence.coverage.azure import estate, settings
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.gathering import gathered

MANAGEMENT, GRAPH = "management.azure.com", "graph.microsoft.com"
HOSTS = (MANAGEMENT, GRAPH)
_DIAGNOSTICS = "api-version=2021-05-01-preview"
_TENANT = "/providers/microsoft.aadiam"


def read_settings(
    reader: RestReader, *, at: int, deployment: Deployment, identities: Sequence[str] = ()
) -> Reading:
    """Read everything that Azure and Entra cells depend on.

    `at` is the time of the reading, milliseconds since the epoch. `identities` are object ids of
    service principals whose state is also read.
    """

    def walk() -> None:
        for object_id in identities:
            _identity(reader, object_id)
        _walk(reader)

    return gathered("azure", walk, reader.answers, at=at, deployment=deployment)


def _identity(reader: RestReader, object_id: str) -> None:
    """Ask for a service principal, and for its application, which is absent in other tenants."""
    chosen = "$select=id,appId,displayName,passwordCredentials,keyCredentials"
    principal = reader.ask(
        "graph:servicePrincipals",
        object_id,
        f"https://{GRAPH}/v1.0/servicePrincipals/{quote(object_id)}?{chosen},accountEnabled",
    )
    app = (principal or {}).get("appId")
    if app:
        url = f"https://{GRAPH}/v1.0/applications(appId='{quote(str(app))}')?{chosen}"
        reader.ask("graph:applications", object_id, url)


def _walk(reader: RestReader) -> None:
    listed = _list(reader, estate.SUBSCRIPTIONS, "tenant", "/subscriptions?api-version=2022-12-01")
    subscriptions = [str(one["subscriptionId"]) for one in listed]
    groups = _list(
        reader,
        "Microsoft.Management/managementGroups",
        "tenant",
        "/providers/Microsoft.Management/managementGroups?api-version=2020-05-01",
    )
    for group in groups:
        scope = f"/providers/Microsoft.Management/managementGroups/{group['name']}"
        _list(reader, estate.DESCENDANTS, scope, f"{scope}/descendants?api-version=2020-05-01")
        _settings(reader, scope)
    for subscription in subscriptions:
        _settings(reader, f"/subscriptions/{subscription}")
    _list(
        reader, settings.SETTINGS, _TENANT, f"{_TENANT}/diagnosticSettings?api-version=2017-04-01"
    )
    reader.ask(estate.LICENSES, "tenant", f"https://{GRAPH}/v1.0/subscribedSkus")
    if subscriptions:
        _resources(reader, subscriptions)


def _wanted() -> dict[str, tuple[str, ...]]:
    """Return the types cells ask about, in lower case, with child types that have settings."""
    wanted: dict[str, tuple[str, ...]] = {}
    for cell in cells():
        if "type" in cell.params and "categories" in cell.params:
            children = tuple(cell.params.get("children", ()))
            wanted[str(cell.params["type"]).lower()] = children
    return wanted


def _resources(reader: RestReader, subscriptions: list[str]) -> None:
    wanted = _wanted()
    types = ", ".join(f"'{type_}'" for type_ in wanted)
    answer = reader.ask(
        estate.RESOURCES,
        "tenant",
        f"https://{MANAGEMENT}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
        body={
            "subscriptions": subscriptions,
            "query": f"Resources | where type in~ ({types}) | project id, type",
            "options": {"resultFormat": "objectArray", "$top": _MOST_RESOURCES},
        },
    )
    resources = (answer or {}).get("data", ())
    if (answer or {}).get("resultTruncated") == "true" or len(resources) >= _MOST_RESOURCES:
        # There are more than fit in one answer, so it cannot be said that all have a setting.
        last = reader.answers.pop()
        reader.answers.append(
            msgspec.structs.replace(last, status="failed", error="more than one page", answer=None)
        )
    for resource in resources:
        children = wanted.get(str(resource["type"]).lower(), ())
        for scope in [f"{resource['id']}/{child}" for child in children] or [str(resource["id"])]:
            _settings(reader, scope)
            _list(
                reader,
                settings.CATEGORIES,
                scope,
                f"{scope}/providers/Microsoft.Insights/diagnosticSettingsCategories?{_DIAGNOSTICS}",
            )


_MOST_RESOURCES = 1000


def _settings(reader: RestReader, scope: str) -> None:
    path = f"{scope}/providers/Microsoft.Insights/diagnosticSettings?{_DIAGNOSTICS}"
    _list(reader, settings.SETTINGS, scope, path)


def _list(reader: RestReader, call: str, scope: str, path: str) -> list[Any]:
    where, _, query = path.partition("?")
    answer = reader.ask(
        call,
        scope,
        f"https://{MANAGEMENT}{quote(where)}?{query}",
        items="value",
        next_page="nextLink",
    )
    return list((answer or {}).get("value", ()))
