"""GitHub's enterprise audit log, streamed as files to S3 (docs/sources/github_audit.md)."""

from __future__ import annotations

import re

from nhi_evidence.reading import hours
from nhi_evidence.reading.json_files import decode
from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.github_audit.normalize import normalize

__all__ = [
    "LISTS_OUT_OF_SCOPE_IDS",
    "NAME",
    "PLATFORMS",
    "TABLES",
    "decode",
    "hour_of",
    "kind_of",
    "normalize",
    "unwrap",
]

NAME = "github_audit"
"""The source's name in evidence keys."""

PLATFORMS = ("github",)
"""The coverage platforms of this log."""

LISTS_OUT_OF_SCOPE_IDS = False
"""Completeness is not checked record by record."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""

_STREAMED = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/\d\d/[^/]+\.json(?:\.log)?(?:\.gz)?$")

unwrap = decode
"""Local files have the same forms as deliveries."""


def hour_of(object_key: str) -> str | None:
    """Return the UTC hour `YYYYMMDDHH` in the name of a streamed file, or None.

    https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/streaming-the-audit-log-for-your-enterprise
    """
    match = _STREAMED.search(object_key)
    return hours.of_parts(*match.groups()) if match else None
