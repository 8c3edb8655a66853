"""Weighing canaries: what was announced, against the counted records that arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from nhi_evidence.coverage.canary.plan import Announced, Plan
from nhi_evidence.coverage.counted import Head
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.evidence import keys

HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


class Result(StrEnum):
    """What became of one probe."""

    PROVEN = "PROVEN"
    """Its record arrived in time, as the right principal and in the right phase."""
    LATE = "LATE"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    """Its record arrived, and names another principal or none."""
    MISCLASSIFIED = "MISCLASSIFIED"
    MISSING = "MISSING"
    ABSENT = "ABSENT"
    """A negative probe left no record, as documented."""
    UNEXPECTED = "UNEXPECTED"
    """A negative probe left a record: the table of cells is wrong."""
    WAITING = "WAITING"
    """Its time is not over."""


class Seen(msgspec.Struct, frozen=True):
    """One counted record that holds a nonce."""

    head: Head
    raw: bytes
    locked_at: int
    """When the store took its object, milliseconds since the epoch."""
    where: str
    """Key of its object."""


class Weighed(msgspec.Struct, frozen=True):
    """One probe, weighed."""

    cell: str
    hour: str
    nonce: str
    result: Result
    reason: str
    where: str = ""


def weigh(
    plan: Plan, planned_at: int, seen: Iterable[Seen], sealed_until: int
) -> tuple[Weighed, ...]:
    """Weigh a plan that was locked at `planned_at`, with everything sealed until `sealed_until`.

    A plan that was not locked before its hour announces nothing: silence proves nothing of it,
    and what arrived still does.
    """
    start = keys.hour_start(plan.hour)
    if start is None:
        return ()
    records = list(seen)
    in_advance = planned_at < start
    return tuple(
        _weigh_probe(plan, one, [each for each in records if one.nonce.encode() in each.raw],
             start=start, sealed_until=sealed_until, in_advance=in_advance)
        for one in plan.probes
    )  # fmt: skip


def _weigh_probe(
    plan: Plan,
    probe: Announced,
    sightings: Sequence[Seen],
    *,
    start: int,
    sealed_until: int,
    in_advance: bool,
) -> Weighed:
    due = start + HOUR_MS + probe.within_minutes * _MINUTE_MS
    if not sightings:
        if sealed_until < due:
            return _weighed(plan, probe, Result.WAITING, "its time is not over")
        if not in_advance:
            return _weighed(plan, probe, Result.WAITING, "it was not announced before its hour")
        if probe.expect == "none":
            return _weighed(plan, probe, Result.ABSENT, "no record, as documented")
        return _weighed(
            plan, probe, Result.MISSING, f"no record by {probe.within_minutes} minutes after"
        )
    first = min(sightings, key=lambda each: each.locked_at)
    if probe.expect == "none":
        return _weighed(
            plan, probe, Result.UNEXPECTED, "a record of what no record was known", first
        )
    wanted = probe.principal or plan.principal
    if not any(wanted in each.head.actors for each in sightings):
        return _weighed(
            plan, probe, Result.IDENTITY_MISSING, "recorded without its principal", first
        )
    if probe.phases and not any(each.head.phases & set(probe.phases) for each in sightings):
        reason = f"recorded as {first.head.nhi_phase.lower()}, not {' or '.join(probe.phases)}"
        return _weighed(plan, probe, Result.MISCLASSIFIED, reason, first)
    if first.locked_at > due:
        return _weighed(plan, probe, Result.LATE, "its record was locked late", first)
    return _weighed(plan, probe, Result.PROVEN, "its record was seen in the evidence", first)


def _weighed(
    plan: Plan, probe: Announced, result: Result, reason: str, seen: Seen | None = None
) -> Weighed:
    where = "" if seen is None else seen.where
    return Weighed(probe.cell, plan.hour, probe.nonce, result, reason, where)


_VERDICTS = {
    Result.PROVEN: Verdict.PROVEN,
    Result.LATE: Verdict.PROVEN,
    Result.IDENTITY_MISSING: Verdict.BROKEN,
    Result.MISCLASSIFIED: Verdict.BROKEN,
    Result.MISSING: Verdict.BROKEN,
    Result.UNEXPECTED: Verdict.PROVEN,
    Result.ABSENT: Verdict.IMPOSSIBLE,
}


def stretches(weighed: Iterable[Weighed]) -> dict[str, tuple[Stretch, ...]]:
    """Return, by cell, what canaries show of each hour; of an hour the worst of its probes.

    What a probe shows it shows of its own hour alone.
    """
    by_place: dict[tuple[str, int], list[Weighed]] = {}
    for probe in weighed:
        start = keys.hour_start(probe.hour)
        if start is not None and probe.result in _VERDICTS:
            by_place.setdefault((probe.cell, start), []).append(probe)
    by_cell: dict[str, list[Stretch]] = {}
    for (cell, start), group in sorted(by_place.items()):
        worst = min(group, key=lambda probe: _VERDICTS[probe.result] is not Verdict.BROKEN)
        span = Span(start, start + HOUR_MS)
        reason = f"canary: {worst.result}, {worst.reason}"
        by_cell.setdefault(cell, []).append(
            Stretch(span, _VERDICTS[worst.result], reason, "canary")
        )
    return {cell: tuple(spans) for cell, spans in by_cell.items()}
