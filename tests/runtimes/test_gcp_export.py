"""The Cloud Run function under Google's own framework: real events, and a real locked bucket."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.gcp.alarm_rules import LOGGED
from nhi_evidence.adapters.gcp.staged_files import StagedFiles
from nhi_evidence.demo import deployable
from nhi_evidence.demo.story import gcp_files
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.cloud_run_runtime import CloudEvent, CloudRunRuntime
from nhi_evidence.embedded.gcs import EmbeddedGcs, GcsObject
from nhi_evidence.embedded.issuer import GOOGLE, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import gaps
from tests.pubsub_server import PubsubServer
from tests.runtimes import evidence
from tests.runtimes.evidence import Units
from tests.runtimes.gcp_events import (
    BROKEN,
    BUCKET,
    ENTRY,
    FILES,
    HALF,
    SUBSCRIPTION,
    TOPIC,
    UNDECODABLE,
    message,
    notification,
    published,
    stored,
)
from tests.web_identity import AUDIENCE, federated_store, issuer


@pytest.fixture(scope="module")
def platforms() -> Iterator[EmbeddedIssuer]:
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def locked(
    platforms: EmbeddedIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedStore]:
    with federated_store(tmp_path_factory.mktemp("locked"), platforms) as running:
        yield running


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedGcs]:
    with EmbeddedGcs(BUCKET, log=tmp_path_factory.mktemp("gcs") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def settings(
    platforms: EmbeddedIssuer, locked: EmbeddedStore, storage: EmbeddedGcs
) -> dict[str, str]:
    return {
        **platforms.environment(),
        **storage.environment(),
        "AWS_ENDPOINT_URL": locked.endpoint_url,
        "NHI_EVIDENCE_SOURCE_BUCKETS": json.dumps([{"bucket": BUCKET, "prefix": "audit/"}]),
        "NHI_EVIDENCE_ANNOUNCING_TOPICS": json.dumps([FILES]),
        "NHI_EVIDENCE_SOURCE_TOPICS": json.dumps([TOPIC]),
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_REGION": "us-east-1",
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role("gcp_audit"),
        "NHI_EVIDENCE_AUDIENCE": AUDIENCE[GOOGLE],
        "NHI_EVIDENCE_PROJECT": "example-prod",
        "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
    }


@pytest.fixture(scope="module")
def runtime(
    settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CloudRunRuntime]:
    log = tmp_path_factory.mktemp("runtime") / "function.log"
    folder = deployable.folder("gcp_export")
    with CloudRunRuntime(folder, "handler", environment=settings, log=log) as running:
        yield running


def units(locked: EmbeddedStore, name: str) -> Units:
    return evidence.named(locked, "gcp_audit", name)


def versions(locked: EmbeddedStore) -> list[str]:
    client = locked.client(locked.admin)
    pages = client.get_paginator("list_object_versions").paginate(Bucket=iam.EVIDENCE_BUCKET)
    return sorted(one["VersionId"] for page in pages for one in page.get("Versions", []))


def test_a_finished_file_is_locked_once(
    locked: EmbeddedStore, storage: EmbeddedGcs, runtime: CloudRunRuntime
) -> None:
    """Many records, one object, named by bucket, name and generation; a repeat changes nothing."""
    file = gcp_files()[0]
    named = storage.put(file.name, file.body)
    assert 200 == runtime.deliver(stored(named))
    ((unit, lines),) = units(locked, f"{BUCKET}/{file.name}@{named.generation}")
    assert file.records == unit.records
    assert unit.kept + unit.rejected + sum(unit.out_of_scope.values()) == unit.records
    assert lines[-1]["k"] == "out_of_scope_ids"
    records = [line["r"].encode() for line in lines[:-1]]
    assert file.body == b"".join(gaps.rebuild(unit.gaps, records))
    assert {"md5", "crc32c", "time_created"} == set(unit.source_metadata)
    before = versions(locked)
    assert [200, 200] == [runtime.deliver(stored(named, number)) for number in ("1", "2")]
    assert before == versions(locked)


def test_a_file_announced_by_a_push_subscription_is_locked(
    locked: EmbeddedStore, storage: EmbeddedGcs, runtime: CloudRunRuntime
) -> None:
    """The deployed subscription's message names the file; a repeat changes nothing."""
    named = storage.put("audit/pushed", ENTRY)
    assert 200 == runtime.push(FILES, notification(named, "9401"))
    ((unit, _),) = units(locked, f"{BUCKET}/audit/pushed@{named.generation}")
    assert 1 == unit.records
    before = versions(locked)
    assert 200 == runtime.push(FILES, notification(named, "9402"))
    assert before == versions(locked)


@pytest.mark.slow
def test_a_replay_locks_a_file_that_was_never_announced(
    locked: EmbeddedStore,
    storage: EmbeddedGcs,
    runtime: CloudRunRuntime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the staging bucket through the topic to the function; a repeat changes nothing."""
    begun = datetime.now(UTC)
    named = storage.put(f"audit/{begun:%Y/%m/%d/%H_%M_%SZ}_unheard.ndjson", ENTRY)
    unit = f"{BUCKET}/{named.name}@{named.generation}"
    assert [] == units(locked, unit)
    with PubsubServer(runtime.push) as pubsub:
        for name, value in (storage.environment() | pubsub.environment()).items():
            monkeypatch.setenv(name, value)
        hour = timedelta(hours=1)
        files = [
            file.ref
            for file in StagedFiles().files(BUCKET, "audit/", begun - hour, begun + hour)
            if file.ref.name == named.name
        ]
        assert 1 == StagedFiles().announce(FILES, files)
        ((line, _),) = units(locked, unit)
        assert 1 == line.records
        before = versions(locked)
        assert 1 == StagedFiles().announce(FILES, files)
        assert [200, 200] == pubsub.pushed
    assert before == versions(locked)


def test_an_entry_sent_by_a_push_subscription_is_locked(
    locked: EmbeddedStore, runtime: CloudRunRuntime
) -> None:
    """The message's exact bytes are locked, named by topic, in which its id is unique."""
    data = message(b64encode(ENTRY).decode(), "9411")
    assert 200 == runtime.push(TOPIC, json.dumps(data).encode())
    ((_, lines),) = units(locked, f"msg/{TOPIC}/9411!h=2026030208")
    assert [ENTRY.decode()] == [line["r"] for line in lines[:-1]]


def test_anything_else_from_a_push_subscription_is_refused(
    storage: EmbeddedGcs, runtime: CloudRunRuntime
) -> None:
    """A deletion, another bucket, another topic or no topic is not acknowledged."""
    named = storage.put("audit/refused", ENTRY)
    elsewhere = GcsObject("somebody-elses-files", "audit/x", "1")
    refused = {
        FILES: [
            notification(named, "9421", kind="OBJECT_DELETE"),
            notification(elsewhere, "9422"),
            json.dumps(message(b64encode(b"{}").decode(), "9423")).encode(),
        ],
        "projects/other/topics/files": [notification(named, "9424")],
        "": [notification(named, "9425")],
    }
    for topic, pushed in refused.items():
        assert [500] * len(pushed) == [runtime.push(topic, body) for body in pushed]


def test_exactly_the_announced_generation_is_read(
    locked: EmbeddedStore, storage: EmbeddedGcs, runtime: CloudRunRuntime
) -> None:
    """A name written twice is two units, whichever event comes first."""
    first = storage.put("audit/twice", ENTRY + b"\n")
    second = storage.put("audit/twice", gzip.compress(ENTRY + b"\n" + ENTRY))
    assert 200 == runtime.deliver(stored(second))
    ((unit, _),) = units(locked, f"{BUCKET}/audit/twice@{second.generation}!h=")
    assert unit.records == 2
    # The server keeps one generation per name; a missing one is requested again, never made up.
    assert 500 == runtime.deliver(stored(first))
    assert [] == units(locked, f"{BUCKET}/audit/twice@{first.generation}")


@pytest.mark.parametrize(
    ("bucket", "name"),
    [("somebody-elses-files", "audit/x"), (BUCKET, "other/x")],
    ids=["bucket", "prefix"],
)
def test_another_place_is_refused_before_any_read(
    bucket: str, name: str, runtime: CloudRunRuntime
) -> None:
    """An event can name anything; only configured places are read."""
    named = GcsObject(bucket=bucket, name=name, generation="1")
    assert 500 == runtime.deliver(stored(named, f"forged-{bucket}"))
    assert f"gs://{bucket}/{name}@1" in runtime.logs()


def test_a_message_is_locked_once(locked: EmbeddedStore, runtime: CloudRunRuntime) -> None:
    """The exact bytes of a message's entry are locked, named by subscription and message."""
    event = published(message(b64encode(ENTRY).decode(), "9001"), "9001")
    assert 200 == runtime.deliver(event)
    ((unit, lines),) = units(locked, f"msg/{SUBSCRIPTION}/9001!h=2026030208")
    assert (1, [ENTRY.decode()]) == (unit.records, [line["r"] for line in lines[:-1]])
    assert {"topic": TOPIC, "publish_time": "2026-03-02T08:15:31.5Z"} == unit.source_metadata
    before = versions(locked)
    assert 200 == runtime.deliver(event)
    assert before == versions(locked)


@pytest.mark.parametrize("name", UNDECODABLE)
def test_an_undecodable_delivery_is_locked_and_acknowledged(
    locked: EmbeddedStore, runtime: CloudRunRuntime, name: str
) -> None:
    """A hopeless delivery is not retried forever; its bytes are kept with the reason."""
    case = UNDECODABLE[name]
    assert 200 == runtime.deliver(published(case.data, case.unit.rpartition("/")[2]))
    ((unit, lines),) = units(locked, case.unit)
    assert unit.rejection is not None
    assert case.reason == unit.rejection.reason
    assert case.kept == b"".join(line["r"].encode() for line in lines)


def test_an_undecodable_delivery_logs_a_line_the_alarm_matches(
    locked: EmbeddedStore, runtime: CloudRunRuntime
) -> None:
    """One line per delivery counts what could not be decoded; there is none if all could."""
    (filtered,) = [one.filter for one in LOGGED if one.name == "rejected"]
    assert "jsonPayload.object.rejected_deliveries > 0" in filtered
    assert 'jsonPayload.message = "unmapped"' in filtered
    good = message(b64encode(ENTRY).decode(), "9302")
    for data, number, rejected in ((message("%", "9301"), "9301", 1), (good, "9302", 0)):
        before = len(runtime.logs())
        assert 200 == runtime.deliver(published(data, number))
        (line,) = map(json.loads, runtime.logs()[before:].splitlines())
        assert ("locked", rejected) == (line["message"], line["object"]["rejected_deliveries"])


def test_half_an_entry_is_a_rejected_record(
    locked: EmbeddedStore, runtime: CloudRunRuntime
) -> None:
    """A message has what was logged; half an entry is kept as half."""
    assert 200 == runtime.deliver(published(message(b64encode(HALF).decode(), "9201"), "9201"))
    ((unit, lines),) = units(locked, f"msg/{SUBSCRIPTION}/9201")
    assert (1, "malformed_json") == (unit.rejected, lines[0]["x"]["reason"])
    assert HALF.decode() == lines[0]["r"]


def test_another_topic_and_another_type_are_refused(runtime: CloudRunRuntime) -> None:
    """Anything not configured is neither locked nor acknowledged."""
    data = message(b64encode(ENTRY).decode(), "9301")
    foreign = published(data, "9301", topic="projects/other/topics/audit")
    assert 500 == runtime.deliver(foreign)
    odd = CloudEvent(id="9302", type="google.cloud.audit.log.v1.written", source="//x", data=b"{}")
    assert 500 == runtime.deliver(odd)


def test_log_lines_have_the_form_cloud_logging_reads(
    locked: EmbeddedStore, storage: EmbeddedGcs, runtime: CloudRunRuntime
) -> None:
    """One JSON object per line, with severity, message, counts, and the request's trace."""
    named = storage.put("audit/logged", ENTRY)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    event = stored(named, "logged")
    runtime._http.request(
        "POST",
        f"http://127.0.0.1:{runtime._process.port}/",
        body=event.data,
        headers={**event.headers(), "traceparent": f"00-{trace}-0123456789012345-01"},
    )
    assert 500 == runtime.deliver(stored(GcsObject("nowhere", "x", "1"), "refused"))
    lines = [json.loads(line) for line in runtime.logs().splitlines() if line.startswith("{")]
    done = next(line for line in lines if trace in line.get("logging.googleapis.com/trace", ""))
    assert ("INFO", "locked", 1) == (done["severity"], done["message"], done["object"]["units"])
    assert done["object"]["key"] in evidence.stored(locked, "gcp_audit")
    assert f"projects/example-prod/traces/{trace}" == done["logging.googleapis.com/trace"]
    refused = next(one for one in lines if one.get("event_id") == "refused")
    assert ("ERROR", True) == (refused["severity"], refused["refused"])
    assert "DeliveryRefusedError" in refused["stack_trace"]


@pytest.mark.slow
@pytest.mark.parametrize("says", BROKEN)
def test_deliveries_are_repeated_while_something_is_unavailable(
    settings: dict[str, str], locked: EmbeddedStore, says: str, tmp_path: Path
) -> None:
    """Nothing is acknowledged unless locked, and the log says what is missing."""
    event = published(message(b64encode(ENTRY).decode(), says), says)
    folder, environment = deployable.folder("gcp_export"), {**settings, **BROKEN[says]}
    before = versions(locked)
    with CloudRunRuntime(
        folder, "handler", environment=environment, log=tmp_path / "log"
    ) as broken:
        assert 500 == broken.deliver(event)
        assert says in broken.logs()
    assert before == versions(locked)
