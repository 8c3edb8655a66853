"""Azure resource logs: Key Vault, Storage, Kubernetes audit of AKS.

docs/sources/azure_resource.md
"""

from __future__ import annotations

from nhi_evidence.azure.files import decode
from nhi_evidence.azure.text import hour_of
from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.azure_resource.envelope import CATEGORIES
from nhi_evidence.sources.azure_resource.normalize import normalize

__all__ = [
    "CATEGORIES",
    "LISTS_OUT_OF_SCOPE_IDS",
    "NAME",
    "TABLES",
    "decode",
    "hour_of",
    "kind_of",
    "normalize",
    "unwrap",
]

LISTS_OUT_OF_SCOPE_IDS = True
"""Diagnostic settings can lose records before the hub, so completeness is checked by event id."""

NAME = "azure_resource"
"""The source's name in evidence keys."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""

unwrap = decode
"""Local files have the same forms as deliveries."""
