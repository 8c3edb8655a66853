"""What the evidence lacks from a partition, by the numbers of counted runs."""

from __future__ import annotations

import pytest

from nhi_evidence import sources
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline import hub_gaps
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.memory_store import MemoryStore

MAPPER = Mapper("azure_monitor", keep_out_of_scope_raw=True)
HOURS = ("2026030208", "2026030209")


@pytest.mark.parametrize(
    ("ranges", "read", "missing"),
    [
        ([(5, 9)], 9, None),
        ([(5, 9)], 8, None),
        ([(5, 9)], 12, 10),  # passed over at the end
        ([(5, 9), (12, 20)], 20, 10),
        ([(12, 20), (5, 9)], 20, 10),
        ([(5, 9), (8, 20)], 20, None),  # the same messages in two batches
        ([(5, 20), (8, 9), (21, 30)], 30, None),
        ([(5, 9), (12, 20)], 9, None),  # what is beyond is not passed yet
    ],
)
def test_the_first_missing_number(
    ranges: list[tuple[int, int]], read: int, missing: int | None
) -> None:
    """Between the first number present and the last one passed, in any order of runs."""
    assert missing == hub_gaps.first_missing(ranges, read)


def test_without_any_run_everything_is_missing() -> None:
    """A partition without any run, or whose checkpoint has no number, is read again."""
    numbers = {"0": [(1, 5)], "1": [(1, 5)], "2": [(1, 2), (4, 5)]}
    read = {"0": 5, "1": None, "2": 5, "3": 7}
    assert {"1": None, "2": 3, "3": None} == hub_gaps.lacking(numbers, read)


def test_only_counted_runs_of_the_last_hub_are_considered() -> None:
    """By partition, over all hours; a previous hub and other hubs are not considered."""
    store = MemoryStore()
    runs = [
        run("ns/hub#2026-03-01T00:00:00Z/0", 5, "08"),
        run("ns/hub#2026-03-01T00:00:00Z/0", 6, "09"),
        run("ns/hub#2026-03-01T00:00:00Z/3", 9, "09"),
        run("ns/hub#2026-03-01T00:00:00Z/3", 10, "10"),
        run("ns/hub#2025-12-01T00:00:00Z/0", 900, "08"),
        run("ns/other#2026-03-01T00:00:00Z/0", 1, "08"),
    ]
    deliveries = [Delivery(one.unit, event_hub.frame(one)) for one in runs]
    lock_batch(MAPPER, deliveries, store).ensure_locked()
    source = sources.load("azure_monitor")
    assert {"0": [(5, 5), (6, 6)], "3": [(9, 9)]} == hub_gaps.counted(
        store, source, HOURS, "ns/hub"
    )
    assert {} == hub_gaps.counted(store, source, HOURS, "ns/none")


def run(stream: str, number: int, hour: str) -> Run:
    return Run(stream, (Message(b'{"records":[]}', number, "0", f"2026-03-02T{hour}:15:00Z"),))
