"""CloudTrail's public keys, which each region publishes for its digest files.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters.aws.session import CLIENT_CONFIG
from nhi_evidence.errors import SourceUnavailableError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def listed(region: str, begins: int, ends: int) -> bytes:
    """Return a region's keys that signed in a span of time, as the AWS CLI prints them.

    The same keys give the same bytes. Raises `SourceUnavailableError` when the region does not
    answer: it may not be enabled in this account.
    """
    by_fingerprint: dict[str, dict[str, str]] = {}
    try:
        client = boto3.session.Session().client(
            "cloudtrail", region_name=region, config=CLIENT_CONFIG
        )
        pages = client.get_paginator("list_public_keys").paginate(
            StartTime=_instant(begins), EndTime=_instant(ends)
        )
        for page in pages:
            for key in page["PublicKeyList"]:
                value = b64encode(key["Value"]).decode()
                by_fingerprint[key["Fingerprint"]] = {
                    "Fingerprint": key["Fingerprint"],
                    "Value": value,
                }
    except (BotoCoreError, ClientError) as error:
        raise SourceUnavailableError(f"public keys of {region}: {error}") from error
    keys = [by_fingerprint[fingerprint] for fingerprint in sorted(by_fingerprint)]
    return msgspec.json.encode({"PublicKeyList": keys})


def _instant(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
