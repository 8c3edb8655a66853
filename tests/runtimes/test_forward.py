"""The forwarder, under AWS's own runtime client, between two real buckets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems

LINES = "lines"
HOUR = "ev/v1/aws_cloudtrail/h=2026030208"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("forwarded"), sources=("aws_cloudtrail",)) as store:
        store.client(store.admin).create_bucket(Bucket=LINES)
        yield store


@pytest.fixture(scope="module")
def runtime(
    bucket: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaRuntime]:
    environment = {
        **bucket.environment(bucket.admin),
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_SUBSCRIBER_BUCKET": LINES,
        "NHI_EVIDENCE_SUBSCRIBER_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
    }
    log = tmp_path_factory.mktemp("runtime") / "function.log"
    folder = deployable.folder("forward")
    with LambdaRuntime(folder, "handler.handler", environment=environment, log=log) as running:
        yield running


Objects = dict[str, tuple[bytes, dict[str, str]]]
"""Body and user metadata by key."""


def lock(
    bucket: EmbeddedStore, key: str, body: bytes, metadata: dict[str, str] | None = None
) -> StoredObject:
    answer = bucket.client(bucket.admin).put_object(
        Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=body, Metadata=metadata or {}
    )
    etag = answer["ETag"].strip('"')
    return StoredObject(iam.EVIDENCE_BUCKET, key, answer["VersionId"], etag, len(body))


def forward(runtime: LambdaRuntime, *stored: StoredObject) -> list[str]:
    """Announce objects, one per message; return which messages fail."""
    messages = [sqs_messages.notification(one) for one in stored]
    answer: dict[str, Any] = runtime.invoke(sqs_messages.event(messages))
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def lines(bucket: EmbeddedStore) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of every object of the subscriber's bucket, by key."""
    client = bucket.client(bucket.admin)
    listed = client.list_objects_v2(Bucket=LINES).get("Contents", [])
    return {
        one["Key"]: [
            json.loads(line)
            for line in gzip.decompress(
                client.get_object(Bucket=LINES, Key=one["Key"])["Body"].read()
            ).splitlines()
        ]
        for one in listed
    }


@pytest.fixture(scope="module")
def files() -> list[Delivery]:
    return [Delivery(f"trail/{file.key}@v", file.body) for file in generate()]


@pytest.fixture(scope="module")
def objects(files: list[Delivery]) -> Objects:
    return locked(files)


def locked(files: list[Delivery]) -> Objects:
    store = MemoryStore()
    lock_batch(Mapper("aws_cloudtrail", keep_out_of_scope_raw=True), files, store).ensure_locked()
    return {key: (store.get(key), dict(store.first(key).metadata)) for key in store.keys("ev/")}


def test_new_evidence_becomes_lines_and_a_repeat_changes_nothing(
    bucket: EmbeddedStore, runtime: LambdaRuntime, objects: Objects
) -> None:
    """Lines are valid and name the announced version; another notification adds none."""
    before = lines(bucket)
    stored = [lock(bucket, key, *stored) for key, stored in objects.items()]
    assert [] == forward(runtime, *stored)
    forwarded = {key: rows for key, rows in lines(bucket).items() if key not in before}
    uris = {f"s3://{one.bucket}/{one.key}?versionId={one.version}" for one in stored}
    assert {
        line["nhi_evidence"]["object_uri"] for one in forwarded.values() for line in one
    } <= uris
    assert [] == [fault for one in forwarded.values() for line in one for fault in problems(line)]
    assert sum(map(len, forwarded.values())) > 20
    assert [] == forward(runtime, *stored)
    assert before | forwarded == lines(bucket)


def test_invalid_evidence_is_neither_forwarded_nor_retried(
    bucket: EmbeddedStore, runtime: LambdaRuntime, objects: Objects
) -> None:
    """Another version of a key with other bytes, and an invalid body, are acknowledged."""
    before = lines(bucket)
    other = frame.pack([b"{}"])[0]
    shadow = lock(bucket, f"{HOUR}/{'ab' * 32}.ndjson.zst", other)
    hollow = lock(bucket, f"{HOUR}/{sha256(other).hexdigest()}.ndjson.zst", other)
    key, (body, metadata) = next(iter(objects.items()))
    contradicted = lock(bucket, key, body, {**metadata, "kept": "9999"})
    assert [] == forward(runtime, shadow, hollow, contradicted)
    assert before == lines(bucket)


def test_an_object_that_must_not_be_read_fails_alone(
    bucket: EmbeddedStore, runtime: LambdaRuntime, files: list[Delivery]
) -> None:
    """Another bucket, a statement and a missing object each fail; the valid one does not."""
    key, stored = next(iter(locked(files[:1]).items()))
    good = lock(bucket, key, *stored)
    elsewhere = StoredObject("bucket-of-somebody-else", key, good.version, good.etag, good.size)
    statement = StoredObject(
        iam.EVIDENCE_BUCKET, f"op/v1/recon/h=2026030208/{'0' * 64}", good.version, good.etag, 1
    )
    gone = StoredObject(iam.EVIDENCE_BUCKET, f"{HOUR}/{'cd' * 32}.ndjson.zst", "v", "e", 1)
    failed = forward(runtime, elsewhere, good, statement, gone)
    assert 3 == len(failed)
    assert [] == forward(runtime, good)
