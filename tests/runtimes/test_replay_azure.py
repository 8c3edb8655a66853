"""`replay azure` to its end: skipped messages are locked, under the worker's own library.

The hub is in memory, read through a port (tests/event_hub_host.py). That a real host, over AMQP,
starts at the first message without a checkpoint is not tested here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.azure.event_hub import Message
from nhi_evidence.config import azure_names
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from tests.cases.reader import cases, read
from tests.cli.command import run
from tests.event_hub_host import Checkpoints, Host
from tests.runtimes import evidence
from tests.runtimes.azure_worker import Worker, bundle
from tests.runtimes.test_azure_export import settings
from tests.web_identity import federated_store, issuer

EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
NAMESPACE = azure_names.namespace_name(SUBSCRIPTION)
NUMBERS = range(100, 124)
PASSED_OVER = range(108, 116)
ENQUEUED = datetime.now(UTC)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedStore, Worker]]:
    """The function in its worker, with a locked store."""
    folder = tmp_path_factory.mktemp("replay")
    with issuer() as platforms, federated_store(folder, platforms) as store:
        variables = settings(platforms, store.endpoint_url, NHI_EVIDENCE_HUB_NAMESPACE=NAMESPACE)
        with Worker(bundle(folder / "bundle"), variables, folder / "log") as worker:
            yield store, worker


def hub(partition: str, after: int | None) -> Sequence[Message]:
    """Return the messages of a partition after a number: the port through which a host reads."""
    record = read(cases("azure_activity")["identity-02-application"]).record
    return [
        Message(
            json.dumps({"records": [{**record, "message": f"{partition}/{number}"}]}).encode(),
            number,
            str(number * 64),
            f"{ENQUEUED:%Y-%m-%dT%H:%M:%S.000Z}",
        )
        for number in NUMBERS
        if after is None or number > after
    ]


def locked_digests(store: EmbeddedStore) -> dict[str, dict[int, set[str]]]:
    """Return the messages of each partition in the evidence, by the hash of their bytes."""
    digests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for units in evidence.stored(store, "azure_monitor").values():
        for unit, _ in units:
            assert unit.messages is not None
            partition = unit.unit.split("/")[2]
            for number, digest in enumerate(unit.messages.h, start=unit.messages.first):
                digests[partition][number].add(digest)
    return digests


def test_a_replay_locks_skipped_messages(
    locked: tuple[EmbeddedStore, Worker], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the incomplete partition is read again, and then equals what was sent."""
    store, worker = locked
    checkpoints = Checkpoints(tmp_path, SUBSCRIPTION)

    def invoke(partition: str, messages: Sequence[Message]) -> dict[str, Any]:
        context = {
            "PartitionId": partition,
            "EventHubName": azure_names.HUB,
            "FullyQualifiedNamespace": f"{NAMESPACE}.servicebus.windows.net",
        }
        return worker.invoke(messages, partition=context)

    host = Host(hub, checkpoints, invoke)
    host.run("1", batch=10)
    host.run("0", batch=5, until=PASSED_OVER[0] - 1)
    checkpoints.move("0", PASSED_OVER[-1])
    host.run("0", batch=5)
    assert set(NUMBERS) - set(PASSED_OVER) == set(locked_digests(store)["0"])
    before = evidence.stored(store, "azure_monitor")

    monkeypatch.setenv("PATH", str(checkpoints.program.parent))
    for name, value in store.environment(store.admin).items():
        monkeypatch.setenv(name, value)
    begins = f"{ENQUEUED - timedelta(hours=1):%Y-%m-%dT%H}"
    command = ("replay", "azure", "--config", EXAMPLE, "--from", begins, "--json")
    place = ("--only-missing", "--evidence", f"s3://{iam.EVIDENCE_BUCKET}")
    report = run(*command, *place).json
    assert [("0", PASSED_OVER[0])] == [
        (one["partition"], one["first_missing"]) for one in report["rewound"]
    ]
    assert (None, NUMBERS[-1]) == (checkpoints.read("0"), checkpoints.read("1"))

    for partition in ("0", "1"):
        host.run(partition, batch=7)
    for partition in ("0", "1"):
        assert set(NUMBERS) == set(locked_digests(store)[partition])
    # Whatever is stored twice has the same bytes, so counting takes it once.
    assert {1} == {
        len(one) for numbers in locked_digests(store).values() for one in numbers.values()
    }
    assert [] == run(*command, *place).json["rewound"]
    after = evidence.stored(store, "azure_monitor")
    assert before.items() <= after.items()
    assert {"0"} == {
        unit.unit.split("/")[2] for key in after.keys() - before.keys() for unit, _ in after[key]
    }
