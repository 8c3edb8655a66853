"""Readings and changes from sealed evidence: only what is signed and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.coverage import evidence, reading_file
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.errors import LogError
from nhi_evidence.evidence.stored_log import StoredLog
from tests.altering import altered
from tests.coverage.sealed_estate import DAY, HOUR, NAME, TRAIL, Sealed, change, delivery, record

CELL = "aws.privilege_change.policies"


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    sealed_store = Sealed(tmp_path / "evidence")
    sealed_store.lock(
        delivery(
            5, [record("GetCallerIdentity", 300, 1), change("StopLogging", 310, 2, name=TRAIL)]
        ),
        delivery(7, [change("StartLogging", 430, 3, name=TRAIL)]),
    )
    sealed_store.state(estate.reading("aws", DAY + 2 * HOUR))
    sealed_store.state(estate.reading("aws", DAY + 20 * HOUR))
    sealed_store.seal()
    return sealed_store


def test_the_interval_comes_from_the_sealed_records(sealed: Sealed) -> None:
    observed = evidence.observed(sealed.store, sealed.stored)
    assert observed.unreadable == {}
    assert [one.what.split()[0] for _, one in observed.changes] == ["StopLogging", "StartLogging"]
    readings = [reading for _, reading in observed.readings]
    result = matrix(readings, [one for _, one in observed.changes])
    cell = next(one for one in result.cells if one.cell == CELL)
    minutes = [
        (one.verdict.value, (one.span.start - DAY) // 60_000, (one.span.end - DAY) // 60_000)
        for one in cell.stretches
    ]
    assert minutes == [
        ("CONFIGURED", 120, 310),
        ("GAP", 310, 430),
        ("CONFIGURED", 430, 1200),
    ]
    assert cell.verdict is Verdict.CONFIGURED


def test_unsealed_evidence_is_not_used(sealed: Sealed) -> None:
    sealed.state(estate.reading("gcp", DAY))
    sealed.lock(delivery(9, [change("DeleteTrail", 541, 4, name=TRAIL)]))
    observed = evidence.observed(sealed.store, sealed.stored)
    assert {reading.platform for _, reading in observed.readings} == {"aws"}
    assert len(observed.changes) == 2
    sealed.seal()
    observed = evidence.observed(sealed.store, sealed.stored)
    assert {reading.platform for _, reading in observed.readings} == {"aws", "gcp"}
    assert len(observed.changes) == 3


def test_a_change_in_two_objects_is_one(sealed: Sealed) -> None:
    """A file repeated in another batch is a duplicate."""
    again = delivery(
        5, [record("GetCallerIdentity", 300, 1), change("StopLogging", 310, 2, name=TRAIL)]
    )
    sealed.lock(again, delivery(6, [record("GetCallerIdentity", 361, 9)]))
    sealed.lock(again, delivery(5, [record("GetCallerIdentity", 301, 10)], "Other"))
    sealed.seal()
    assert len(evidence.observed(sealed.store, sealed.stored).changes) == 2


def test_a_contested_change_decides_nothing(sealed: Sealed) -> None:
    sealed.lock(delivery(7, [record("GetCallerIdentity", 421, 11)]))
    sealed.seal()
    observed = evidence.observed(sealed.store, sealed.stored)
    assert [one.what.split()[0] for _, one in observed.changes] == ["StopLogging"]


def test_an_altered_reading_is_named_and_left_out(sealed: Sealed) -> None:
    path = next((sealed.folder / "op/v1/config").rglob(f"*{reading_file.ENDING}"))
    path.write_bytes(altered(path.read_bytes()))
    observed = evidence.observed(sealed.store, sealed.stored)
    assert len(observed.readings) == 1
    assert len(observed.unreadable) == 1


def test_another_log_is_not_believed(sealed: Sealed, tmp_path: Path) -> None:
    other = StoredLog(sealed.store, NAME, (Sealed(tmp_path / "other", "other").key,))
    with pytest.raises(LogError):
        evidence.observed(sealed.store, other)
    path = next(one for one in (sealed.folder / "log").rglob("tile/entries/**/*") if one.is_file())
    body = bytearray(path.read_bytes())
    body[-2] ^= 1
    path.write_bytes(bytes(body))
    with pytest.raises(LogError):
        evidence.observed(sealed.store, sealed.stored)


@pytest.mark.parametrize("body", [b"", b"no frame", b"\x28\xb5\x2f\xfd"])
def test_an_invalid_reading_is_refused(body: bytes) -> None:
    with pytest.raises(ReadingError):
        reading_file.read(body, "x")


def test_a_reading_has_one_encoding() -> None:
    reading = estate.reading("vault", DAY)
    operation = reading_file.write(reading)
    assert reading_file.read(operation.body, operation.key) == reading
    assert operation.key.startswith("op/v1/config/h=2026030200/")
    assert reading_file.write(reading) == operation
