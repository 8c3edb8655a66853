"""The evidence bucket behind a client that fails as a test says."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore


def key_of(request: pytest.FixtureRequest, body: bytes) -> str:
    test = sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return f"ev/v1/aws_cloudtrail/h=unknown/{test}/{sha256(body).hexdigest()}.ndjson.zst"


class FaultyClient:
    """The real client, with faults before or after chosen calls."""

    def __init__(self, client: Any, faults: list[Any]) -> None:
        self._client = client
        self._faults = faults

    def put_object(self, **arguments: Any) -> Any:
        fault = self._faults.pop(0) if self._faults else None
        if fault is None:
            return self._client.put_object(**arguments)
        when, error = fault
        if when == "after":
            self._client.put_object(**arguments)
        raise error


def error(status: int, code: str) -> ClientError:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")


TIMEOUT = EndpointConnectionError(endpoint_url="https://s3.example")


CONFLICT = error(409, "ConditionalRequestConflict")


UNAVAILABLE = error(503, "SlowDown")


def faulty(store: EmbeddedStore, faults: list[Any]) -> S3EvidenceWriter:
    client = store.client(store.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    wrapped: Any = FaultyClient(client, faults)
    return S3EvidenceWriter(wrapped, iam.EVIDENCE_BUCKET)
