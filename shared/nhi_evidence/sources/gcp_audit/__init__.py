"""Google Cloud audit logs, delivered as files of JSON lines (docs/sources/gcp_audit.md)."""

from __future__ import annotations

import re

from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.gcp_audit.decode import decode
from nhi_evidence.sources.gcp_audit.envelopes import unwrap
from nhi_evidence.sources.gcp_audit.normalize import normalize

__all__ = [
    "LISTS_OUT_OF_SCOPE_IDS",
    "NAME",
    "TABLES",
    "decode",
    "hour_of",
    "kind_of",
    "normalize",
    "unwrap",
]

NAME = "gcp_audit"
"""The source's name in evidence keys."""

LISTS_OUT_OF_SCOPE_IDS = True
"""Entries are listed again to see if any is missing, so ids out of scope must be known."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""

_SINK_FILE = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d):00:00_\d\d:59:59_[A-Z]+\d+\.json")


def hour_of(object_key: str) -> str | None:
    """Return the UTC hour `YYYYMMDDHH` in the name of a log sink's own file, or None.

    A Pub/Sub subscription names files after the time they were written, which says nothing about
    when the entries occurred. https://cloud.google.com/logging/docs/export/storage
    """
    match = _SINK_FILE.search(object_key)
    return "".join(match.groups()) if match else None
