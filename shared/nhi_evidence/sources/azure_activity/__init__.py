"""Azure Activity Log: what was done to resources through Resource Manager.

docs/sources/azure_activity.md
"""

from __future__ import annotations

from nhi_evidence.azure.text import hour_of
from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.azure_activity.decode import decode, unwrap
from nhi_evidence.sources.azure_activity.listed import listed_id, native_id
from nhi_evidence.sources.azure_activity.normalize import normalize

__all__ = [
    "LISTS_OUT_OF_SCOPE_IDS",
    "NAME",
    "TABLES",
    "decode",
    "hour_of",
    "kind_of",
    "listed_id",
    "native_id",
    "normalize",
    "unwrap",
]

NAME = "azure_activity"
"""The source's name in evidence keys."""

LISTS_OUT_OF_SCOPE_IDS = True
"""Azure provides no digests, so completeness is checked by event id."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""
