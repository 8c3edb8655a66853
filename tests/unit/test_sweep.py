"""Which hours are listed when, and how few plans are read to know what is sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import sweep
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import LISTING_MS, Sealer
from nhi_evidence.stored import Version
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
RUN = timedelta(minutes=5)


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def hour(moment: datetime) -> str:
    return moment.strftime("%Y%m%d%H")


@pytest.mark.parametrize(
    ("age", "every"),
    [
        (timedelta(hours=1), RUN),
        (timedelta(hours=3), RUN),
        (timedelta(hours=20), timedelta(hours=1)),
        (timedelta(days=10), timedelta(days=1)),
        (timedelta(days=300), timedelta(days=7)),
    ],
)
def test_an_hour_is_listed_once_in_its_period(age: timedelta, every: timedelta) -> None:
    """Whenever runs happen, no hour is left out for longer than its period and a run."""
    key_hour = hour(NOW - age)
    runs = int(every / RUN) + 1
    due = [
        sweep.is_due(key_hour, milliseconds(NOW + n * RUN), milliseconds(NOW + (n - 1) * RUN))
        for n in range(runs)
    ]
    assert any(due)
    assert due.count(True) <= (runs if every == RUN else 2)


def test_a_run_lists_an_even_share() -> None:
    """No run lists many more older hours than another."""
    hours = [hour(NOW - timedelta(hours=n)) for n in range(60, 24 * 30)]
    shares = Counter(
        n
        for n in range(0, 288, 3)
        for one in hours
        if sweep.is_due(one, milliseconds(NOW + n * RUN), milliseconds(NOW + (n - 3) * RUN))
    )
    assert len(hours) == sum(shares.values())
    assert max(shares.values()) <= 2 * len(hours) / 96


@pytest.mark.parametrize("odd", ["unknown", "2026039999", "*", hour(NOW + timedelta(days=400))])
def test_folders_that_are_not_past_hours_are_listed_hourly(odd: str) -> None:
    """Unknown, malformed or future folders: each at a minute of its own."""
    due = [
        sweep.is_due(odd, milliseconds(NOW + n * RUN), milliseconds(NOW + (n - 1) * RUN))
        for n in range(1, 25)
    ]
    assert 2 == due.count(True)


class Counting(MemoryStore):
    """Counts the plans that are read."""

    plans_read = 0
    _days: Days | None = None
    _takes = 0

    def get(self, key: str) -> bytes:
        self.plans_read += "/plan/" in key
        return super().get(key)

    def listing_takes(self, days: Days, milliseconds: int) -> None:
        """Let time pass at every listing of an hour."""
        self._days, self._takes = days, milliseconds

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        if self._days is not None and "/h=" in prefix:
            self._days.now += self._takes
        return super().versions(prefix, after=after)


class Days:
    """A store that is written and sealed once an hour for some days."""

    def __init__(self, days: int) -> None:
        self.now = milliseconds(NOW)
        self.store = Counting(now=lambda: self.now)
        sealer = self.sealer()
        for number in range(days * 24):
            self.write(str(number), self.now)
            self.now += 1_000
            sealer.run()
            self.now += sweep.HOUR_MS - 1_000

    def write(self, unit: str, of: int) -> str:
        body = unit.encode()
        stem = f"ev/v1/aws_cloudtrail/h={hour(datetime.fromtimestamp(of / 1000, UTC))}/{unit}"
        key = f"{stem}/{sha256(body).hexdigest()}.ndjson.zst"
        self.store.put_new(key, body, metadata={})
        return key

    def sealer(self) -> Sealer:
        return Sealer(
            self.store,
            [LocalSigner("sweep")],
            lambda: self.now,
            name="example.org/evidence",
            lock_policy=LockPolicy(retention_ms=DAY_MS),
        )


def test_a_cold_run_reads_few_plans() -> None:
    """To know that listed objects are sealed, the plans of their time are read, not all since."""
    days = Days(4)
    days.write("now", days.now)
    days.sealer().run()
    days.now += 300_000
    days.store.plans_read = 0
    done = days.sealer().run()
    assert (0, False) == (done.added, done.more)
    assert days.store.plans_read < 20


def test_a_late_object_is_sealed_within_its_period() -> None:
    """Whatever its hour: one of nine days ago within a day, by sealers without memory."""
    days = Days(1)
    key = days.write("late", days.now - 9 * DAY_MS)
    runs = 0
    while not days.sealer().run().flags.get("late"):
        runs += 1
        days.now += sweep.HOUR_MS
    assert runs <= 24
    assert days.store.first(key).modified < days.now


def test_an_outage_is_caught_up_run_by_run() -> None:
    """With too much to list in one run, each says how far it got and the next continues from there.

    The store's clock advances while it lists, and sealers have no memory.
    """
    days = Days(2)
    late = [days.write(f"late{n}", days.now - n * DAY_MS) for n in range(4, 60)]
    days.now += 30 * DAY_MS
    days.store.listing_takes(days, LISTING_MS // 4)
    runs = 0
    added = 0
    while (done := days.sealer().run()).more:
        runs += 1
        added += done.added
        assert runs < 40
    assert runs > 4
    assert len(late) == added + done.added
    days.store.listing_takes(days, 0)
    assert 0 == days.sealer().run(everything=True).added


@given(st.integers(0, 60 * 24), st.integers(0, 60 * 24), st.integers(1, 10**10))
def test_no_hour_is_skipped(age: int, ago: int, far: int) -> None:
    """Split at any instant, two listings list an hour whenever one listing would."""
    now = milliseconds(NOW)
    last, of = now - ago * sweep.HOUR_MS, hour(NOW - timedelta(hours=age))
    until = min(now, last + far)
    due = sweep.falls_due(of, now, last)
    if due is not None and until < due <= now:
        assert due == sweep.falls_due(of, now, until)


def test_leftovers_are_listed_again() -> None:
    """A run that seals part of what is due leaves the rest due, however late the next run is."""
    days = Days(1)
    for number in range(7):
        days.write(f"late{number}", days.now - 9 * DAY_MS)
    days.now += DAY_MS
    added = []
    for _ in range(4):
        sealer = days.sealer()
        sealer._max_leaves = 2
        added.append(sealer.run().added)
        days.now += 300_000
    assert [2, 2, 2, 1] == added
