"""Azure Monitor's logs over one Event Hub: records of many categories, each read by its own pack.

The table `routes.json` says which pack reads a category. A record whose category has no row is
rejected and kept raw, with the category in its reason; nothing is guessed from its looks.
"""

from __future__ import annotations

from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.azure_monitor.category import category
from nhi_evidence.sources.azure_monitor.decode import decode, unwrap

__all__ = ["LISTS_OUT_OF_SCOPE_IDS", "NAME", "category", "decode", "hour_of", "kind_of", "unwrap"]

NAME = "azure_monitor"
"""The source's name in evidence keys."""

LISTS_OUT_OF_SCOPE_IDS = True
"""Diagnostic settings can lose records before the hub, so completeness is checked by event id."""


def hour_of(object_key: str) -> str | None:  # noqa: ARG001 nothing is delivered as a file
    """Return None: no file name states an hour; a run states when its first message was queued."""
    return None
