"""Google Cloud: methods of the discovery documents that take a Cloud Platform token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from nhi_evidence import sources
from nhi_evidence.catalog.atlas import Entry, Known, Log
from nhi_evidence.catalog.words import singular
from tests.atlas.classify import entry, rows

PACK = "gcp_audit"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Methods that take it belong to Google Cloud; the others to Workspace, YouTube, Ads, ..."""

READS = ("get", "list", "search", "aggregatedList", "lookup", "query")
"""Methods that only read are Data Access by Google's definition: configuration or user data.

https://cloud.google.com/logging/docs/audit#data-access
"""


def entries() -> list[Entry]:
    """Every method of every version of a service, once."""
    needs = {row["method"]: row["permissions"] for row in rows("gcp_permissions.csv")}
    logs = {(row["service"], row["operation"]): row["log"] for row in rows("gcp_log_classes.csv")}
    every = []
    for service, method in sorted(_methods()):
        recorded_as = _recorded_as(service, method)
        log, known = _log(method, logs.get((service, recorded_as or method)))
        facts = {"recorded_as": recorded_as, "permissions": needs.get(method, "")}
        every.append(entry(PACK, service, method, log=log, log_known=known, **facts))
    return every


def _log(method: str, documented: str | None) -> tuple[str, str]:
    if documented:
        return documented, "documented"
    if method.rpartition(".")[2] in READS:
        return Log.DATA.value, Known.VERB.value
    return Log.UNKNOWN.value, ""


def _methods() -> set[tuple[str, str]]:
    documents = resources.files("googleapiclient") / "discovery_cache" / "documents"
    methods = set()
    for file in documents.iterdir():
        document: dict[str, Any] = json.loads(file.read_text())
        service = urlsplit(document.get("rootUrl", "")).hostname
        for method in _walk(document):
            if service and SCOPE in method.get("scopes", ()):
                methods.add((service, method["id"]))
    return methods


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from node.get("methods", {}).values()
    for inner in node.get("resources", {}).values():
        yield from _walk(inner)


@cache
def _row_names(service: str) -> dict[str, str]:
    """Last part of a row's name, in lower case, to the name; the rows of one service."""
    table = json.loads(sources.table(PACK, "catalog.json"))
    names = [
        row["operation"]
        for row in table["rows"]
        if row["service"] == service and row.get("match", "exact") == "exact"
    ]
    return {name.rpartition(".")[2].lower(): name for name in names}


def _recorded_as(service: str, method: str) -> str:
    """Return the row's name of a method that is called otherwise in the API and in the log.

    `iam.projects.serviceAccounts.keys.create` is recorded as `...CreateServiceAccountKey`.
    """
    *parents, verb = method.split(".")
    kind, above = parents[-1], parents[-2] if len(parents) > 1 else ""
    for noun in (
        singular(above) + singular(kind),
        singular(above) + kind,
        singular(kind),
        kind,
        "",
    ):
        known = _row_names(service).get(f"{verb}{noun}".lower())
        if known:
            return known
    return ""
