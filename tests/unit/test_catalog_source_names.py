"""Names in the tables of file sources are the providers' own, or are labeled otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from nhi_evidence.catalog.table import ANY, read
from nhi_evidence.sources import table
from tests.atlas import exports
from tests.atlas.classify import rows

GENERIC = "generic"
"""The first version of Vault's key-value store, which the reference calls `kv`."""


def github(row: Any) -> set[str]:
    """Events of the audit log's reference."""
    return {listed["action"] for listed in rows("github_actions.csv")}


def okta(row: Any) -> set[str]:
    """Event types of the System Log's reference."""
    return set(exports.okta_event_types())


def vault(row: Any) -> set[str]:
    """Operations on mounts of the row's type, with a name for every placeholder.

    An update of something that does not exist is recorded as `create`.
    """
    service = "kv" if row.service == GENERIC else row.service
    listed = {
        re.sub(r"\{[^}]+\}", "x", operation)
        for mount, operation in exports.vault_operations()
        if service in (ANY, mount)
    }
    written = {name for name in listed if name.startswith("update ")}
    return listed | {name.replace("update", "create", 1) for name in written}


def kubernetes(row: Any) -> set[str]:
    """Operations on resources of the row's API group."""
    return {
        operation for group, operation in exports.kubernetes_operations() if group == row.service
    }


def api_gateway(row: Any) -> set[str]:
    """Methods and special routes."""
    return {listed["route"] for listed in rows("api_gateway_routes.csv")}


LISTS: dict[str, Callable[[Any], set[str]]] = {
    "github_audit": github,
    "okta_system": okta,
    "vault_audit": vault,
    "k8s_audit": kubernetes,
    "aws_api_gateway": api_gateway,
}
ROUTES = ("github_audit", "api")
"""GitHub's reference does not list request routes, so these names are not certain."""


@pytest.mark.parametrize("pack", LISTS)
def test_a_name_missing_from_the_list_is_not_high_confidence(pack: str) -> None:
    """A row has high confidence exactly if the provider's list has its name."""
    wrong = {}
    parsed = read(table(pack, "catalog.json"), None, name=pack)[0]
    for row in parsed.rows:
        is_listed = (pack, row.service) != ROUTES and any(
            _names(row, listed) for listed in LISTS[pack](row)
        )
        if is_listed != (row.confidence == "high"):
            wrong[f"{row.service}:{row.operation}"] = row.confidence
    assert len(parsed.rows) > len(LISTS)
    assert {} == wrong


def _names(row: Any, listed: str) -> bool:
    if row.match == "prefix":
        return listed.startswith(row.operation)
    if row.match == "pattern":
        return re.fullmatch(row.operation, listed) is not None
    return bool(row.operation == listed)
