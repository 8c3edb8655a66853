"""`nhi-evidence replay azure` with a stand-in for `az` that records its calls.

The effect is tested under the worker's own library (tests/runtimes/test_replay_azure.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.config import azure_names
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli.command import Result, run
from tests.event_hub_host import Checkpoints

EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
SITE = azure_names.site_name(SUBSCRIPTION)
NAMESPACE = azure_names.namespace_name(SUBSCRIPTION)


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoints:
    """Three partitions, read up to message 20."""
    checkpoints = Checkpoints(tmp_path, SUBSCRIPTION)
    for partition in range(3):
        checkpoints.move(str(partition), 20)
    monkeypatch.setenv("PATH", str(checkpoints.program.parent))
    return checkpoints


def names(az: Checkpoints) -> list[str]:
    return [az.name(str(partition)) for partition in range(3)]


def replay(*more: str) -> Result:
    return run("replay", "azure", "--config", str(EXAMPLE), *more)


def test_a_dry_run_lists_checkpoints_and_changes_nothing(az: Checkpoints) -> None:
    """Only those of the deployed hub, by the deployment's names."""
    result = replay("--dry-run")
    assert (0, "") == (result.code, result.err)
    assert [f"would remove {name}" for name in names(az)] == result.out.splitlines()[:3]
    (listed,) = az.calls()
    assert ["storage", "blob", "list"] == listed[:3]
    prefix = f"{NAMESPACE}.servicebus.windows.net/audit-logs/"
    assert prefix == listed[listed.index("--prefix") + 1]
    assert azure_names.storage_name(SUBSCRIPTION) == listed[listed.index("--account-name") + 1]
    assert 4 == len(az.blobs)


def test_checkpoints_are_removed_while_the_app_stands_still(az: Checkpoints) -> None:
    """List, stop, remove each, start: in that order, without touching ownership."""
    expected = names(az)
    assert expected == [one["checkpoint"] for one in replay("--json").json["rewound"]]
    done = az.calls()
    assert ["list", "stop", "delete", "delete", "delete", "start"] == [
        call[2] if call[0] == "storage" else call[1] for call in done
    ]
    assert {SITE} == {call[call.index("--name") + 1] for call in (done[1], done[5])}
    assert all(SUBSCRIPTION in call for call in done)
    assert [f"{az.group}/ownership/0"] == list(az.blobs)


def test_the_app_is_started_again_whatever_happens(az: Checkpoints) -> None:
    """A checkpoint that cannot be removed is reported, and the export goes on."""
    (az.folder / "fails").write_text("delete")
    result = replay()
    assert (4, True) == (result.code, "AuthorizationFailed" in result.err)
    assert ["functionapp", "start"] == az.calls()[-1][:2]


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Partition 0 is complete, partition 1 lacks messages 8 and 9, partition 2 has nothing."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    runs = [run_of("0", 1, 20), run_of("1", 1, 7), run_of("1", 10, 20)]
    mapper = Mapper("azure_monitor", keep_out_of_scope_raw=False)
    deliveries = [Delivery(one.unit, event_hub.frame(one)) for one in runs]
    lock_batch(mapper, deliveries, DirectoryStore(folder)).ensure_locked()
    return folder


def run_of(partition: str, first: int, last: int) -> Run:
    enqueued = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    numbers = range(first, last + 1)
    messages = [Message(b'{"records":[]}', one, str(one), enqueued) for one in numbers]
    return Run(f"{NAMESPACE}/audit-logs#2026-03-01/{partition}", tuple(messages))


def only_missing(evidence: Path, *more: str) -> Result:
    begins = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H}"
    return replay("--only-missing", "--evidence", str(evidence), "--from", begins, *more)


def test_only_partitions_with_something_missing_are_rewound(
    az: Checkpoints, evidence: Path
) -> None:
    """A complete partition continues where it was; an unknown one is read again."""
    assert [
        f"would remove {az.name('1')} (8 is missing)",
        f"would remove {az.name('2')}",
    ] == only_missing(evidence, "--dry-run").out.splitlines()[:2]
    report = only_missing(evidence, "--json").json
    assert [("1", 8, 20), ("2", None, 20)] == [
        (one["partition"], one["first_missing"], one["read"]) for one in report["rewound"]
    ]
    assert (20, None, None) == tuple(az.read(str(partition)) for partition in range(3))


def test_where_nothing_is_missing_the_app_is_not_stopped(az: Checkpoints, evidence: Path) -> None:
    """It is not called."""
    az.blobs = {az.name("0"): {"SequenceNumber": "20"}}
    result = only_missing(evidence)
    assert (0, "checkpoints  1, 0 chosen") == (result.code, result.out.splitlines()[-1])
    assert [["storage", "blob", "list"]] == [call[:3] for call in az.calls()]


def test_only_missing_needs_to_know_where_to_look(az: Checkpoints) -> None:
    """Nothing is rewound by guessing."""
    result = replay("--only-missing")
    assert (4, True) == (result.code, "needs --evidence and --from" in result.err)
    assert [] == az.calls()


def test_without_az_the_command_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names it, and nothing is done."""
    monkeypatch.setenv("PATH", str(tmp_path))
    result = replay()
    assert 4 == result.code
    assert "needs the Azure command line, az" in result.err
