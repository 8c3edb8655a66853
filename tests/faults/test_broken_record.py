"""A record that breaks the mapper, by a defect of ours, affects no other, on every cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from nhi_evidence.adapters.azure import exporter as azure
from nhi_evidence.adapters.gcp import cloud_event
from nhi_evidence.adapters.gcp import exporter as gcp
from nhi_evidence.adapters.gcp.gcs_source import GcsSource, SourceBucket
from nhi_evidence.embedded.gcs import EmbeddedGcs
from nhi_evidence.errors import MappingFailedError
from nhi_evidence.event import RawRecord
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.mapping import attempts
from nhi_evidence.reading.cutting import CutTable, Cutter, Field
from tests.faults import test_bad_azure_input as azure_input
from tests.faults import test_bad_gcp_input as gcp_input
from tests.faults import test_bad_input as aws_input
from tests.faults.test_poison import BUCKET, World, key
from tests.memory_store import MemoryStore
from tests.reading import Unit, counted


def breaking(source: str) -> Mapper:
    """Return a mapper with a defect that records containing `poison` trigger.

    Its error messages differ each time, as those with memory addresses do.
    """
    mapper = Mapper(source, keep_out_of_scope_raw=True)
    times = count()
    for pack in mapper.packs.values():

        def failing(raw: bytes, genuine: Any = pack.pack.normalize) -> Any:
            if b"poison" in raw:
                raise ZeroDivisionError(f"a defect, for the {next(times)}th time")
            return genuine(raw)

        pack.pack = SimpleNamespace(normalize=failing)
    return mapper


def three(good: dict[str, Any], field: str) -> list[bytes]:
    """Return three records, of which the second is poisoned."""
    return [json.dumps(one).encode() for one in (good, {**good, field: "poison"}, good)]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MemoryStore, dict[str, Exception]]]:
    """A CloudTrail file, announced over SQS."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    body = b'{"Records":[' + b",".join(three(aws_input.GOOD, "eventName")) + b"]}"
    with mock_aws():
        world = World()
        world.exporter = msgspec.structs.replace(world.exporter, mapper=breaking("aws_cloudtrail"))
        version = world.s3.put_object(Bucket=BUCKET, Key=key("a"), Body=body)["VersionId"]
        world.notify("a", version)
        answer = world.invoke()
        assert answer is not None
        assert ([], []) == (answer.failed, world.waiting())
        yield world.store, world.outcomes[0].unmapped


@pytest.fixture
def google(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[MemoryStore, dict[str, Exception]]]:
    """A batched file, announced by Cloud Storage."""
    mapper, store = breaking("gcp_audit"), MemoryStore()
    settings = gcp.Settings("b", "eu-west-1", "1", "role", "audience", keep_out_of_scope_raw=True)
    topic = "projects/p/topics/files"
    with EmbeddedGcs("files", log=tmp_path / "log") as storage:
        for name, value in storage.environment().items():
            monkeypatch.setenv(name, value)
        file = storage.put("audit/2026/03/02/08_15_30Z_a.ndjson", _lines())
        source = GcsSource((SourceBucket("files"),), mapper.source, token=str)
        settings = msgspec.structs.replace(settings, announcing_topics=(topic,))
        exporter = gcp.Exporter(settings, mapper, source, store)  # type: ignore[arg-type]
        outcome = exporter.export(_Announced(topic, file.name, file.generation))
        yield store, outcome.unmapped


def _lines() -> bytes:
    return b"\n".join(three(gcp_input.GOOD, "insertId")) + b"\n"


class _Announced(dict[str, Any]):
    """A Cloud Storage notification as the Functions Framework passes it."""

    def __init__(self, topic: str, name: str, generation: str) -> None:
        super().__init__(
            id="1", type=cloud_event.PUBLISHED, source=f"//pubsub.googleapis.com/{topic}"
        )
        attributes = {
            "eventType": "OBJECT_FINALIZE",
            "bucketId": "files",
            "objectId": name,
            "objectGeneration": generation,
        }
        self.data = {"message": {"messageId": "1", "attributes": attributes}}


@pytest.fixture
def microsoft() -> tuple[MemoryStore, dict[str, Exception]]:
    """One message of an Event Hub."""
    store = MemoryStore()
    exporter = azure.Exporter(azure_input.SETTINGS, breaking("azure_monitor"), store)
    body = b'{"records":[' + b",".join(three(azure_input.GOOD, "level")) + b"]}"
    event = azure_input.Event(body, 5, azure_input.PARTITION)
    (outcome,) = exporter.export([event], written={})
    return store, outcome.unmapped


@pytest.mark.parametrize("cloud", ["aws", "google", "microsoft"])
def test_a_record_that_breaks_the_mapper_is_rejected_alone(
    cloud: str, request: pytest.FixtureRequest
) -> None:
    """Only it is rejected, as received; its neighbors are mapped, and the reason is logged."""
    store, unmapped = request.getfixturevalue(cloud)
    unit = Unit(store)
    assert (3, 2, 1) == tuple(unit.headers[0][name] for name in ("records", "kept", "rejected"))
    assert {1: "mapper_failed"} == unit.reasons()
    assert b"poison" in unit.raw()[1]
    assert [False, True, False] == [b"poison" in raw for raw in unit.raw()]
    assert unit.rebuilt()
    # For a source with declared cuts, the log gets no error text, which might quote a secret.
    expected = MappingFailedError if cloud == "google" else ZeroDivisionError
    assert [expected] == [type(error) for error in unmapped.values()]
    assert {"counted"} == {status for status, *_ in counted(store).values()}


def test_a_broken_record_always_gives_the_same_line() -> None:
    """Error messages differ each time; what is locked states only the kind of error."""
    mapper = breaking("aws_cloudtrail")
    raw = three(aws_input.GOOD, "eventName")[1]
    record = RawRecord(7, 0, raw)
    (line, first), (again, second) = (
        mapper.records.line("0" * 16, record, "0" * 64) for _ in range(2)
    )
    assert line == again
    assert line is not None
    assert {"reason": "mapper_failed", "detail": "ZeroDivisionError"} == json.loads(line)["x"]
    assert str(first.broken) != str(second.broken)
    with pytest.raises(ZeroDivisionError):
        mapper.map(raw)


def test_running_out_of_memory_rejects_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is raised, and nothing is rejected."""
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)

    def exhausted(*_: object) -> Any:
        raise MemoryError

    pack = SimpleNamespace(normalize=exhausted)
    monkeypatch.setattr(mapper.packs["aws_cloudtrail"], "pack", pack)
    with pytest.raises(MemoryError):
        mapper.records.line("0" * 16, RawRecord(0, 0, b"{}"), "0" * 64)


def test_running_out_of_memory_after_a_broken_record_is_raised_too() -> None:
    """The slow path, row by row after an error, passes on what a single row raises."""

    def work(row: int) -> int:
        if row == 2:
            raise MemoryError
        return 1 // row

    assert [1, ZeroDivisionError] == [
        type(each) if isinstance(each, Exception) else each for each in attempts(work, [1, 0])
    ]
    with pytest.raises(MemoryError):
        attempts(work, [1, 0, 2])


def test_a_broken_record_reveals_nothing_that_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If it breaks after the cut, its line has the rest; if before, nothing of the record."""
    mapper = breaking("aws_cloudtrail")
    rules = Cutter(CutTable(1, (Field("X", "errorMessage", ""),)))
    monkeypatch.setattr(mapper.records, "_cutters", {"aws_cloudtrail": rules})
    raw = json.dumps({**aws_input.GOOD, "eventName": "poison", "errorMessage": "hush"}).encode()

    def written() -> bytes:
        line, read = mapper.records.line("0" * 16, RawRecord(0, 0, raw), "0" * 64)
        assert isinstance(read.broken, ZeroDivisionError)
        return line or b""

    assert (True, False) == (b"poison" in written(), b"hush" in written())

    def broken(_: bytes) -> Any:
        raise ZeroDivisionError

    cutter = SimpleNamespace(cut=broken, cut_all=broken, may_need_cuts=lambda _: True)
    monkeypatch.setattr(mapper.records, "_cutters", {"aws_cloudtrail": cutter})
    assert (False, False) == (b"poison" in written(), b"hush" in written())


def test_a_record_that_breaks_the_cutter_affects_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are cut many at a time; what one raises is raised for it alone."""
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    rules = Cutter(CutTable(1, (Field("X", "errorMessage", ""),)))

    def cut(raw: bytes) -> Any:
        if b"poison" in raw:
            raise ZeroDivisionError
        return rules.cut(raw)

    cutter = SimpleNamespace(
        cut=cut, cut_all=lambda raws: [cut(raw) for raw in raws], may_need_cuts=lambda _: True
    )
    monkeypatch.setattr(mapper.records, "_cutters", {"aws_cloudtrail": cutter})
    raws = three({**aws_input.GOOD, "errorMessage": "hush"}, "eventName")
    records = [RawRecord(index, 0, raw) for index, raw in enumerate(raws)]
    written = mapper.records.all_lines("0" * 16, records, "0" * 64)
    assert [False, True, False] == [read.broken is not None for _, read in written]
    assert [True, False, True] == [b'"ListUsers' in (line or b"") for line, _ in written]
    assert [False] * 3 == [b"hush" in (line or b"") for line, _ in written]
    assert [1, 1, 1] == [len(read.kept.pieces) for _, read in written]


def test_memory_that_runs_out_in_the_cutter_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing about a record, so no record is rejected for it."""
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)

    def cut(_: object) -> Any:
        raise MemoryError

    cutter = SimpleNamespace(cut=cut, cut_all=cut, may_need_cuts=lambda _: True)
    monkeypatch.setattr(mapper.records, "_cutters", {"aws_cloudtrail": cutter})
    with pytest.raises(MemoryError):
        mapper.records.read(json.dumps(aws_input.GOOD).encode())


def test_no_records_are_no_lines() -> None:
    """Nothing is looked for in nothing."""
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    assert [] == mapper.records.read_all([])
