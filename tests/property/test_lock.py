"""With any batch, faults and regrouping, what is acknowledged is stored and counts once."""

from __future__ import annotations

import gzip
import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.event import Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.examples import examples
from tests.memory_store import Fault, MemoryStore
from tests.reading import counted

MAPPER = Mapper("aws_cloudtrail", keep_out_of_scope_raw=False)
FAULTS: list[Fault] = [(True, False), (False, True), (True, True)]
"""Successful, lost, or persisted but reported as failed."""

NAMES = st.sampled_from(
    [f"b/{name}@1{hour}" for name in "abcdef" for hour in ("", "!h=2026030208", "!h=2026030209")]
)
BODIES = st.one_of(
    st.lists(st.integers(0, 9), max_size=4).map(
        lambda numbers: json.dumps({"Records": [{"n": number} for number in numbers]}).encode()
    ),
    st.binary(max_size=20),
)


def deliveries(units: dict[str, bytes]) -> list[Delivery]:
    return [Delivery(name, body) for name, body in units.items()]


@examples(60)
@given(
    st.dictionaries(NAMES, BODIES, min_size=1, max_size=12),
    st.lists(st.sampled_from(FAULTS), max_size=8),
    st.randoms(use_true_random=False),
)
def test_despite_any_fault_everything_is_acknowledged_and_counted_once(
    units: dict[str, bytes], faults: list[Fault], random: Random
) -> None:
    """Groups of any size are delivered in any order until all are acknowledged, and once more."""
    undisturbed = MemoryStore()
    lock_batch(MAPPER, deliveries(units), undisturbed).ensure_locked()
    expected = counted(undisturbed)
    assert set(units) == set(expected)

    coming = list(faults)
    store = MemoryStore(lambda *_: coming.pop(0) if coming else FAULTS[0])
    waiting = dict(units)
    while waiting:
        size = random.randint(1, len(waiting))
        group = dict(random.sample(sorted(waiting.items()), size))
        outcome = lock_batch(MAPPER, deliveries(group), store)
        assert set(group) == outcome.locked | set(outcome.failed) | set(outcome.unreached)
        now = counted(store)
        for name in outcome.locked:
            assert now[name] == expected[name]
            del waiting[name]
    coming.clear()
    lock_batch(MAPPER, deliveries(units), store).ensure_locked()
    assert expected == counted(store)
    assert set(undisturbed.objects) <= set(store.objects)


@examples(40)
@given(st.dictionaries(NAMES, BODIES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_of_deliveries_do_not_matter(
    units: dict[str, bytes], random: Random
) -> None:
    """The same deliveries, in any order and with any duplicates, give the same objects."""
    expected, shuffled = MemoryStore(), MemoryStore()
    lock_batch(MAPPER, deliveries(units), expected)
    again = deliveries(units) + random.choices(deliveries(units), k=3)
    random.shuffle(again)
    lock_batch(MAPPER, again, shuffled)
    assert expected.objects == shuffled.objects


@examples(30)
@given(st.dictionaries(NAMES, BODIES, min_size=1, max_size=12), BODIES)
def test_a_unit_s_bytes_do_not_depend_on_its_neighbors(
    units: dict[str, bytes], body: bytes
) -> None:
    """Its unit line and lines are the same alone and with others: bad input affects nobody."""
    alone, together = MemoryStore(), MemoryStore()
    lock_batch(MAPPER, [Delivery("b/x@1", gzip.compress(body, mtime=0))], alone)
    lock_batch(
        MAPPER, [*deliveries(units), Delivery("b/x@1", gzip.compress(body, mtime=0))], together
    )
    assert written(alone)["b/x@1"] == written(together)["b/x@1"]


def written(store: MemoryStore) -> dict[str, tuple[object, list[bytes]]]:
    """Return each unit's table line and lines, from any object."""
    by_unit: dict[str, tuple[object, list[bytes]]] = {}
    for key in store.keys("ev/"):
        table, lines = objects.read_object(store.get(key))
        for unit, own in objects.lines_of(table, lines):
            by_unit[unit.unit] = unit, list(own)
    return by_unit
