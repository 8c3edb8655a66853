"""Crash points while locking a batch: each write lost or persisted-but-failed, then redelivery."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

import pytest

from nhi_evidence.demo.story import generate
from nhi_evidence.errors import SourceUnavailableError, StoreUnavailableError, UnreachedError
from nhi_evidence.event import Announced, Delivery
from nhi_evidence.evidence import objects, unit
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from tests.memory_store import Fault, MemoryStore
from tests.reading import Unit, counted

LOST: Fault = (False, True)


PERSISTED_BUT_FAILED: Fault = (True, True)


FINE: Fault = (True, False)


@cache
def deliveries() -> tuple[Delivery, ...]:
    """Deliveries of two hours and of none, a unit of several parts, an undecodable and an empty
    one.
    """
    files = generate()
    return (
        Delivery("b/k0@1!h=2026030208", files[0].body),
        Delivery("b/k1@1!h=2026030208", files[1].body),
        Delivery("b/parts@1!h=2026030208", gzip.decompress(files[3].body)),
        Delivery("b/torn@1!h=2026030208", b"not json"),
        Delivery("b/k0@2!h=2026030209", files[7].body),
        Delivery("b/empty@1!h=2026030209", gzip.compress(b'{"Records":[]}', mtime=0)),
        Delivery("b/unknown@1", files[6].body),
    )


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the largest of the files take several parts."""
    monkeypatch.setattr(unit, "PART_BYTES", 32 * 1024)


def at(call: int, kind: Fault) -> MemoryStore:
    return MemoryStore(lambda number, _: kind if number == call else FINE)


def assert_promise(mapper: Mapper, outcome: Outcome, store: MemoryStore) -> None:
    """Assert that every unit is in exactly one set, and that each locked one is complete."""
    names = {delivery.unit for delivery in deliveries()}
    sets = [outcome.locked, set(outcome.failed), set(outcome.unreached)]
    assert names == set().union(*sets)
    assert len(names) == sum(map(len, sets))
    actual, expected = counted(store), counted(fault_free(mapper))
    for name in outcome.locked:
        assert actual[name] == expected[name]


WRITES = 6
"""Two hours and the unknown one; a unit of two parts takes two objects and closes the last one."""


@cache
def fault_free(mapper: Mapper) -> MemoryStore:
    """The store after no fault: the same for every test, so it is read and never written to."""
    store = MemoryStore()
    outcome = lock_batch(mapper, deliveries(), store)
    outcome.ensure_locked()
    return store


def test_the_crash_table_covers_every_write(keep_nhi: Mapper) -> None:
    """The batch makes several objects, one unit has several parts, and everything counts."""
    store = fault_free(keep_nhi)
    assert WRITES == len(store.calls)
    assert len(Unit(store, "b/parts@1!h=2026030208").headers) >= 2
    assert {"counted"} == {status for status, *_ in counted(store).values()}


@pytest.mark.parametrize("kind", [LOST, PERSISTED_BUT_FAILED], ids=["lost", "persisted"])
@pytest.mark.parametrize("failing", range(WRITES))
def test_every_write_may_fail(keep_nhi: Mapper, failing: int, kind: Fault) -> None:
    """After one fault and a redelivery, the bucket equals the fault-free one byte for byte."""
    expected = fault_free(keep_nhi)
    faulty = at(failing, kind)
    outcome = lock_batch(keep_nhi, deliveries(), faulty)
    assert outcome.failed
    assert_promise(keep_nhi, outcome, faulty)
    with pytest.raises(StoreUnavailableError):
        outcome.ensure_locked()
    lock_batch(keep_nhi, deliveries(), faulty).ensure_locked()
    assert expected.objects == faulty.objects


@pytest.mark.parametrize("kind", [LOST, PERSISTED_BUT_FAILED], ids=["lost", "persisted"])
@pytest.mark.parametrize("failing", range(WRITES))
@pytest.mark.parametrize("size", [1, 2, 3])
def test_failed_units_may_be_redelivered_in_other_groups(
    keep_nhi: Mapper, failing: int, kind: Fault, size: int
) -> None:
    """However the rest is regrouped and redelivered, every unit counts once, and the same."""
    expected = counted(fault_free(keep_nhi))
    faulty = at(failing, kind)
    outcome = lock_batch(keep_nhi, deliveries(), faulty)
    again = [one for one in reversed(deliveries()) if one.unit not in outcome.locked]
    for start in range(0, len(again), size):
        lock_batch(keep_nhi, again[start : start + size], faulty).ensure_locked()
    assert expected == counted(faulty)
    for delivery in deliveries():  # and everything once more, each for itself
        lock_batch(keep_nhi, [delivery], faulty).ensure_locked()
    assert expected == counted(faulty)


@pytest.mark.parametrize("written", range(WRITES))
def test_a_killed_process_has_acknowledged_only_what_it_locked(
    keep_nhi: Mapper, written: int
) -> None:
    """After a kill between any two writes, the same batch finishes and adds what is missing."""

    class Killed(BaseException):
        pass

    def die(number: int, _: str) -> Fault:
        if number == written:
            raise Killed
        return FINE

    expected, store = fault_free(keep_nhi), MemoryStore(die)
    with pytest.raises(Killed):
        lock_batch(keep_nhi, deliveries(), store)
    outcome = lock_batch(keep_nhi, deliveries(), store)
    assert written == sum(not locked.created for locked in outcome.objects)
    assert expected.objects == store.objects


def test_a_second_delivery_creates_nothing(keep_nhi: Mapper) -> None:
    """Delivering twice has the effect of delivering once, in any order of messages."""
    store = MemoryStore()
    first = lock_batch(keep_nhi, deliveries(), store)
    second = lock_batch(keep_nhi, list(reversed(deliveries())), store)
    assert [one.key for one in first.objects] == [one.key for one in second.objects]
    assert [True] * WRITES == [one.created for one in first.objects]
    assert [False] * WRITES == [one.created for one in second.objects]


def test_an_unavailable_store_is_not_tried_for_every_object(keep_nhi: Mapper) -> None:
    """After two failed writes in a row the rest counts as not reached, not as failed."""
    store = MemoryStore(lambda *_: LOST)
    outcome = lock_batch(keep_nhi, deliveries(), store)
    assert not outcome.locked
    assert outcome.unreached
    assert outcome.writes_failed >= 2
    assert_promise(keep_nhi, outcome, store)


def test_a_deadline_leaves_the_rest_unreached(keep_nhi: Mapper) -> None:
    """What was fetched is locked; nothing else is fetched."""
    fetched: list[str] = []

    def announced(delivery: Delivery) -> Announced:
        def fetch() -> Delivery:
            fetched.append(delivery.unit)
            return delivery

        return Announced(delivery.unit, fetch)

    store = MemoryStore()
    outcome = lock_batch(
        keep_nhi, map(announced, deliveries()), store, time_is_up=lambda: len(fetched) == 3
    )
    assert (3, 4) == (len(outcome.locked), len(outcome.unreached))
    assert set(fetched) == outcome.locked
    assert_promise(keep_nhi, outcome, store)
    with pytest.raises(UnreachedError, match="4 units"):
        outcome.ensure_locked()


def test_what_cannot_be_fetched_fails_alone(keep_nhi: Mapper) -> None:
    """Whatever keeps one object from being read, the others are locked together."""

    def gone() -> Delivery:
        raise SourceUnavailableError("gone")

    def odd() -> Delivery:
        raise RuntimeError("nobody expected this")

    batch: list[Delivery | Announced] = [
        *deliveries(),
        Announced("b/gone@1", gone),
        Announced("b/odd@1", odd),
    ]
    store = MemoryStore()
    outcome = lock_batch(keep_nhi, batch, store)
    assert {"b/gone@1", "b/odd@1"} == set(outcome.failed)
    assert {delivery.unit for delivery in deliveries()} == outcome.locked
    assert fault_free(keep_nhi).objects == store.objects


@pytest.mark.parametrize("failing", [0, 1])
@pytest.mark.parametrize("kind", [LOST, PERSISTED_BUT_FAILED], ids=["lost", "persisted"])
def test_both_contents_of_one_name_are_locked(keep_nhi: Mapper, failing: int, kind: Fault) -> None:
    """Which of them counts is decided elsewhere: the name is done when both are locked."""
    batch = [Delivery("b/k@1", body) for body in (b'{"Records":[1]}', b'{"Records":[2]}')]
    faulty = at(failing, kind)
    assert not lock_batch(keep_nhi, batch, faulty).locked
    outcome = lock_batch(keep_nhi, batch, faulty)
    assert {"b/k@1"} == outcome.locked
    assert 2 == len(faulty.objects)
    assert "contested" == counted(faulty)["b/k@1"][0]


def test_a_name_is_not_done_until_both_contents_are_locked(keep_nhi: Mapper) -> None:
    """While the second content of a name is not reached, the message stays."""
    batch = [Delivery("b/k@1", body) for body in (b'{"Records":[1]}', b'{"Records":[2]}')]
    answers = iter([False, True])
    outcome = lock_batch(keep_nhi, batch, MemoryStore(), time_is_up=lambda: next(answers))
    assert (set(), ["b/k@1"]) == (outcome.locked, outcome.unreached)


class Poisoned(Mapper):
    """A mapper with a defect."""

    def units(self, delivery: Delivery) -> Any:
        """Fail on one unit, after its first part if it has several."""
        parts = super().units(delivery)
        yield next(parts)
        if "poison" in delivery.unit:
            raise ZeroDivisionError("a defect")
        yield from parts


def test_a_defect_affects_only_its_own_unit() -> None:
    """It is locked as received, with the reason, and counted so; its neighbors are mapped."""
    mapper = Poisoned("aws_cloudtrail", keep_out_of_scope_raw=False)
    large = gzip.decompress(generate()[3].body)
    batch = [*deliveries(), Delivery("b/poison@1!h=2026030208", large)]
    store = MemoryStore()
    outcome = lock_batch(mapper, batch, store)
    outcome.ensure_locked()
    assert {"b/poison@1!h=2026030208": "a defect"} == {
        name: str(error) for name, error in outcome.unmapped.items()
    }
    read = Unit(store, "b/poison@1!h=2026030208")
    assert ("mapper_failed", large) == (read.rejection, b"".join(read.raw()))
    assert 1 == sum(locked.rejected_deliveries for locked in outcome.objects) - 1  # and the torn
    assert {"counted"} == {status for status, *_ in counted(store).values()}


def test_a_unit_that_cannot_be_mapped_may_be_left_to_the_caller() -> None:
    """It then fails, and nothing of it is written."""
    mapper = Poisoned("aws_cloudtrail", keep_out_of_scope_raw=False)
    batch = [*deliveries(), Delivery("b/poison@1!h=2026030208", b'{"Records":[]}')]
    store = MemoryStore()
    outcome = lock_batch(mapper, batch, store, reject_unmapped=False)
    assert {"b/poison@1!h=2026030208"} == set(outcome.failed) == set(outcome.unmapped)
    assert fault_free(mapper).objects == store.objects


def test_a_unit_too_large_for_an_object_is_locked_as_received(
    keep_all: Mapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers inflate no more than the format allows, so writers must not write more."""
    monkeypatch.setattr(objects, "_MAX_PART_BYTES", 65_000)
    store = MemoryStore()
    outcome = lock_batch(keep_all, deliveries(), store)
    outcome.ensure_locked()
    assert outcome.unmapped
    for delivery in deliveries():
        if delivery.unit in outcome.unmapped:
            read = Unit(store, delivery.unit)
            assert ("part_too_large", delivery.body) == (read.rejection, b"".join(read.raw()))


def test_running_out_of_memory_rejects_no_unit(
    keep_nhi: Mapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is rejected: the whole batch is retried."""

    def exhausted(_: Delivery) -> Any:
        raise MemoryError

    monkeypatch.setattr(keep_nhi, "units", exhausted)
    store = MemoryStore()
    with pytest.raises(MemoryError):
        lock_batch(keep_nhi, deliveries(), store)
    assert {} == store.objects


def test_object_bytes_do_not_depend_on_the_writer(keep_nhi: Mapper) -> None:
    """Another writer at another time writes the same keys and bytes; metadata names the writer."""
    first, other = MemoryStore(), MemoryStore()
    for store, name in ((first, "one"), (other, "other")):
        lock_batch(keep_nhi, deliveries(), store, metadata={"writer": name})
    assert first.objects == other.objects
    for key in first.objects:
        assert ("one", "other") == tuple(
            store.first(key).metadata["writer"] for store in (first, other)
        )


def test_a_delivery_that_cannot_even_be_rejected_fails_alone() -> None:
    """Its name cannot be written as UTF-8, so no line can name it: the other one is locked."""
    store = MemoryStore()
    good = deliveries()[0]
    outcome = lock_batch(
        Mapper("aws_cloudtrail", keep_out_of_scope_raw=True),
        [good, Delivery("b/x\ud800@v1", b"{")],
        store,
    )
    assert {good.unit} == outcome.locked
    assert {"b/x\ud800@v1"} == set(outcome.failed)
    assert 1 == len(outcome.objects)
