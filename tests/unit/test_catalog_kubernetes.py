"""The same Kubernetes call means the same in every provider's cluster."""

from __future__ import annotations

import json
from typing import Any

from nhi_evidence import sources

GROUPS = ("apps", "batch", "core")
"""API groups whose names do not end in `.k8s.io`."""


def rows(pack: str) -> list[dict[str, Any]]:
    """A pack's rows."""
    parsed: list[dict[str, Any]] = json.loads(sources.table(pack, "catalog.json"))["rows"]
    return parsed


def meaning(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a row says of a call."""
    return row["phase"], row.get("sub_phase"), row["class"], row["activity"]


def test_gke_and_aks_read_a_call_alike() -> None:
    """`create pods/exec` of AKS is `pods.exec.create` of GKE, and each has the other's row."""
    gke = {
        row["operation"].removeprefix("."): meaning(row)
        for row in rows("gcp_audit")
        if row["service"] == "k8s.io"
    }
    aks = {}
    for row in rows("azure_resource"):
        if row["service"] in GROUPS or row["service"].endswith(".k8s.io"):
            verb, _, resource = row["operation"].partition(" ")
            aks[f"{resource.replace('/', '.')}.{verb}"] = meaning(row)
    assert gke == aks
