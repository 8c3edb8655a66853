"""Crash points of locking a delivery: each write lost or persisted-but-failed, then redelivery."""

from __future__ import annotations

import gzip

import pytest

from nhi_evidence.cli.story import generate
from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import batch
from nhi_evidence.export import Mapper
from nhi_evidence.lock import lock
from tests.memory_store import Fault, MemoryStore

LOST: Fault = (False, True)
PERSISTED_BUT_FAILED: Fault = (True, True)
FINE: Fault = (True, False)


def deliveries() -> dict[str, Delivery]:
    story = generate()[0]
    return {
        "records": Delivery(unit="b/k@1", body=story.body, hour="2026030208"),
        "undecodable": Delivery(unit="b/k@2", body=b"not json"),
        "empty": Delivery(unit="b/k@3", body=gzip.compress(b'{"Records":[]}')),
        "parts": Delivery(unit="b/k@4", body=gzip.decompress(generate()[3].body)),
    }


@pytest.mark.parametrize("name", deliveries())
@pytest.mark.parametrize("kind", [LOST, PERSISTED_BUT_FAILED])
def test_every_write_may_fail(
    keep_nhi: Mapper, name: str, kind: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any single fault and a redelivery the bucket equals the fault-free one, byte for byte,
    and no success was answered before everything was locked.
    """
    monkeypatch.setattr(batch, "PART_BYTES", 16 * 1024)
    delivery = deliveries()[name]
    expected = MemoryStore()
    lock(keep_nhi, delivery, expected)
    assert len(expected.calls) >= (5 if name == "parts" else 3)
    for failing in range(len(expected.calls)):
        faulty = MemoryStore(lambda call, _, at=failing: kind if call == at else FINE)  # type: ignore[misc]
        with pytest.raises(StoreUnavailableError):
            lock(keep_nhi, delivery, faulty)
        lock(keep_nhi, delivery, faulty)
        assert expected.objects == faulty.objects


def test_source_copy_comes_first(keep_nhi: Mapper) -> None:
    """The order of writes is source copy, its metadata, evidence."""
    store = MemoryStore()
    lock(keep_nhi, deliveries()["records"], store)
    kinds = [("meta" if key.endswith(".meta.json") else key[:3]) for key in store.calls]
    assert ["src", "meta", "ev/"] == kinds


def test_a_second_delivery_creates_nothing(keep_nhi: Mapper) -> None:
    """Delivering twice is delivering once."""
    store = MemoryStore()
    first = lock(keep_nhi, deliveries()["records"], store)
    second = lock(keep_nhi, deliveries()["records"], store)
    assert (3, 0) == (first.created, second.created)
    assert first.keys == second.keys


def test_no_source_copy_where_the_policy_says_so(keep_nhi: Mapper) -> None:
    """Without the source copy the evidence object is the same."""
    with_copy, without = MemoryStore(), MemoryStore()
    lock(keep_nhi, deliveries()["records"], with_copy)
    lock(keep_nhi, deliveries()["records"], without, keep_source=False)
    assert set(without.objects) == {key for key in with_copy.objects if key.startswith("ev/")}
