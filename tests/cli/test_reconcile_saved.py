"""`nhi-evidence reconcile` with saved listings of each cloud gives the same verdict as asking.

A listing with anything removed or added is refused by name, or makes the verdict unprovable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from nhi_evidence.adapters.listing.hours import ApiScope
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.completeness import listing
from nhi_evidence.completeness.listing import Question
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.cli.command import Result, run
from tests.completeness import test_activity_hours as azure
from tests.completeness import test_api_hours as apis
from tests.completeness.api_server import ApiServer
from tests.completeness.test_api_hours import Outcome
from tests.completeness.trail import Evidence

CLOUDS = ("google", "activity", "entra")
HOURS = {"google": apis.NAMED_HOUR, "activity": azure.HOUR, "entra": azure.HOUR}


def entra_record(number: int) -> dict[str, Any]:
    return {
        "time": f"2026-03-02T08:{number:02}:00.0000000Z",
        "category": "AuditLogs",
        "operationName": "Add application",
        "tenantId": apis.TENANT,
        "properties": {
            "id": f"Directory_{number}",
            "activityDateTime": f"2026-03-02T08:{number:02}:00Z",
            "activityDisplayName": "Add application",
        },
    }


class World:
    """The evidence of one cloud, and its API's listing."""

    def __init__(self, server: ApiServer, cloud: str) -> None:
        self.server = server
        self.cloud = cloud
        self.evidence = Evidence(datetime(2030, 1, 1, tzinfo=UTC))
        if cloud == "google":
            server.entries = [
                dict(one) for one in apis.OF_HOUR if f"projects/{apis.PROJECT}/" in one["logName"]
            ]
            records = server.entries
        elif cloud == "activity":
            server.activities = list(azure.LISTED_ENTRIES)
            records = [azure.delivered(one) for one in server.activities]
        else:
            records = [entra_record(number) for number in range(4)]
            server.audits = [one["properties"] for one in records]
        self.records = records

    @property
    def scope(self) -> ApiScope:
        if self.cloud == "google":
            return apis.google(self.server)
        return azure.scope(self.server) if self.cloud == "activity" else apis.entra(self.server)

    def deliver(self, records: list[dict[str, Any]]) -> apis.Sealed:
        """Lock what the exporter receives; return the objects."""
        if self.cloud == "google":
            body = b"".join(json.dumps(line).encode() + b"\n" for line in records)
            delivery = Delivery(f"bucket/file@1!h={apis.NAMED_HOUR}", body)
            source = "gcp_audit"
        else:
            messages = tuple(
                Message(json.dumps({"records": [one]}).encode(), n, str(n), "2026-03-02T08:50:00Z")
                for n, one in enumerate(records)
            )
            messages_run = Run("ns/hub#2026-03-01T00:00:00Z/0", messages)
            delivery, source = (
                Delivery(messages_run.unit, event_hub.frame(messages_run)),
                "azure_monitor",
            )
        mapper = Mapper(source, scope=Kept.ALL, keep_out_of_scope_raw=False)
        lock_batch(mapper, [delivery], self.evidence.store).ensure_locked()
        return apis.sealed(self.evidence.store)

    def listed(self, objects: apis.Sealed) -> Outcome:
        """Return the deployed function's verdict on an hour, with what it puts."""
        return Outcome(self.scope, objects, HOURS[self.cloud])

    def copy(self, folder: Path, put: list[Operation] = ()) -> Path:  # type: ignore[assignment]
        """Seal everything; return a copy of the store."""
        for operation in put:
            self.evidence.store.put_new(operation.key, operation.body, metadata={})
        self.evidence.seal()
        for key, body in self.evidence.store.objects.items():
            path = folder / "evidence" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        return folder / "evidence"

    def reconcile(self, copy: Path, *more: str | Path) -> Result:
        return run("reconcile", copy, "--key", str(self.evidence.key), "--json", *more)


@pytest.fixture(params=CLOUDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with ApiServer() as server:
        yield World(server, request.param)


def judged(done: Result, world: World) -> dict[str, Any]:
    """Return the statement on the listed hour."""
    assert done.code in {0, 2, 3}, done.err
    source = {"google": "gcp_audit", "activity": "azure_activity", "entra": "azure_entra"}
    (line,) = [
        each
        for each in done.json["statements"]
        if (each["source"], each["hour"]) == (source[world.cloud], HOURS[world.cloud])
        and each["scope"].get("account")
    ]
    return dict(line)


def files(folder: Path, put: list[Operation]) -> Path:
    """Save listings elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for operation in put:
        if listing.is_listing(operation.key):
            (folder / operation.key.rpartition("/")[2]).write_bytes(operation.body)
    return folder


@pytest.mark.parametrize("lost", [0, 1])
def test_the_verdict_is_the_same_as_when_asking_the_api(
    world: World, tmp_path: Path, lost: int
) -> None:
    """With the listing in the evidence or in a file, even if something is missing."""
    outcome = world.listed(world.deliver(world.records[lost:]))
    live = outcome.statement
    saved = files(tmp_path / "saved", outcome.put)
    without = world.copy(tmp_path / "without")
    within = world.copy(tmp_path / "within", outcome.put)
    for copy, more in ((without, ("--listings", saved)), (within, ())):
        done = world.reconcile(copy, *more)
        line = judged(done, world)
        assert (str(live.verdict), list(live.reasons), live.expected, live.found) == (
            line["verdict"],
            line["reasons"],
            line["expected"],
            line["found"],
        )
        assert dict(live.totals) == line["totals"]
        assert [each.name for each in live.named] == [each["name"] for each in line["named"]]
        strange = [one for one in done.json["not_checked"] if "not sealed in this log" in one]
        assert bool(more) == bool(strange)
    assert ("reconciled" == line["verdict"]) == (not lost)


@pytest.mark.parametrize(
    "body",
    [b"not a frame", frame.pack([b"{}"])[0]],
    ids=["no frame", "no table"],
)
def test_an_invalid_object_is_passed_over(world: World, tmp_path: Path, body: bytes) -> None:
    """A writer may put anything under a key that names its hash: it is not evidence, no more."""
    outcome = world.listed(world.deliver(world.records))
    (valid, *_) = world.evidence.store.keys("ev/")
    place = valid.rpartition("/")[0]
    world.evidence.store.put_new(
        f"{place}/{sha256(body).hexdigest()}.ndjson.zst", body, metadata={}
    )
    line = judged(world.reconcile(world.copy(tmp_path, outcome.put)), world)
    assert ("reconciled", outcome.statement.found) == (line["verdict"], line["found"])


def rewritten(
    put: list[Operation], change: Callable[[Question, list[str]], tuple[Question, list[str]]]
) -> list[Operation]:
    """Return a rewritten listing in a valid form, with the right name."""
    (operation,) = [one for one in put if listing.is_listing(one.key)]
    parsed = listing.read(operation.body)
    question, ids = change(parsed.question, list(parsed.ids))
    return list(listing.write(question, sorted(ids), len(ids)))


def other_hour(question: Question, ids: list[str]) -> tuple[Question, list[str]]:
    return replace(question, hour=f"{question.hour[:8]}23"), ids


def other_account(question: Question, ids: list[str]) -> tuple[Question, list[str]]:
    account = "projects/another" if question.source == "gcp_audit" else "99990000-0000-4000-8000-0"
    return replace(question, scope=Scope(account, stream=question.scope.stream)), ids


def part_of_the_hour(question: Question, ids: list[str]) -> tuple[Question, list[str]]:
    """Nobody asked for the rest, so that nothing of it is listed."""
    ends = (":59:59.9999999Z", ":00:00.9999999Z"), ("09:00:00Z", "08:00:01Z")
    request = unquote(question.request)
    for whole_hour, second in ends:
        request = request.replace(whole_hour, second)
    assert request != unquote(question.request)
    return replace(question, request=request), ids


def unknown_source(question: Question, ids: list[str]) -> tuple[Question, list[str]]:
    return replace(question, source="aws_cloudtrail"), ids


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_hour, "its request is not for the hour"),
        (part_of_the_hour, "its request is not for the hour"),
        (other_account, "lists a record that is not of"),
        (unknown_source, "'aws_cloudtrail' is not a source with listings"),
    ],
)
def test_a_listing_of_something_else_is_refused(
    world: World, tmp_path: Path, change: Any, reason: str
) -> None:
    """By name, whatever its file is called. Entra ids state no tenant, so the listing is of a
    tenant without evidence here.
    """
    outcome = world.listed(world.deliver(world.records))
    saved = files(tmp_path / "saved", rewritten(outcome.put, change))
    done = world.reconcile(world.copy(tmp_path), "--listings", saved)
    if world.cloud == "entra" and change is other_account:
        assert "99990000-0000-4000-8000-0" == judged(done, world)["scope"]["account"]
        return
    assert 4 == done.code
    assert reason in done.err
    assert str(saved) in done.err or "listing.ndjson.zst" in done.err


def test_an_altered_listing_is_refused(world: World, tmp_path: Path) -> None:
    """With one byte changed, bytes that are not a listing, or two contradictory answers."""
    outcome = world.listed(world.deliver(world.records))
    saved = files(tmp_path / "saved", outcome.put)
    copy = world.copy(tmp_path)
    (path,) = saved.iterdir()
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    done = world.reconcile(copy, "--listings", saved)
    assert (4, True) == (done.code, "its bytes do not match its name" in done.err)
    files(saved, outcome.put)
    fewer = rewritten(outcome.put, lambda attestation, ids: (attestation, ids[:-1]))
    done = world.reconcile(copy, "--listings", files(saved, fewer))
    assert (4, True) == (done.code, "contradicts another part of the listing" in done.err)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert 4 == world.reconcile(copy, "--listings", empty).code


def test_a_listing_without_its_last_part_is_unprovable(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest does not reconcile the hour, and nothing is called missing or unbacked."""
    monkeypatch.setattr(listing, "MOST_IDS", 2)
    outcome = world.listed(world.deliver(world.records))
    parts = [one for one in outcome.put if listing.is_listing(one.key)]
    assert len(parts) > 1
    copy = world.copy(tmp_path)
    complete = world.reconcile(copy, "--listings", files(tmp_path / "whole", parts))
    assert "reconciled" == judged(complete, world)["verdict"]
    for dropped in (parts[-1], parts[0]):
        some = [one for one in parts if one is not dropped]
        saved = files(tmp_path / dropped.key[-30:-20], some)
        line = judged(world.reconcile(copy, "--listings", saved), world)
        assert ("unprovable", ["listing_incomplete"], False) == (
            line["verdict"],
            line["reasons"],
            line["is_incomplete"],
        )


def test_the_newest_of_several_listings_counts(world: World, tmp_path: Path) -> None:
    """An hour is listed several times: late records are in the last listing."""
    outcome = world.listed(world.deliver(world.records))
    early = rewritten(outcome.put, lambda attestation, ids: (replace(attestation, at=0), ids[1:]))
    saved = files(tmp_path / "saved", [*outcome.put, *early])
    line = judged(world.reconcile(world.copy(tmp_path), "--listings", saved), world)
    assert ("reconciled", len(world.records)) == (line["verdict"], line["expected"])
