"""Hub contiguity: exactly if the numbers of every partition form an interval through an hour.

The cases lock and seal real runs; the property compares many more with sets of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.completeness import reconcile, streams
from nhi_evidence.completeness.items import Items, RunItem
from nhi_evidence.completeness.judge import Known, judge
from nhi_evidence.completeness.numbers import MESSAGE_BYTES
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Scope, Statement
from nhi_evidence.event import Delivery
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.scope import Scope as Kept
from tests.completeness.trail import Evidence

HUB = "ns/hub#2026-03-01T00:00:00Z"
AGAIN = "ns/hub#2026-03-02T09:30:00Z"
EIGHT, NINE, TEN, ELEVEN = ("2026030208", "2026030209", "2026030210", "2026030211")


def message(number: int, hour: str, text: str = "", offset: str = "") -> Message:
    body = json.dumps({"records": [{"category": "Administrative", "n": number, "t": text}]})
    enqueued = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}T{hour[8:]}:15:00Z" if hour else None
    return Message(body.encode(), number, offset or str(number * 4096), enqueued)


def run(first: int, last: int, hour: str, partition: str = "0", *, hub: str = HUB) -> Run:
    numbered = tuple(message(number, hour) for number in range(first, last + 1))
    return Run(f"{hub}/{partition}", numbered)


class Hub:
    """A hub's runs, locked and sealed as they arrive."""

    def __init__(self, *runs: Run) -> None:
        self.evidence = Evidence(datetime(2026, 3, 5, tzinfo=UTC))
        self.evidence.mapper = Mapper("azure_monitor", scope=Kept.ALL, keep_out_of_scope_raw=True)
        self.deliver(*runs)

    def deliver(self, *runs: Run, unit: str = "") -> None:
        self.evidence.lock([Delivery(unit or each.unit, event_hub.frame(each)) for each in runs])
        self.evidence.now += 60_000
        self.evidence.seal()

    def on(self, hour: str, hub: str = HUB) -> Statement:
        return self.evidence.on(hour, Scope(stream=hub))

    def reasons(self, hour: str, hub: str = HUB) -> tuple[str, ...]:
        return self.on(hour, hub).reasons

    def named(self, hour: str) -> set[tuple[str, str]]:
        return {(each.reason, each.name) for each in self.on(hour).named}


def around(*runs: Run, partition: str = "0", first: int = 5, last: int = 9) -> Hub:
    """Return runs with a neighbor in the hours before and after."""
    return Hub(run(0, first - 1, EIGHT, partition), *runs, run(last + 1, last + 3, TEN, partition))


def test_an_interval_is_contiguous_between_its_neighbors() -> None:
    """Even the first hour, since a hub's numbers begin at 0; the last one is open."""
    hub = around(run(5, 9, NINE))
    assert (Verdict.CONTIGUOUS, 5, ()) == (
        hub.on(EIGHT).verdict,
        hub.on(EIGHT).found,
        hub.on(EIGHT).reasons,
    )
    assert (Verdict.CONTIGUOUS, 5) == (hub.on(NINE).verdict, hub.on(NINE).found)
    assert (Verdict.UNPROVABLE, ("open",)) == (hub.on(TEN).verdict, hub.reasons(TEN))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_sealing_does_not_matter(order: Sequence[int]) -> None:
    runs = [run(0, 4, EIGHT), run(5, 9, NINE), run(10, 12, TEN)]
    hub = Hub()
    for place in order:
        hub.deliver(runs[place])
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict


def test_a_gap_is_named_in_every_hour_it_may_belong_to() -> None:
    hub = around(run(5, 6, NINE))
    assert {("number_gap", "0/7-9")} == hub.named(NINE)
    assert hub.on(NINE).is_incomplete
    assert ("number_gap", "0/7-9") in hub.named(TEN)
    assert Verdict.CONTIGUOUS is hub.on(EIGHT).verdict


def test_a_gap_in_an_hour_without_any_run_is_named_in_the_hours_around_it() -> None:
    hub = Hub(run(0, 4, EIGHT), run(8, 9, TEN), run(10, 11, ELEVEN))
    assert ({("number_gap", "0/5-7")},) * 2 == (hub.named(EIGHT), hub.named(TEN))


def test_a_restart_at_an_old_offset_repeats_and_changes_nothing() -> None:
    """The same messages with other batch edges, within and across hours."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(6, 8, NINE), run(7, 9, NINE), run(9, 11, NINE))
    assert (Verdict.CONTIGUOUS, 7) == (hub.on(NINE).verdict, hub.on(NINE).found)


def test_a_hub_made_again_is_another_stream() -> None:
    """Its numbers start over: there is no gap in the old stream or the new one."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(0, 2, NINE, hub=AGAIN), run(3, 4, TEN, hub=AGAIN), run(5, 6, ELEVEN, hub=AGAIN))
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict
    assert Verdict.CONTIGUOUS is hub.on(NINE, AGAIN).verdict
    assert Verdict.CONTIGUOUS is hub.on(TEN, AGAIN).verdict


def test_an_added_partition_begins_at_zero() -> None:
    """It does not affect earlier hours, and is judged from its first message on."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(0, 1, NINE, "4"), run(2, 3, TEN, "4"))
    assert Verdict.CONTIGUOUS is hub.on(EIGHT).verdict
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict


def test_an_added_partition_that_is_seen_late_covers_nothing_before() -> None:
    """Its numbers 0 to 2 may belong to any earlier hour."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(3, 5, TEN, "4"), run(6, 7, ELEVEN, "4"))
    assert {("uncovered", "4/3")} == hub.named(NINE)
    assert ("uncovered", "4/3") in hub.named(TEN)


def test_a_stuck_partition_keeps_every_hour_open() -> None:
    """If an exporter is stuck on one partition, the numbers of others say nothing about it."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(0, 3, EIGHT, "1"))
    assert {("open", "1/3")} == hub.named(EIGHT) == hub.named(NINE)
    hub.deliver(run(4, 4, TEN, "1"))
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict


@pytest.mark.parametrize("hour", [NINE, TEN])
def test_a_number_with_another_message_is_contested(hour: str) -> None:
    """A hub that failed over to an incomplete region assigns numbers twice.

    Whether in one hour or two, none of these hours is contiguous.
    """
    hub = around(run(5, 9, NINE))
    other = message(8, hour, "after the failover")
    hub.deliver(Run(f"{HUB}/0", (other,)))
    assert ("contested", "0/8") in hub.named(NINE)
    assert ("contested", "0/8") in hub.named(hour)
    assert Verdict.CONTIGUOUS is hub.on(EIGHT).verdict


def test_numbers_decide_and_offsets_do_not() -> None:
    """Offsets grow by bytes, and a failed-over hub prefixes them with its epoch."""
    spelled = [
        Run(f"{HUB}/0", (message(number, hour, offset=offset),))
        for number, hour, offset in (
            (0, EIGHT, "0"),
            (1, EIGHT, "917504"),
            (2, NINE, "2:917504:2"),
            (3, NINE, "5"),
            (4, TEN, "6"),
        )
    ]
    assert Verdict.CONTIGUOUS is Hub(*spelled).on(NINE).verdict
    without = Hub(*spelled[:2], *spelled[3:])
    assert {("number_gap", "0/2")} == without.named(NINE)


def test_messages_of_unknown_hour_are_never_contiguous() -> None:
    """Messages of unknown time may belong to any hour, and no hour is beyond them."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(10, 11, ""))
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict
    assert ("open", "0/12") in hub.named("unknown")


def test_a_unit_that_is_not_a_run_is_named() -> None:
    """Bytes that are not a framed run have no numbers, whatever the unit's name claims."""
    hub = around(run(5, 9, NINE))
    other = "ns/other#2026-03-01T00:00:00Z"
    hub.evidence.lock([Delivery(f"{other}/0/5-9!h={NINE}", b"not a run")])
    hub.evidence.seal()
    statement = hub.on(NINE, other)
    assert (Verdict.UNPROVABLE, ("uncovered",), 0) == (
        statement.verdict,
        statement.reasons,
        statement.found,
    )


def test_an_impossible_hub_name_affects_no_other_hour() -> None:
    """If a writer puts a zero byte into a name, only its own hour is unprovable."""
    hub = around(run(5, 9, NINE))
    hub.deliver(run(0, 1, NINE), unit=f"ns/h\0ub#1/0/0-1!h={NINE}")
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict
    assert ("uncovered",) == hub.reasons(NINE, "ns/h\0ub#1")


def test_later_evidence_makes_no_earlier_statement_false() -> None:
    """Judged as of the log it names, an hour is never worse than before."""
    hub = Hub(run(10, 12, EIGHT), run(13, 15, NINE), run(16, 17, TEN))
    before = hub.evidence.read().log
    assert Verdict.CONTIGUOUS is hub.on(NINE).verdict
    hub.deliver(run(2, 4, NINE), run(16, 16, ELEVEN, "1"), run(14, 14, TEN))
    hub.deliver(Run(f"{HUB}/0", (message(14, ELEVEN, "other"),)))
    assert Verdict.UNPROVABLE is hub.on(NINE).verdict
    read = hub.evidence.read()
    again = list(
        reconcile.statements(reconcile.Read(log=before, items=read.items), Known(log=before))
    )
    (judged,) = (each.statements for each in again if each.hour == NINE)
    assert [Verdict.CONTIGUOUS] == [each.verdict for each in judged]


def test_an_hour_of_which_nothing_is_filed_is_not_contiguous() -> None:
    """A statement can be put on any hour, also on one between two runs that are far apart."""
    hub = around(run(5, 9, NINE))
    stated = judge(
        ("azure_monitor", "2026030300", Scope(stream=HUB)), [], Known(log=hub.evidence.read().log)
    )
    assert (Verdict.UNPROVABLE, ("uncovered",)) == (stated.verdict, stated.reasons)


Drawn = tuple[int, int, int, int, int]
"""Partition, first number, how many more, hour, and the text of its messages."""


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 12),
            st.integers(0, 5),
            st.integers(0, 4),
            st.sampled_from([0, 0, 0, 0, 0, 1]),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_contiguous_exactly_when_the_numbers_are_an_interval(drawn: list[Drawn]) -> None:
    """By sets of numbers: for each partition, everything from the hour before to the hour after."""
    judged = _judged(drawn)
    for hour in {each[3] for each in drawn}:
        assert _expected(drawn, hour) == judged[hour], hour


def _judged(drawn: list[Drawn]) -> dict[int, bool]:
    """Return whether each hour is contiguous, as filed and judged."""
    items = Items(MemorySorter())
    runs = streams.Runs(MemorySorter())
    for order, (partition, first, more, hour, text) in enumerate(drawn):
        digests = [
            sha256(f"{text} {number}".encode()).digest()[:MESSAGE_BYTES]
            for number in range(first, first + more + 1)
        ]
        item = RunItem(
            order, f"unit {order}", str(partition), first, first + more, b"".join(digests)
        )
        runs.add(("azure_monitor", f"202603020{hour}", Scope(stream=HUB)), item)
    runs.close(items)
    judged = {}
    for (_, name, _), own in items:
        counted = frozenset(each.unit for each in own if isinstance(each, RunItem))
        named, _ = streams.judge(own, counted)
        judged[int(name[-1])] = not named
    return judged


def _expected(drawn: list[Drawn], hour: int) -> bool:
    for partition in {each[0] for each in drawn}:
        own = [each for each in drawn if each[0] == partition]
        numbers = {n for _, first, more, _, _ in own for n in range(first, first + more + 1)}
        begins = {each[3] for each in own if each[1] == min(numbers)}
        ends = {each[3] for each in own if each[1] + each[2] == max(numbers)}
        if min(numbers) > 0 and hour <= max(begins):
            return False
        if hour >= min(ends):
            return False
        for missing in set(range(max(numbers))) - numbers - set(range(min(numbers))):
            before = [each for each in own if each[1] + each[2] < missing]
            after = [each for each in own if each[1] > missing]
            ended, began = _nearest(before, after)
            if any(min(b, a) <= hour <= max(b, a) for b in ended for a in began):
                return False
        texts: dict[int, set[tuple[int, int]]] = {}
        for _, first, more, at, text in own:
            for number in range(first, first + more + 1):
                texts.setdefault(number, set()).add((at, text))
        for copies in texts.values():
            if len({text for _, text in copies}) > 1 and any(at == hour for at, _ in copies):
                return False
    return True


def _nearest(before: list[Drawn], after: list[Drawn]) -> tuple[set[int], set[int]]:
    """Return the hours of the last run before a number, and of the first after it."""
    ends = max(each[1] + each[2] for each in before)
    begins = min(each[1] for each in after)
    return (
        {each[3] for each in before if each[1] + each[2] == ends},
        {each[3] for each in after if each[1] == begins},
    )
