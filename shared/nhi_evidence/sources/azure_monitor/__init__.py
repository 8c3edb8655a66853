"""Azure Monitor's logs over one Event Hub: records of many categories, each to its own pack.

The table `routes.json` says which pack a category belongs to. A category without a row is kept
raw, with its name as the reason; nothing is guessed from the look of a record.
"""

from __future__ import annotations

from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.azure_monitor.category import category
from nhi_evidence.sources.azure_monitor.decode import decode, unwrap

__all__ = ["LISTS_OUT_OF_SCOPE_IDS", "NAME", "category", "decode", "hour_of", "kind_of", "unwrap"]

NAME = "azure_monitor"
"""The source's name in evidence keys."""

LISTS_OUT_OF_SCOPE_IDS = True
"""Diagnostic settings can drop records before the hub: completeness is asked by event id."""


def hour_of(object_key: str) -> str | None:  # noqa: ARG001 nothing is delivered as a file
    """No file name states an hour: a run states when its first message was enqueued."""
    return None
