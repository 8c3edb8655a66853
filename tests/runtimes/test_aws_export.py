"""The Lambda function under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.embedded.sqs_messages import StoredObject
from nhi_evidence.evidence.lines import UnitLine
from tests.runtimes import evidence

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
        "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
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


def tables(store: EmbeddedStore) -> dict[str, tuple[UnitLine, ...]]:
    """Return the unit lines of every evidence object, by key."""
    return {
        key: tuple(unit for unit, _ in units)
        for key, units in evidence.stored(store, "aws_cloudtrail").items()
    }


def units_of(store: EmbeddedStore, stored: StoredObject) -> list[UnitLine]:
    """Return every unit line of a stored file."""
    named = evidence.named(store, "aws_cloudtrail", unit_of(stored))
    return [unit for unit, _ in named]


def unit_of(stored: StoredObject) -> str:
    return f"{stored.bucket}/{stored.key}@{stored.version}"


FOLDER = "AWSLogs/o-exampleorg1/111122223333/CloudTrail/us-east-1/2026/03/02"


def test_a_partly_failing_batch_fails_exactly_its_bad_messages(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """Each message is answered separately: locked ones succeed, all others are redelivered."""
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
        (unit,) = units_of(store, good[n])
        assert unit.records == unit.kept + unit.rejected + sum(unit.out_of_scope.values())
    (unit,) = units_of(store, broken)
    assert unit.rejection is not None
    assert unit.rejection.reason in {"damaged_gzip", "truncated_gzip"}
    (key,) = (key for key, units in tables(store).items() if unit in units)
    assert 4 == len(tables(store)[key])
    assert f'"key":"{key}"' in runtime.logs()


def test_a_unit_announced_twice_is_stored_once(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """Both messages are answered; in another batch, the unit still counts once."""
    file = upload(store, f"{FOLDER}/twice.json.gz", generate()[6].body)
    note = sqs_messages.notification(file)
    assert [] == failed(runtime.invoke(sqs_messages.event([note, note, event_bridge(file)])))
    assert 1 == len(units_of(store, file))


def test_without_an_hour_in_the_name_the_hour_is_that_of_storing(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """The evidence key has the hour at the end of the unit's name; a repeat is the same."""
    file = upload(store, f"{FOLDER}/no hour in its name.json", b'{"Records":[]}')
    for _ in range(2):
        assert [] == failed(runtime.invoke(sqs_messages.event([sqs_messages.notification(file)])))
    (key,) = (key for key, units in tables(store).items() if unit_of(file) in str(units))
    (unit,) = tables(store)[key]
    modified = store.client(store.admin).head_object(
        Bucket=file.bucket, Key=file.key, VersionId=file.version
    )["LastModified"]
    hour = f"{modified:%Y%m%d%H}"
    assert f"{unit_of(file)}!h={hour}" == unit.unit
    assert f"/h={hour}/" in key
    assert iam.WORKLOAD_ACCOUNT == unit.source_metadata["owner"]


@pytest.mark.slow
def test_from_its_third_receive_a_unit_has_an_object_of_its_own(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """Three are processed alone, in turn; the rest of the batch is a backlog, and grouped.

    Messages that cannot be deleted before the answer, as here without a queue, are in it.
    """
    name = "20260302T0815Z_alone"
    files = [
        upload(store, f"{FOLDER}/111122223333_CloudTrail_us-east-1_{name}{n}.json.gz", body)
        for n, body in enumerate([generate()[7].body] * 9)
    ]
    notes = [sqs_messages.notification(file) for file in files]
    assert [] == failed(runtime.invoke(sqs_messages.event(notes, receives=3)))
    sizes = [len(units) for units in tables(store).values() if name in units[0].unit]
    assert [1, 1, 1, 2, 4] == sorted(sizes)
    assert "messages not deleted ahead of the answer" in runtime.logs()


def test_units_not_reached_in_time_are_redelivered(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """Before the platform would end it, the function reports what it has not done."""
    file = upload(store, f"{FOLDER}/late.json.gz", generate()[8].body)
    event = sqs_messages.event([sqs_messages.notification(file)])
    assert 1 == len(failed(runtime.invoke(event, seconds=0)))
    assert [] == units_of(store, file)
    assert [] == failed(runtime.invoke(event))
    assert 1 == len(units_of(store, file))


def test_several_objects_in_one_message(store: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """A message with two objects is done when both are locked, and fails if one is not."""
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
    assert 1 == len(units_of(store, second))
    # The first already came in another batch, with the same lines: counting takes it once.
    alone, together = units_of(store, first)
    assert alone == together


def test_an_entirely_failed_batch_is_still_answered(
    store: EmbeddedStore, runtime: LambdaRuntime
) -> None:
    """If every message fails, every id is in the answer; the invocation itself does not fail."""
    answer = runtime.invoke(sqs_messages.event(["one", "two"]))
    assert len(failed(answer)) == 2


def test_a_failure_is_logged_with_its_reason(store: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """The reason a message is not locked is in the log and in a metric."""
    runtime.invoke(
        sqs_messages.event(
            [sqs_messages.notification(StoredObject("forged-bucket", "AWSLogs/x", "", "0" * 32, 1))]
        )
    )
    log = runtime.logs()
    assert "forged-bucket/AWSLogs/x: bucket is not a configured source" in log
    assert '"RefusedMessages"' in log


def emitted(runtime: LambdaRuntime, event: Any, **more: float) -> dict[str, float]:
    """Invoke; return the metrics of that run, in CloudWatch's embedded metric format."""
    before = len(runtime.logs())
    runtime.invoke(event, **more)
    lines = [line for line in runtime.logs()[before:].splitlines() if '"CloudWatchMetrics"' in line]
    (metrics,) = (json.loads(line) for line in lines)
    names = [one["Name"] for one in metrics["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: sum(metrics[name]) for name in names}


def test_the_function_emits_the_metrics_alarms_watch(
    store: EmbeddedStore, runtime: LambdaRuntime, tmp_path: Path
) -> None:
    """Zero if nothing is wrong; otherwise only the metric of what is wrong.

    The series in tests/infra/aws/scenarios.py have these values.
    """
    watched = (
        *("FailedMessages", "UnreachedMessages", "RefusedMessages"),
        *("RejectedDeliveries", "UnmappedUnits"),
    )

    def wrong(emits: dict[str, float]) -> dict[str, float]:
        return {name: emits[name] for name in watched if emits.get(name)}

    note = sqs_messages.notification
    good = note(upload(store, f"{FOLDER}/metrics.json.gz", generate()[2].body))
    gone = note(StoredObject(iam.TRAIL_BUCKET, f"{FOLDER}/gone3.json.gz", "", "0" * 32, 1))
    forged = note(StoredObject("forged-bucket", "AWSLogs/x", "", "0" * 32, 1))
    broken = note(upload(store, f"{FOLDER}/broken3.json.gz", b"\x1f\x8bnot gzip"))
    normal = emitted(runtime, sqs_messages.event([good]))
    assert ({}, 1, 0) == (wrong(normal), normal["ObjectsCreated"], normal["AgeOfOldestMessage"])
    assert {"RejectedDeliveries": 1} == wrong(emitted(runtime, sqs_messages.event([broken])))
    for event, expected in (([good, gone], "FailedMessages"), ([forged], "RefusedMessages")):
        emits = emitted(runtime, sqs_messages.event(event))
        assert {expected: 1} == wrong(emits)
        assert emits["AgeOfOldestMessage"] > 3600
    unreached = emitted(runtime, sqs_messages.event([good]), seconds=0)
    assert {"UnreachedMessages": 1} == wrong(unreached)
    assert unreached["AgeOfOldestMessage"] > 3600
    assert "ObjectsCreated" not in unreached or not unreached["ObjectsCreated"]


@pytest.mark.slow
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
        emits = emitted(other, sqs_messages.event([sqs_messages.notification(file)]))
        assert (1, 0) == (emits["FailedMessages"], emits["UnreachedMessages"])
    assert [] == units_of(store, file)


def test_missing_settings_are_named(store: EmbeddedStore, tmp_path: Path) -> None:
    """All missing or wrong settings are named at once, and the invocation fails.

    Whether people's records are kept has no default.
    """
    environment = settings(
        store,
        NHI_EVIDENCE_SCOPE="some",
        NHI_EVIDENCE_BUCKET="",
        NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW="",
    )
    with (
        LambdaRuntime(
            deployable.folder("aws_export"),
            "handler.handler",
            environment=environment,
            log=tmp_path / "log",
        ) as other,
        pytest.raises(InvocationError, match="NHI_EVIDENCE_BUCKET is not set") as raised,
    ):
        other.invoke(sqs_messages.event(["{}"]))
    assert "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW is not set" in str(raised.value)
    assert "NHI_EVIDENCE_SCOPE" in str(raised.value)


def test_an_event_that_is_not_a_batch_fails_the_invocation(runtime: LambdaRuntime) -> None:
    """Anything but an SQS batch has no items to answer; the platform must see the error."""
    with pytest.raises(InvocationError):
        runtime.invoke({"hello": "world"})
