"""Hours at the ends of runs: those that pairs of runs concern, filed once for each hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.completeness import streams
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.items import EdgeItem, GapItem, Items, OthersItem, RunItem, TwiceItem
from nhi_evidence.completeness.spans import Cover, Edge, Gap, Orders, Span
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.verify.sorting import MemorySorter

HOURS = ["2026030200", "2026030202", "2026030203", "2026030205", "2026039999", "unknown"]
KNOWN = HOURS[:4]
MOST_HOURS = 840
"""35 days."""


def orders() -> st.SearchStrategy[Orders]:
    return st.dictionaries(st.sampled_from(HOURS), st.integers(0, 9), min_size=1)


def earliest(concerned: Iterator[tuple[str, int]]) -> Orders:
    least: Orders = {}
    for hour, order in concerned:
        least[hour] = min(order, least.get(hour, order))
    return least


def by_pairs(before: Orders, after: Orders) -> Iterator[tuple[str, int]]:
    """Where both are known, the hours from one to the other; else those two."""
    for ended, order in before.items():
        for begun, other_order in after.items():
            known = ended in KNOWN and begun in KNOWN
            between = [hour for hour in KNOWN if min(ended, begun) <= hour <= max(ended, begun)]
            for hour in between if known else (ended, begun):
                yield hour, max(order, other_order)


@given(orders(), orders())
def test_a_gap_concerns_what_each_pair_around_it_does(before: Orders, after: Orders) -> None:
    gap = Gap("0", 1, 2, before, after)
    filed = list(gap.concerned(HOURS))
    assert dict(filed) == earliest(by_pairs(before, after))
    assert len(dict(filed)) == len(filed)


@given(orders(), st.booleans())
def test_an_edge_concerns_what_is_beyond_any_run_at_it(
    at: Orders,
    is_end: bool,
) -> None:
    pairs = (
        (hour, order)
        for own, order in at.items()
        for hour in HOURS
        if own not in KNOWN or hour not in KNOWN or (hour >= own if is_end else hour <= own)
    )
    filed = list(Edge("0", 1, is_end, at).concerned(HOURS))
    assert dict(filed) == earliest(pairs)
    assert len(dict(filed)) == len(filed)


def hour(number: int) -> str:
    return f"{datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number):%Y%m%d%H}"


def filed(runs: list[tuple[str, RunItem]]) -> list[tuple[str, object]]:
    """Return hour and item of all that is filed of one stream."""
    collected, items = streams.Runs(MemorySorter()), Items(MemorySorter())
    for at, run in runs:
        collected.add(("azure_monitor", at, Scope(stream="hub")), run)
    collected.close(items)
    return [(subject[1], item) for subject, own in items for item in own]


def run(order: int, number: int, partition: str = "0") -> RunItem:
    return RunItem(order, f"unit {order}", partition, number, number, bytes(8))


@pytest.mark.parametrize("numbers", [(0, 9), (5, 5)], ids=["a gap", "an edge"])
def test_what_is_filed_grows_with_the_runs(numbers: tuple[int, int]) -> None:
    """A writer can end, and begin, as many runs at a number as there are hours."""

    def items(many: int) -> int:
        return len(
            filed(
                [
                    (hour(at), run(2 * at + side, number))
                    for at in range(many)
                    for side, number in enumerate(numbers)
                ]
            )
        )

    assert items(200) == 2 * items(100)


@pytest.mark.parametrize("days", [1, 36, 400])
def test_a_gap_concerns_the_hours_of_the_runs_around_it_however_far_apart(days: int) -> None:
    """A missing message may be of the hour of the first that is there again, or of any between."""
    begins, middle, ends = hour(0), hour(24 * days - 1), hour(24 * days)
    items = filed([(begins, run(0, 0)), (middle, run(1, 0, partition="1")), (ends, run(2, 9))])
    assert {begins, middle, ends} <= {at for at, item in items if isinstance(item, GapItem)}


@pytest.mark.parametrize("apart", [1, MOST_HOURS - 1, MOST_HOURS, MOST_HOURS + 1, 2 * MOST_HOURS])
def test_near_a_gap_all_hours_are_named_up_to_a_maximum(apart: int) -> None:
    """If not all are, it says so: the hours of other partitions are looked at then."""
    gap = Gap("0", 1, 2, {hour(0): 0}, {hour(apart): 1})
    hours, are_all = gap.near()
    named = min(apart, MOST_HOURS)
    assert len(hours) - 2 == gap.between
    assert (sorted({*map(hour, range(named)), hour(apart)}), apart == named) == (hours, are_all)


def test_a_gap_spans_what_is_between_the_hours_around_it() -> None:
    """Not those hours themselves, nor anything between two that follow each other."""
    gap = Gap("0", 1, 2, {hour(0): 0, hour(1): 0}, {hour(3): 1, hour(9): 1})
    first = (keys.hour_start(hour(0)) or 0) // HOUR_MS
    assert [(first + 2, first + 2, 1), (first + 4, first + 8, 1)] == list(gap.spans())


def test_between_runs_far_apart_not_every_hour_is_named() -> None:
    """Hours without a run get a statement only near one: a key can name any year."""
    items = filed([("1970010100", run(0, 0)), ("9998123123", run(1, 9))])
    assert MOST_HOURS + 1 == sum(isinstance(item, GapItem) for _, item in items)
    assert 1 == sum(isinstance(item, EdgeItem) for _, item in items)


def test_edges_grow_with_the_hours_however_many_the_partitions() -> None:
    """A writer names partitions in one object, and each of them concerns every later hour."""
    partitions, hours = 500, 300
    runs = [(hour(0), run(0, 0, partition=f"p{number}")) for number in range(partitions)]
    runs += [(hour(at), run(at, at, partition="0")) for at in range(hours)]
    items = [item for _, item in filed(runs) if not isinstance(item, RunItem)]
    assert len(items) <= (streams.MOST_EDGES + 1) * hours
    assert hours == sum(isinstance(item, OthersItem) for item in items)


def test_gaps_grow_with_the_runs_however_far_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two objects with runs of two hours: each number that lacks concerns all between the two."""
    many, most = 400, 2_000
    monkeypatch.setattr(streams, "MOST_BETWEEN", most)
    runs = [(hour(30 * 24 * (number % 2)), run(number, 2 * number)) for number in range(many)]
    assert len(filed(runs)) <= most + 6 * many


def test_gaps_beyond_the_bound_are_named_around_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """And every hour of the stream between is said to have gaps: none of them is contiguous."""
    monkeypatch.setattr(streams, "MOST_BETWEEN", 0)
    runs = [(hour(0), run(0, 0)), (hour(3), run(1, 0, partition="1")), (hour(9), run(2, 9))]
    items = filed(runs)
    assert [hour(0), hour(9)] == [at for at, item in items if item == GapItem(2, "0", 1, 8)]
    assert [hour(3)] == [at for at, item in items if item == OthersItem(2, "number_gap")]


def test_a_long_gap_with_room_for_what_is_near_is_still_named_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The room is used to its end; hours for which there is none have the gap among others."""
    monkeypatch.setattr(streams, "MOST_BETWEEN", MOST_HOURS - 1)
    far = hour(2 * MOST_HOURS)
    runs = [(hour(0), run(0, 0)), (far, run(1, 0, partition="1")), (hour(2500), run(2, 9))]
    items = filed(runs)
    assert MOST_HOURS + 1 == sum(isinstance(item, GapItem) for _, item in items)
    assert far in {at for at, item in items if item == OthersItem(2, "number_gap")}


def runs_of_one_stream() -> st.SearchStrategy[list[tuple[str, RunItem]]]:
    drawn = st.tuples(st.sampled_from("0123"), st.integers(0, 9), st.sampled_from(HOURS))
    return st.lists(drawn, min_size=1, max_size=9).map(
        lambda each: [
            (at, run(order, number, partition))
            for order, (partition, number, at) in enumerate(each)
        ]
    )


@given(runs_of_one_stream(), st.integers(0, 8), st.integers(0, 3))
def test_bounds_never_make_an_hour_contiguous(
    runs: list[tuple[str, RunItem]], most: int, edges: int
) -> None:
    """Each hour with a run lacks the same, as of each prefix of the log, whatever the bounds."""

    def lacking() -> set[tuple[str, int, str]]:
        at_runs = {at for at, _ in runs}
        earliest_of: dict[tuple[str, str], int] = {}
        for at, item in filed(runs):
            named = streams.lack(item)  # type: ignore[arg-type]
            if named is not None and at in at_runs:
                order = item.order  # type: ignore[attr-defined]
                known = earliest_of.get((at, named.reason), order)
                earliest_of[at, named.reason] = min(order, known)
        return {(at, order, reason) for (at, reason), order in earliest_of.items()}

    unbounded = lacking()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "MOST_BETWEEN", most)
        patch.setattr(streams, "MOST_EDGES", edges)
        assert unbounded == lacking()


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(0, 9))))
def test_a_cover_concerns_what_any_of_its_spans_does(drawn: list[Span]) -> None:
    base = 490_000
    cover = Cover()
    least: Orders = {}
    for first, more, order in drawn:
        cover.add((base + first, base + first + more, order))
        for at in range(base + first, base + first + more + 1):
            name = keys.hour_of(at * HOUR_MS)
            least[name] = min(order, least.get(name, order))
    everything = [keys.hour_of(at * HOUR_MS) for at in range(base - 1, base + 110)]
    assert least == dict(cover.concerned([*everything, "unknown"]))


def at_gaps(runs: list[tuple[str, RunItem]]) -> set[tuple[str, int, int]]:
    """Return hour, first and last missing number of each gap that is filed."""
    return {(at, one.first, one.last) for at, one in filed(runs) if isinstance(one, GapItem)}


def test_each_of_two_gaps_is_filed() -> None:
    """The hour between them is concerned by both, those before and after by one."""
    runs = [(hour(at), run(at, number)) for at, number in enumerate((0, 2, 4))]
    assert at_gaps(runs) == {
        (hour(0), 1, 1),
        (hour(1), 1, 1),
        (hour(1), 3, 3),
        (hour(2), 3, 3),
    }


def test_every_run_that_ends_before_a_gap_is_at_it() -> None:
    """Several may end with one number: what is missing may be of the earliest of their hours."""
    longer = RunItem(0, "unit 0", "0", 0, 4, bytes(5 * 8))
    runs = [(hour(0), longer), (hour(2), run(1, 4)), (hour(3), run(2, 9))]
    assert {at for at, *_ in at_gaps(runs)} == set(map(hour, range(4)))


def test_the_last_numbers_may_contradict_each_other() -> None:
    other = RunItem(1, "unit 1", "0", 0, 0, b"\xff" * 8)
    items = filed([(hour(0), run(0, 0)), (hour(1), other)])
    assert {at for at, item in items if isinstance(item, TwiceItem)} == {hour(0), hour(1)}


@pytest.mark.parametrize(("number", "begins"), [(0, set()), (1, {1}), (2, {2})])
def test_a_stream_begins_with_the_number_0(number: int, begins: set[int]) -> None:
    """What comes before any other first number is not known."""
    items = filed([(hour(0), run(0, number))])
    edges = [item for _, item in items if isinstance(item, EdgeItem)]
    assert {edge.number for edge in edges if not edge.is_end} == begins
