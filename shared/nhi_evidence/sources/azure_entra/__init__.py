"""Microsoft Entra's logs: audit, sign-ins of every kind, Microsoft Graph activity.

docs/sources/azure_entra.md
"""

from __future__ import annotations

from nhi_evidence.azure.files import decode
from nhi_evidence.azure.text import hour_of
from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.azure_entra.envelope import CATEGORIES
from nhi_evidence.sources.azure_entra.normalize import normalize

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

NAME = "azure_entra"
"""The source's name in evidence keys."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""

unwrap = decode
"""Local files have the same forms as deliveries."""
