"""The newest part of a log, read backward, over the turn of a year and despite clock changes.

Hours are UTC everywhere: a leap day has 24 more, a leap second none, and daylight saving time
changes none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest

from nhi_evidence.completeness import reconcile, statement_file
from nhi_evidence.completeness.due import Due
from nhi_evidence.completeness.hours import HOUR_MS, hours
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.errors import LogError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, keys, leaf, log
from nhi_evidence.evidence.verify.sorting import MemorySorter
from tests.completeness.trail import BUCKET, NAME, Evidence, Trail

DAYS = {
    "the turn of a year": datetime(2026, 12, 31, 18, tzinfo=UTC),
    "a leap second": datetime(2016, 12, 31, 18, tzinfo=UTC),
    "a leap day": datetime(2028, 2, 28, 18, tzinfo=UTC),
    "clocks go forward": datetime(2026, 3, 29, 0, tzinfo=UTC),
    "clocks go back": datetime(2026, 10, 24, 22, tzinfo=UTC),
}


@pytest.fixture(params=["UTC", "America/New_York", "Australia/Lord_Howe"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """Set this machine's time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000


class Hourly(Evidence):
    """One object per hour, each sealed in its own epoch half an hour later."""

    def __init__(self, start: datetime, count: int) -> None:
        super().__init__(start)
        self.start = start
        self.sealed_at: list[int] = []
        self.trail = Trail()
        for number in range(count):
            self.hour(start + timedelta(hours=number))

    def hour(self, at: datetime) -> None:
        name = self.trail.file(at, f"n{len(self.sealed_at)}")
        self.now = milliseconds(at + timedelta(minutes=30))
        self.lock([Delivery(f"{BUCKET}/{name}@v1", self.trail.objects[name].body)])
        self.seal()
        self.sealed_at.append(self.now)

    def recent(self, since: int) -> reconcile.Sealed:
        return reconcile.recent(self.store, NAME, [self.key], since=since)


def seen(sealed: reconcile.Sealed) -> list[tuple[int, str, str]]:
    return sorted((place, entry.key, entry.vid) for place, entry in sealed.entries)


@pytest.mark.parametrize("day", DAYS)
def test_the_recent_part_is_the_end_of_the_whole_log(day: str, zone: str) -> None:
    """It has the same places, objects and head, from whichever hour it is read."""
    evidence = Hourly(DAYS[day], 14)
    everything = reconcile.full(evidence.store, NAME, [evidence.key], MemorySorter, now=0)
    placed = seen(everything)
    assert 14 == len(placed)
    assert (2 if day in {"the turn of a year", "a leap second"} else 1) == len(
        list(evidence.store.folders("log/v1/"))
    )
    for number, at in enumerate(evidence.sealed_at):
        sealed = evidence.recent(at)
        assert everything.log == sealed.log
        assert set(seen(sealed)) <= set(placed)
        assert {keys.parse_key(key).hour for _, key, _ in placed[number:]} <= {
            keys.parse_key(key).hour for _, key, _ in seen(sealed)
        }
    assert len(seen(evidence.recent(evidence.sealed_at[-1]))) <= 2
    assert placed == seen(evidence.recent(0))


def test_a_new_year_without_a_signature_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the sealer died after the year's first plan, last year's head is valid."""
    evidence = Hourly(DAYS["the turn of a year"], 8)
    everything = seen(evidence.recent(0))
    for key in [one for one in evidence.store.objects if one.startswith("log/v1/2027/checkpoint")]:
        evidence.store.remove(key)
    sealed = evidence.recent(0)
    assert f"{NAME}/2026" == sealed.log.origin
    assert [each for each in everything if each[0] < log.order("2027", 0)] == seen(sealed)


def test_a_clock_that_was_set_back_hides_nothing() -> None:
    """After a repeated leap second or a correction, what was sealed before is still read."""
    evidence = Hourly(DAYS["a leap day"], 3)
    late = evidence.start + timedelta(hours=4)
    evidence.hour(late)
    before = evidence.sealed_at[-1]
    name = evidence.trail.file(late, "again")
    evidence.now = before - 1000
    evidence.lock([Delivery(f"{BUCKET}/{name}@v1", evidence.trail.objects[name].body)])
    evidence.seal()
    assert 2 <= len(seen(evidence.recent(before)))


def test_a_void_plan_is_passed_over_and_one_that_pretends_is_refused() -> None:
    """Somebody who can write but not sign the log inserts a plan between two others."""
    evidence = Hourly(DAYS["a leap day"], 3)
    everything = seen(evidence.recent(0))
    void(evidence, size=10_000)
    evidence.hour(evidence.start + timedelta(hours=5))
    assert everything == seen(evidence.recent(0))[:-1]
    size = evidence.recent(0).log.size
    void(evidence, size=size - 1)
    evidence.hour(evidence.start + timedelta(hours=6))
    with pytest.raises(LogError, match=r"is signed, but the plan after it does not follow it"):
        evidence.recent(0)


def void(evidence: Evidence, *, size: int) -> None:
    """Put a plan with a wrong size for the log, which is therefore void."""
    number = 1 + sum(1 for _ in evidence.store.keys("log/v1/2028/plan/"))
    body = evidence.store.get(log.plan_key("2028", number - 1))
    first = log.first_leaf(body)
    assert first is not None
    previous = sha256(body).hexdigest()
    forged = msgspec.structs.replace(first, epoch=number, size=size, previous=previous)
    evidence.store.add(log.plan_key("2028", number), frame.pack([leaf.encode(forged)])[0])


@pytest.mark.parametrize("day", DAYS)
def test_every_hour_is_due_once(day: str, zone: str) -> None:
    """Hours follow each other by 3,600,000 ms, and each has one name."""
    first = milliseconds(DAYS[day])
    named = list(hours(first, first + 47 * HOUR_MS, most=1000))
    assert 48 == len(set(named))
    assert named == sorted(named)
    assert [first + number * HOUR_MS for number in range(48)] == [
        keys.hour_start(hour) for hour in named
    ]
    evidence = Evidence(DAYS[day])
    due = Due(evidence.store, first + 48 * HOUR_MS)
    assert set(named[:-3]) <= set(due.hours)
    assert len(due.hours) == len(set(due.hours))


def stated(scopes: Iterable[Scope]) -> Statements:
    """Statements on an hour that has passed its first two stages."""
    return Statements(
        source="gcp_audit",
        hour="2026030208",
        log=Log(f"{NAME}/2026", 1, "00" * 32, AFTER),
        statements=tuple(Statement(scope=each, verdict=Verdict.UNPROVABLE) for each in scopes),
    )


AFTER = milliseconds(datetime(2026, 3, 3, 12, tzinfo=UTC))
SCOPES = (Scope(account="projects/a"), Scope(account="projects/b"))


def test_a_scope_that_is_stated_leaves_another_due() -> None:
    """A run that ends between the listings of two projects has not stated the second."""
    evidence = Evidence(DAYS["a leap day"])
    (written,) = statement_file.write(stated(SCOPES[:1]))
    evidence.store.put_new(written.key, written.body, metadata=written.metadata)
    due = Due(evidence.store, AFTER)
    assert [False, True] == [due.of_scope("gcp_audit", "2026030208", each) for each in SCOPES]
    assert due.of_scope("azure_activity", "2026030208", SCOPES[0])


def test_an_hour_is_stated_once_the_last_of_its_objects_is_put(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that ends between two objects has not stated the scopes in the second."""
    monkeypatch.setattr(statement_file, "MAX_LINES_BYTES", statement_file._HEADER_BYTES + 200)
    evidence = Evidence(DAYS["a leap day"])
    lacking = []
    for written in statement_file.write(stated(SCOPES)):
        lacking.append(Due(evidence.store, AFTER)("gcp_audit", "2026030208"))
        evidence.store.put_new(written.key, written.body, metadata=written.metadata)
    lacking.append(Due(evidence.store, AFTER)("gcp_audit", "2026030208"))
    assert [True, True, False] == lacking
