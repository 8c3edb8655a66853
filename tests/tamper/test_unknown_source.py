"""Claims of a source this release does not know: no reader counts what `verify` does not."""

from __future__ import annotations

import msgspec
import pytest

from nhi_evidence.coverage import signed
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.evidence import objects, proof, search
from nhi_evidence.evidence.counted_lines import CountedLines
from nhi_evidence.evidence.lines import Header
from nhi_evidence.evidence.sealed_objects import SealedObjects
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.unit_hours import is_in_place
from nhi_evidence.investigate import sealed as reading
from tests.tamper import unit_rows
from tests.tamper.sealed_store import NAME, SealedStore

UNKNOWN = "elsewhere"


@pytest.fixture(scope="module")
def world() -> SealedStore:
    """A store with a sealed object whose key and header name a source nobody knows."""
    world = SealedStore()
    unit_rows.unknown_source(world)
    return world


@pytest.fixture
def stored(world: SealedStore) -> StoredLog:
    return StoredLog(world.store, NAME, (world.key,))


def test_exported_lines_have_none_of_it(world: SealedStore, stored: StoredLog) -> None:
    counted = CountedLines(SealedObjects(world.store, stored))
    read = {line.source for line in counted.lines(search.Where())}
    assert {"aws_cloudtrail"} == read


def test_a_record_in_it_does_not_count(world: SealedStore, stored: StoredLog) -> None:
    """Searched for by its id, it is found; it proves nothing about its unit."""
    table, lines = objects.read_object(world.store.get(world.key_of(f"ev/v1/{UNKNOWN}/")))
    own = [line for _, unit in objects.lines_of(table, lines) for line in unit]
    uid = next(filter(None, map(proof.uid_of, own)))
    record = search.Search(world.store, stored).find(uid, search.Where(source=UNKNOWN))
    assert record is not None
    assert (False, None) == (record.counts, record.status)


def test_a_timeline_calls_its_records_void(world: SealedStore, stored: StoredLog) -> None:
    listed = reading.listed(stored, reading.heads(stored)).objects
    claims = {
        (at.source, claim.is_void)
        for at in listed
        for claim in reading.read(at, world.store.get(at.key)).claims
    }
    assert {("aws_cloudtrail", False), (UNKNOWN, True)} == claims


def test_coverage_reads_none_of_it(world: SealedStore, stored: StoredLog) -> None:
    """Nor is the object unreadable: it claims what this release cannot judge."""
    reader = Reader(world.store)
    records = list(reader.records_of(signed.read(stored).of("ev")))
    assert {"aws_cloudtrail"} == {record.at.source for record in records}
    assert {} == reader.unreadable


@pytest.mark.parametrize(
    ("source", "hour", "unit", "expected"),
    [
        ("aws_cloudtrail", "2026030208", "trail/a@1!h=2026030208", True),
        ("aws_cloudtrail", "2026030209", "trail/a@1!h=2026030209", False),
        ("aws_cloudtrail", "2026030208", "trail/a@1!h=2026030209", False),
        ("gcp_audit", "2026030208", "trail/a@1!h=2026030208", False),
    ],
)
def test_a_claim_is_in_an_object_of_its_source_and_hour(
    world: SealedStore, source: str, hour: str, unit: str, expected: bool
) -> None:
    header = msgspec.convert(world.edit(world.key_of("ev/")).header, Header)
    assert expected == is_in_place(source, hour, header, unit)
