"""AWS CloudTrail, delivered as S3 files (docs/sources/aws_cloudtrail.md)."""

from __future__ import annotations

import re

from nhi_evidence.event import Kind
from nhi_evidence.sources.aws_cloudtrail.decode import decode
from nhi_evidence.sources.aws_cloudtrail.digest import delivered_record, signature, statement
from nhi_evidence.sources.aws_cloudtrail.digest_chain import listed_before, scope_of, signed_list
from nhi_evidence.sources.aws_cloudtrail.envelopes import unwrap
from nhi_evidence.sources.aws_cloudtrail.normalize import normalize

__all__ = [
    "LISTS_OUT_OF_SCOPE_IDS",
    "NAME",
    "TABLES",
    "decode",
    "delivered_record",
    "hour_of",
    "kind_of",
    "listed_before",
    "normalize",
    "scope_of",
    "signature",
    "signed_list",
    "statement",
    "unwrap",
]

NAME = "aws_cloudtrail"
"""The source's name in evidence keys."""

LISTS_OUT_OF_SCOPE_IDS = False
"""Digests name whole files, so completeness is not checked by record."""

TABLES = ("catalog.json", "access_levels.json")
"""Data files of this pack that decide output; they are part of the mapper digest."""

_FILE_TIME = re.compile(r"_(\d{8})T(\d\d)\d{2}(?:\d{2})?Z[_.]")


_DIGEST_FOLDER = "/CloudTrail-Digest/"


def kind_of(object_key: str) -> Kind:
    """Return COMPANION for digest files, whose signature covers their exact bytes, else RECORDS.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    return Kind.COMPANION if _DIGEST_FOLDER in f"/{object_key}" else Kind.RECORDS


def hour_of(object_key: str) -> str | None:
    """Return the UTC hour `YYYYMMDDHH` in a CloudTrail file name, or None.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
    """
    match = _FILE_TIME.search(object_key.rpartition("/")[2])
    return match[1] + match[2] if match else None
