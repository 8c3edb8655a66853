"""The Azure Function under the worker's own library, writing keyless into a real locked bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.azure import queries
from infra.declaration import EventHub, declaration
from nhi_evidence.adapters.azure import exporter
from nhi_evidence.azure.event_hub import Message
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.issuer import ENTRA, EmbeddedIssuer
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence.lines import UnitLine
from tests.cases.reader import cases, read
from tests.runtimes import evidence
from tests.runtimes.azure_worker import FUNCTION, Worker, bundle
from tests.runtimes.evidence import Units
from tests.web_identity import AUDIENCE, federated_store, issuer

NAMESPACE, HUB, CREATED = "example-ns", "audit-logs", "2026-03-01"
PARTITION = {
    "PartitionId": "3",
    "EventHubName": HUB,
    "FullyQualifiedNamespace": f"{NAMESPACE}.servicebus.windows.net",
    "ConsumerGroup": "nhi-evidence",
}
STREAM = f"{NAMESPACE}/{HUB}#{CREATED}/3"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def platforms() -> Iterator[EmbeddedIssuer]:
    """A running token server of the function's managed identity."""
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def locked(
    platforms: EmbeddedIssuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedStore]:
    """A store that accepts that identity's token, and no key of this function."""
    with federated_store(tmp_path_factory.mktemp("azure"), platforms) as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function as it is deployed."""
    return bundle(tmp_path_factory.mktemp("bundle"))


def settings(platforms: EmbeddedIssuer, endpoint: str, **changes: str) -> dict[str, str]:
    return {
        **platforms.environment(),
        "AWS_ENDPOINT_URL": endpoint,
        "NHI_EVIDENCE_HUB_NAMESPACE": NAMESPACE,
        "NHI_EVIDENCE_HUB": HUB,
        "NHI_EVIDENCE_HUB_CREATION_ID": CREATED,
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_BUCKET_REGION": "us-east-1",
        "NHI_EVIDENCE_WRITER_ROLE_ARN": iam.writer_role("azure_monitor"),
        "NHI_EVIDENCE_TOKEN_AUDIENCE": AUDIENCE[ENTRA],
        "NHI_EVIDENCE_KEEP_OUT_OF_SCOPE_RAW": "true",
        "WEBSITE_SITE_NAME": "example-export",
        **changes,
    }


@pytest.fixture(scope="module")
def worker(
    app: Path,
    locked: EmbeddedStore,
    platforms: EmbeddedIssuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Worker]:
    log = tmp_path_factory.mktemp("worker") / "log"
    with Worker(app, settings(platforms, locked.endpoint_url), log) as running:
        yield running


def record(name: str = "identity-02-application") -> dict[str, Any]:
    return read(cases("azure_activity")[name]).record


def message(number: int, body: bytes) -> Message:
    return Message(body, number, f"{number * 64}", f"2026-03-02T08:15:{number % 60:02}.000Z")


def records(*entries: Any) -> bytes:
    return json.dumps({"records": entries}).encode()


def objects(store: EmbeddedStore) -> dict[str, Units]:
    """The units of every evidence object of the function, by key."""
    return evidence.stored(store, "azure_monitor")


def unit(store: EmbeddedStore, first: int, last: int) -> UnitLine:
    """The one unit of a run."""
    name = f"{STREAM}/{first}-{last}!h=2026030208"
    ((stored_unit, _),) = evidence.named(store, "azure_monitor", name)
    return stored_unit


def test_the_worker_indexes_what_the_declaration_and_the_host_file_say(worker: Worker) -> None:
    """One function: its trigger, its consumer group, its batches, and a policy never used up."""
    (function,) = worker.indexed
    declared = declaration(FUNCTION)
    assert isinstance(declared.trigger, EventHub)
    assert FUNCTION == function["name"]
    assert [
        {
            "type": "eventHubTrigger",
            "direction": "IN",
            "name": "events",
            "connection": "EventHubConnection",
            "eventHubName": "%NHI_EVIDENCE_HUB%",
            "consumerGroup": "%EventHubConsumerGroup%",
            "cardinality": declared.trigger.cardinality.upper(),
            "dataType": "BINARY",
        }
    ] == function["bindings"]
    assert "NHI_EVIDENCE_HUB" in declared.environment
    assert -1 == function["retry"]["max_retry_count"]
    assert "exponential_backoff" == function["retry"]["retry_strategy"]
    host = json.loads((ROOT / "functions" / FUNCTION / "host.json").read_text())
    hub = host["extensions"]["eventHubs"]
    assert declared.trigger.max_batch_size == hub["maxEventBatchSize"]
    assert hub["minEventBatchSize"] < hub["maxEventBatchSize"] <= hub["prefetchCount"]
    minutes = declared.function.timeout_seconds // 60
    assert exporter.BATCH_SECONDS + 120 <= declared.function.timeout_seconds
    assert f"00:{minutes:02}:00" == host["functionTimeout"]


POISON = [b"", b"\xff\xfe\x00", b"some text", b"[" * 20_000, b'{"records":[{"a":1}', b'{"a":NaN}']


def test_a_partly_bad_batch_is_locked_and_acknowledged(
    worker: Worker, locked: EmbeddedStore
) -> None:
    """Good records are mapped, bad ones kept as received; none blocks the partition."""
    good = records(record(), record("identity-01-managed-identity"))
    batch_ = [message(100, good)]
    batch_ += [message(101 + n, body) for n, body in enumerate(POISON)]
    batch_ += [message(107, records(record("outcome-denied"))), message(110, good)]
    answer = worker.invoke(batch_, partition=PARTITION)
    assert {"status": 1, "exception": None} == answer, worker.log.read_text()[-3000:]
    run = unit(locked, 100, 107)
    assert (9, 3, 6) == (run.records, run.kept, run.rejected)
    assert run.messages is not None
    assert (100, 8) == (run.messages.first, len(run.messages.h))
    assert 2 == unit(locked, 110, 110).kept
    # Both runs of the batch are in one object.
    assert [2] == [len(units) for units in objects(locked).values() if "/100-107" in str(units)]


def test_the_log_states_how_far_behind_a_partition_is(worker: Worker) -> None:
    """The line an alarm reads has the partition, and how long its oldest message waited."""
    times = ("2026-03-02T08:15:00.000Z", "2026-03-02T08:15:30.000Z")
    batch_ = [
        Message(records(record()), 900 + n, f"{n}", enqueued) for n, enqueued in enumerate(times)
    ]
    before = datetime.now(UTC)
    assert 1 == worker.invoke(batch_, partition=PARTITION)["status"]
    pattern = rf"{re.escape(queries.READ)}3, 2 messages, oldest (\d+) s"
    (age,) = re.findall(pattern, worker.log.read_text())[-1:]
    after, oldest = datetime.now(UTC), datetime.fromisoformat(times[0])
    assert (before - oldest).total_seconds() - 1 <= int(age) <= (after - oldest).total_seconds()


def test_the_worker_logs_the_lines_alarms_read(worker: Worker, locked: EmbeddedStore) -> None:
    """One line per category with its records, and one per object with what could not be decoded."""
    before = len(worker.log.read_text())
    batch_ = [message(950, records(record(), record())), message(951, records(record()))]
    assert 1 == worker.invoke(batch_, partition=PARTITION)["status"]
    lines = worker.log.read_text()[before:].splitlines()
    taken = [line.partition(queries.TOOK)[2] for line in lines if queries.TOOK in line]
    assert ["administrative, 3 records"] == taken
    (object_,) = [line for line in lines if f":{queries.LOCKED}" in line]
    assert '"rejected_deliveries":0' in object_


def test_a_batch_delivered_again_leaves_the_bucket_as_it_was(
    worker: Worker, locked: EmbeddedStore
) -> None:
    """The same messages, whole or with other edges, give the same bytes, each counted once."""
    batch_ = [message(n, records(record())) for n in range(200, 206)]
    assert 1 == worker.invoke(batch_, partition=PARTITION)["status"]
    before = objects(locked)
    assert 1 == worker.invoke(batch_, partition=PARTITION)["status"]
    assert before == objects(locked)
    assert 1 == worker.invoke(batch_[3:] + batch_[4:5], partition=PARTITION)["status"]
    full, again = unit(locked, 200, 205), unit(locked, 203, 205)
    assert full.messages is not None
    assert again.messages is not None
    assert full.messages.h[3:] == again.messages.h


@pytest.mark.slow
def test_a_batch_fails_while_the_store_is_unavailable_and_is_then_locked_once(
    app: Path, locked: EmbeddedStore, platforms: EmbeddedIssuer, tmp_path: Path
) -> None:
    """An exception keeps the checkpoint where it is; the same batch later gives one object."""
    batch_ = [message(n, records(record())) for n in range(300, 303)]
    away = settings(platforms, "http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    with Worker(app, away, tmp_path / "away.log") as worker:
        answer = worker.invoke(batch_, partition=PARTITION)
        assert 0 == answer["status"]
        assert "StoreUnavailableError" in (answer["exception"] or "") + worker.log.read_text()
    before = objects(locked)
    with Worker(app, settings(platforms, locked.endpoint_url), tmp_path / "back.log") as worker:
        assert 1 == worker.invoke(batch_, partition=PARTITION)["status"]
    added = set(objects(locked)) - set(before)
    assert 1 == len(added)


def test_a_batch_of_another_hub_is_not_claimed(worker: Worker, locked: EmbeddedStore) -> None:
    """Its numbers belong to another stream: the function says so and the batch waits."""
    before = objects(locked)
    other = {**PARTITION, "EventHubName": "other"}
    answer = worker.invoke([message(400, records(record()))], partition=other)
    assert 0 == answer["status"]
    assert "NHI_EVIDENCE_HUB" in (answer["exception"] or "")
    assert before == objects(locked)


def test_missing_settings_are_reported_by_name(
    app: Path, platforms: EmbeddedIssuer, tmp_path: Path
) -> None:
    """A function without its configuration fails its batches instead of skipping them."""
    unset = settings(platforms, "http://127.0.0.1:9")
    del unset["NHI_EVIDENCE_HUB_CREATION_ID"]
    with Worker(app, unset, tmp_path / "unset.log") as worker:
        answer = worker.invoke([message(500, b"{}")], partition=PARTITION)
    assert 0 == answer["status"]
    assert "NHI_EVIDENCE_HUB_CREATION_ID is not set" in (answer["exception"] or "")
