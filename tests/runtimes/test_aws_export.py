"""The Lambda function under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.evidence import batch, frame

ACCEPTED = [
    {
        "bucket": iam.TRAIL_BUCKET,
        "owner": iam.WORKLOAD_ACCOUNT,
        "prefix": "AWSLogs/",
        "accounts": ["111122223333", "444455556666"],
    }
]


def settings(store: EmbeddedStore, **changes: str) -> dict[str, str]:
    return {
        **store.environment(store.exporter),
        "NHI_EVIDENCE_SOURCE": "aws_cloudtrail",
        "NHI_EVIDENCE_SOURCE_BUCKETS": json.dumps(ACCEPTED),
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role("aws_cloudtrail"),
        **changes,
    }


@pytest.fixture(scope="module")
def runtime(
    store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaRuntime]:
    log = tmp_path_factory.mktemp("runtime") / "function.log"
    with LambdaRuntime(
        deployable.folder("aws_export"), "handler.handler", environment=settings(store), log=log
    ) as running:
        yield running


def upload(store: EmbeddedStore, key: str, body: bytes) -> StoredObject:
    answer = store.client(store.admin).put_object(Bucket=iam.TRAIL_BUCKET, Key=key, Body=body)
    version, etag = answer["VersionId"], answer["ETag"].strip('"')
    return StoredObject(iam.TRAIL_BUCKET, key, version, etag, len(body))


def sns(message: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "1", "Message": message})


def event_bridge(stored: StoredObject) -> str:
    return json.dumps(
        {
            "version": "0",
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": stored.bucket},
                "object": {"key": stored.key, "version-id": stored.version},
            },
        }
    )


def failed(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def evidence(store: EmbeddedStore, unit: str) -> list[batch.Header]:
    client = store.client(store.admin)
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=iam.EVIDENCE_BUCKET, Prefix="ev/v1/aws_cloudtrail/"
    )
    bodies = [
        client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=one["Key"])["Body"].read()
        for page in pages
        for one in page.get("Contents", [])
        if unit in one["Key"]
    ]
    return [
        msgspec.json.decode(frame.unpack(body, limit=1 << 30)[0], type=batch.Header)
        for body in bodies
    ]


FOLDER = "AWSLogs/o-exampleorg1/111122223333/CloudTrail/us-east-1/2026/03/02"


def test_a_partly_failing_batch_fails_exactly_its_bad_messages(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """Each message stands for itself: locked ones succeed, every other one is delivered again."""
    file = generate()[2].body
    good = [upload(store, f"{FOLDER}/good {n}+ü.json.gz", file) for n in range(4)]
    broken = upload(store, f"{FOLDER}/broken.json.gz", b"\x1f\x8bnot gzip")
    gone = StoredObject(iam.TRAIL_BUCKET, f"{FOLDER}/gone.json.gz", "", "0" * 32, 1)
    note = sqs_messages.notification
    fine = [
        note(good[0]),
        sns(note(good[1])),
        event_bridge(good[2]),
        note(broken),
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": iam.TRAIL_BUCKET}),
    ]
    bad = [
        note(gone),
        note(StoredObject("another-bucket", f"{FOLDER}/x.json.gz", "", "0" * 32, 1)),
        note(upload(store, "elsewhere/x.json.gz", file)),
        note(upload(store, FOLDER.replace("111122223333", "999999999999") + "/x.json.gz", file)),
        "not json",
        json.dumps({"Records": []}),
        json.dumps({"Records": [{"eventName": "ObjectRemoved:Delete"}]}),
    ]
    event = sqs_messages.event([*bad[:3], *fine, *bad[3:]])
    expected = {one["messageId"] for one in sqs_messages.event(bad)["Records"]}
    answer = runtime.invoke(event)
    assert expected == set(failed(answer))
    assert len(expected) == len(failed(answer))
    for n in range(3):
        (header,) = evidence(store, f"/good%20{n}+%C3%BC.json.gz@{good[n].version}/")
        assert header.n == header.kept + header.rejected + sum(header.out_of_scope.values())
    (header,) = evidence(store, f"/broken.json.gz@{broken.version}/")
    assert header.rejection is not None
    assert header.rejection.reason in {"damaged_gzip", "truncated_gzip"}


def test_several_objects_in_one_message(store: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """A message of two objects is done when both are locked, and fails when one is not."""
    file = generate()[3].body
    first = upload(store, f"{FOLDER}/first.json.gz", file)
    gone = StoredObject(iam.TRAIL_BUCKET, f"{FOLDER}/gone2.json.gz", "", "0" * 32, 1)
    records = [json.loads(sqs_messages.notification(one))["Records"][0] for one in (first, gone)]
    answer = runtime.invoke(sqs_messages.event([json.dumps({"Records": records})]))
    assert len(failed(answer)) == 1
    second = upload(store, f"{FOLDER}/second.json.gz", file)
    records = [json.loads(sqs_messages.notification(one))["Records"][0] for one in (first, second)]
    answer = runtime.invoke(sqs_messages.event([json.dumps({"Records": records})]))
    assert [] == failed(answer)
    assert len(evidence(store, "/first.json.gz@")) == len(evidence(store, "/second.json.gz@")) == 1


def test_a_batch_that_fails_wholly_is_still_an_answer(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """When every message fails, every id is answered; the invocation itself does not fail."""
    answer = runtime.invoke(sqs_messages.event(["one", "two"]))
    assert len(failed(answer)) == 2


def test_a_failure_is_logged_with_its_reason(store: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """What keeps a message from being locked reaches the log and a metric."""
    runtime.invoke(
        sqs_messages.event(
            [sqs_messages.notification(StoredObject("forged-bucket", "AWSLogs/x", "", "0" * 32, 1))]
        )
    )
    log = runtime.logs()
    assert "forged-bucket/AWSLogs/x: bucket is not a configured source" in log
    assert '"RefusedMessages"' in log


def test_the_unavailable_store_is_never_a_success(store: EmbeddedStore, tmp_path: Path) -> None:
    """A writer role that may not be assumed fails the message; nothing is acknowledged."""
    file = upload(store, f"{FOLDER}/third.json.gz", generate()[4].body)
    environment = settings(store, NHI_EVIDENCE_WRITER_ROLE_ARN=iam.AUDITOR_ROLE)
    with LambdaRuntime(
        deployable.folder("aws_export"),
        "handler.handler",
        environment=environment,
        log=tmp_path / "log",
    ) as other:
        answer = other.invoke(sqs_messages.event([sqs_messages.notification(file)]))
    assert len(failed(answer)) == 1
    assert [] == evidence(store, "/third.json.gz@")


def test_missing_settings_are_named(store: EmbeddedStore, tmp_path: Path) -> None:
    """Every setting that is missing or wrong is named at once, and nothing is acknowledged."""
    environment = settings(store, NHI_EVIDENCE_SCOPE="some", NHI_EVIDENCE_BUCKET="")
    with LambdaRuntime(
        deployable.folder("aws_export"),
        "handler.handler",
        environment=environment,
        log=tmp_path / "log",
    ) as other:
        answer = other.invoke(sqs_messages.event(["{}"]))
        log = other.logs()
    assert len(failed(answer)) == 1
    assert "NHI_EVIDENCE_BUCKET is not set" in log
    assert "NHI_EVIDENCE_SCOPE" in log


def test_an_event_that_is_no_batch_fails_the_invocation(runtime: LambdaRuntime) -> None:
    """What is not an SQS batch has no items to answer; the platform must see the error."""
    with pytest.raises(InvocationError):
        runtime.invoke({"hello": "world"})
