"""Heartbeats promised before their hour make silence evidence; a late promise does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from nhi_evidence.completeness import promises, reconcile, statement_file
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.promises import Promise, Times
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Announced, Scope, Statement, Statements
from nhi_evidence.evidence.verify import Report
from nhi_evidence.evidence.verify.sorting import MemorySorter
from tests.completeness import trail as world
from tests.completeness.test_check import codes, put_keys, verified
from tests.completeness.trail import HOUR, NAME, SCOPE, START, Evidence, Trail

SECOND = "2026030209"
SILENT = Scope("333344445555", world.REGION, SCOPE.stream)
"""The account of which nothing at all is delivered."""
BEGINS = START + HOUR


def instant(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def put(evidence: Evidence, *scopes: Scope, at: datetime, sealed: datetime | None = None) -> None:
    """Lock a promise for the second hour, and seal it at a given time or at once."""
    evidence.now = instant(at)
    promise = Promise(source=world.SOURCE, hour=SECOND, scopes=tuple(sorted(scopes)))
    written = promises.write(promise)
    evidence.store.put_new(written.key, written.body, metadata=written.metadata)
    evidence.now = instant(sealed or at)
    evidence.seal()


def estate(
    *promised: tuple[Sequence[Scope], datetime, datetime | None], without_digest: bool = False
) -> Evidence:
    """Return a trail of a few hours, with given promises, exported three days later."""
    trail = Trail()
    trail.hours(4)
    evidence = Evidence(START - 3 * HOUR)
    for scopes, at, sealed in promised:
        put(evidence, *scopes, at=at, sealed=sealed)
    evidence.now = instant(START + 72 * HOUR)
    deliveries = trail.deliveries()
    if without_digest:
        # The digest of the hour ends with it: its own hour is the one that begins then.
        lost = f"_{BEGINS:%Y%m%dT%H%M%SZ}"
        deliveries = [one for one in deliveries if lost not in one.unit]
    evidence.lock(deliveries)
    evidence.seal()
    return evidence


EARLY = BEGINS - timedelta(minutes=1)


def test_a_heartbeat_in_time_is_found() -> None:
    statement = estate(([SCOPE], EARLY, None)).on(SECOND)
    assert (Announced(1, 1), Verdict.PROVEN) == (statement.heartbeats, statement.verdict)


def test_a_scope_that_fell_silent_is_stated_and_missing() -> None:
    """Nothing else in the evidence mentions it: without the promise there would be no statement."""
    evidence = estate(([SCOPE, SILENT], EARLY, None))
    statement = evidence.on(SECOND, SILENT)
    assert Announced(1, 0) == statement.heartbeats
    assert "heartbeat_missing" in statement.reasons
    assert (Verdict.UNPROVABLE, True) == (statement.verdict, statement.is_incomplete)
    assert Announced(1, 1) == evidence.on(SECOND).heartbeats
    without = estate()
    assert SILENT not in {one.scope for each in without.statements() for one in each.statements}


def test_a_digest_that_only_touches_the_hour_is_not_its_heartbeat() -> None:
    """The next hour's digest covers this one, too, but its own did not arrive."""
    statement = estate(([SCOPE], EARLY, None), without_digest=True).on(SECOND)
    assert Announced(1, 0) == statement.heartbeats
    assert "heartbeat_missing" in statement.reasons


@pytest.mark.parametrize(
    ("at", "sealed"),
    [
        (BEGINS, None),
        (BEGINS + timedelta(minutes=5), None),
        (EARLY, BEGINS),
        (EARLY, BEGINS + timedelta(minutes=5)),
        # The sealer's clock is behind: the store took it when the hour had begun.
        (BEGINS + timedelta(minutes=5), EARLY),
    ],
    ids=[
        "at the hour",
        "after",
        "sealed at the hour",
        "sealed after",
        "clock of the sealer behind",
    ],
)
def test_a_late_promise_promises_nothing(at: datetime, sealed: datetime | None) -> None:
    """Neither for a scope that reported, nor for one that fell silent."""
    evidence = estate(([SCOPE, SILENT], at, sealed))
    assert evidence.on(SECOND).heartbeats is None
    silent = evidence.on(SECOND, SILENT)
    assert (None, False) == (silent.heartbeats, silent.is_incomplete)


def test_a_later_promise_does_not_revoke_an_earlier_one() -> None:
    """The later one omits the silent scope, which was promised and is expected."""
    both = estate(([SCOPE, SILENT], EARLY - HOUR, None), ([SCOPE], EARLY, None))
    assert Announced(1, 0) == both.on(SECOND, SILENT).heartbeats
    late = estate(([SCOPE], EARLY, None), ([SCOPE, SILENT], BEGINS, None))
    assert late.on(SECOND, SILENT).heartbeats is None


def test_equal_promises_are_one_object() -> None:
    first, two = (
        promises.write(Promise(source=world.SOURCE, hour=SECOND, scopes=(SCOPE,))) for _ in range(2)
    )
    assert (first.key, first.body) == (two.key, two.body)


def stated(evidence: Evidence, lie: bool = False) -> Report:
    """State the hour, truthfully or not about the heartbeat; seal and verify."""
    keys = put_keys(evidence)
    read = evidence.read()
    known = Known(log=read.log, keys=world.public_keys())

    def hidden(statement: Statement) -> Statement:
        if not lie or statement.scope != SILENT:
            return statement
        kept = tuple(each for each in statement.named if each.reason != "heartbeat_missing")
        reasons = tuple(each for each in statement.reasons if each != "heartbeat_missing")
        return replace(statement, heartbeats=None, named=kept, reasons=reasons, totals={})

    for each in reconcile.statements(read, known, inputs=(keys,)):
        if each.hour == SECOND:
            altered: Statements = replace(each, statements=tuple(map(hidden, each.statements)))
            for written in statement_file.write(altered):
                evidence.store.put_new(written.key, written.body, metadata=written.metadata)
    evidence.now += 60_000
    evidence.seal()
    return verified(evidence)


def test_verify_recomputes_the_statement_and_finds_hidden_silence() -> None:
    promised = ([SCOPE, SILENT], EARLY, None)
    assert ["hour_incomplete"] == codes(stated(estate(promised)))
    lying = stated(estate(promised), lie=True)
    (false,) = (one for one in lying.findings if one.code == "statement_false")
    assert "states heartbeats none; the log gives 0 of 1" in (false.detail or "")


def test_reading_back_from_the_newest_checkpoint_gives_the_same() -> None:
    evidence = estate(([SCOPE, SILENT], EARLY, None))
    sealed = reconcile.recent(
        evidence.store, NAME, [evidence.key], since=instant(START - 12 * HOUR)
    )
    read = reconcile.gather(evidence.store, sealed, MemorySorter, now=evidence.now)
    known = Known(log=read.log, keys=world.public_keys())
    recent = list(reconcile.statements(read, known))
    assert evidence.statements() == recent


@pytest.mark.parametrize("change", ["cut", "other hour", "not sorted"])
def test_a_damaged_promise_is_refused(change: str) -> None:
    written = promises.write(
        Promise(source=world.SOURCE, hour=SECOND, scopes=(SILENT, SCOPE))
        if change == "not sorted"
        else Promise(source=world.SOURCE, hour=SECOND, scopes=(SCOPE, SILENT))
    )
    body = written.body[:-1] if change == "cut" else written.body
    key = written.key.replace(SECOND, "2026030210") if change == "other hour" else written.key
    with pytest.raises(ValueError, match="heartbeats"):
        promises.read(body, key)


def test_an_entry_is_sealed_at_the_time_of_its_epoch() -> None:
    times = promises.times([(30, 300), (10, 100), (20, 200)])
    assert [100, 200, 300, None] == [times.sealed(place) for place in (9, 10, 29, 30)]
    assert Times().sealed(0) is None
