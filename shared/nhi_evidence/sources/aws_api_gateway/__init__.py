"""Access logs of Amazon API Gateway, as files (docs/sources/aws_api_gateway.md)."""

from __future__ import annotations

import re

from nhi_evidence.reading import hours
from nhi_evidence.reading.json_files import decode
from nhi_evidence.reading.records_only import kind_of
from nhi_evidence.sources.aws_api_gateway.normalize import normalize

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

NAME = "aws_api_gateway"
"""The source's name in evidence keys."""

PLATFORMS = ("aws_gateway",)
"""The coverage platforms of this log."""

LISTS_OUT_OF_SCOPE_IDS = False
"""Completeness is not checked record by record."""

TABLES = ("catalog.json",)
"""Data files of this pack that decide output; they are part of the mapper digest."""

_FIREHOSE = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")

unwrap = decode
"""Local files have the same forms as deliveries."""


def hour_of(object_key: str) -> str | None:
    """Return the UTC hour `YYYYMMDDHH` in the key of a file delivered by Firehose, or None.

    https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
    """
    match = _FIREHOSE.search(object_key)
    return hours.of_parts(*match.groups()) if match else None
