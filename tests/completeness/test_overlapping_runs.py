"""Overlapping runs: the same contradictions as pair by pair, in work that grows with the runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.completeness.items import RunItem, TwiceItem
from nhi_evidence.completeness.numbers import MESSAGE_BYTES, Numbers, message_hash

Placed = tuple[str, RunItem]


@st.composite
def placed(draw: st.DrawFn) -> Placed:
    first, count = draw(st.integers(0, 6)), draw(st.integers(1, 5))
    digests = draw(st.lists(st.sampled_from(b"xyz"), min_size=count, max_size=count))
    hashes = b"".join(bytes([digest]) * MESSAGE_BYTES for digest in digests)
    order, hour = draw(st.integers(0, 9)), draw(st.sampled_from(("08", "09", "10")))
    return hour, RunItem(order, f"unit {order}", "0", first, first + count - 1, hashes)


def taken(runs: list[Placed]) -> Iterator[tuple[str, TwiceItem]]:
    numbers = Numbers()
    for hour, run in runs:
        yield from numbers.take(hour, run)
    yield from numbers.drop(None)


def pair_by_pair(runs: list[Placed]) -> list[tuple[str, TwiceItem]]:
    """What runs of two hours hold differently, from when the first such pair is in the log."""
    orders: dict[tuple[int, str], int] = {}
    for hour, run in runs:
        for other_hour, other in runs:
            for number in range(max(run.first, other.first), min(run.last, other.last) + 1):
                mine, theirs = (
                    each.hashes[MESSAGE_BYTES * (number - each.first) :][:MESSAGE_BYTES]
                    for each in (run, other)
                )
                if hour != other_hour and mine != theirs:
                    order = max(run.order, other.order)
                    orders[number, hour] = min(order, orders.get((number, hour), order))
    return [(hour, TwiceItem(order, "0", number)) for (number, hour), order in orders.items()]


def _place(filed: tuple[str, TwiceItem]) -> tuple[int, str]:
    return filed[1].number, filed[0]


@given(
    st.lists(placed(), max_size=7).map(lambda runs: sorted(runs, key=lambda each: each[1].first))
)
def test_contradictions_are_those_of_each_pair(runs: list[Placed]) -> None:
    assert sorted(pair_by_pair(runs), key=_place) == list(taken(runs))


class Digest(bytes):
    """The hash of a message, which counts how often one is looked up: the work there is."""

    looked_up = 0

    def __hash__(self) -> int:
        Digest.looked_up += 1
        return super().__hash__()


def _work(monkeypatch: pytest.MonkeyPatch, runs: list[Placed]) -> int:
    """Return how often the contradictions of runs take a hash in hand."""
    monkeypatch.setattr(
        "nhi_evidence.completeness.numbers.message_hash",
        lambda run, number: Digest(message_hash(run, number)),
    )
    Digest.looked_up = 0
    for _ in taken(runs):
        pass
    monkeypatch.undo()
    return Digest.looked_up


def test_short_runs_do_not_each_cost_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer can put thousands of runs of one message beside one of very many."""
    many, few = 20_000, 1_000
    long = ("08", RunItem(0, "long", "0", 0, many - 1, b"x" * MESSAGE_BYTES * many))
    short = [
        ("08", RunItem(1, f"{number}", "0", number, number, b"x" * MESSAGE_BYTES))
        for number in range(few)
    ]
    assert _work(monkeypatch, [long, *short]) < 10 * (many + few)


@pytest.mark.parametrize(("hours", "texts"), [(1, 2_000), (2_000, 2_000), (2_000, 1)])
def test_many_messages_under_one_number_are_not_compared_pair_by_pair(
    monkeypatch: pytest.MonkeyPatch, hours: int, texts: int
) -> None:
    """Neither those of one hour nor of as many hours, each in an object of its own.

    Nor is one message that all those hours have.
    """
    many = 2_000
    runs = [
        (
            f"{number % hours:04}",
            RunItem(number, f"{number}", "0", 5, 5, (number % texts).to_bytes(8)),
        )
        for number in range(many)
    ]
    assert _work(monkeypatch, runs) < 20 * many
