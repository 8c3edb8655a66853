"""SQS events of S3 notifications, in the shape in which Lambda passes them to a function.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from collections import Counter
from hashlib import md5
from typing import Any
from urllib.parse import quote_plus
from uuid import NAMESPACE_URL, uuid5

import msgspec

_REGION = "us-east-1"
_QUEUE = f"arn:aws:sqs:{_REGION}:111111111111:nhi-evidence-aws-export"


class StoredObject(msgspec.Struct, frozen=True):
    """An object as S3 describes it when it was created."""

    bucket: str
    key: str
    version: str
    etag: str
    size: int


def notification(stored: StoredObject) -> str:
    """Return the body of S3's notification of one created object."""
    return msgspec.json.encode(
        {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "awsRegion": _REGION,
                    "eventTime": "2026-03-02T08:05:00.000Z",
                    "eventName": "ObjectCreated:Put",
                    "userIdentity": {"principalId": "AWS:AROAEXAMPLE:cloudtrail"},
                    "requestParameters": {"sourceIPAddress": "192.0.2.10"},
                    "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
                    "s3": {
                        "s3SchemaVersion": "1.0",
                        "configurationId": "nhi-evidence",
                        "bucket": {
                            "name": stored.bucket,
                            "ownerIdentity": {"principalId": "EXAMPLE"},
                            "arn": f"arn:aws:s3:::{stored.bucket}",
                        },
                        "object": {
                            "key": quote_plus(stored.key, safe="/"),
                            "size": stored.size,
                            "eTag": stored.etag,
                            "versionId": stored.version,
                            "sequencer": "0055AED6DCD90281E5",
                        },
                    },
                }
            ]
        }
    ).decode()


def event(bodies: list[str], *, receives: int = 1) -> dict[str, Any]:
    """Return the Lambda event of a batch of messages, each received `receives` times.

    A message's id is derived from its body; repeated bodies get different ids.
    """
    seen: Counter[str] = Counter()
    records = []
    for body in bodies:
        records.append(_message(body, f"{body}#{seen[body]}" if seen[body] else body, receives))
        seen[body] += 1
    return {"Records": records}


def _message(body: str, name: str, receives: int) -> dict[str, Any]:
    return {
        "messageId": str(uuid5(NAMESPACE_URL, name)),
        "receiptHandle": "MessageReceiptHandle",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": "1772438700000",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1772438700001",
        },
        "messageAttributes": {},
        "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": _QUEUE,
        "awsRegion": _REGION,
    }
