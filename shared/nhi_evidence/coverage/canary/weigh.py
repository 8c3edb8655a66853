"""Weigh canaries: compare what was announced with the counted records that arrived."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from nhi_evidence.coverage.canary.nonces import Nonces
from nhi_evidence.coverage.canary.plan import Announced, Plan
from nhi_evidence.coverage.counted import Head
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.verdict import Extent, Share, Verdict
from nhi_evidence.evidence import keys

HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


class Result(StrEnum):
    """What became of one probe."""

    PROVEN = "PROVEN"
    """Its record arrived in time, with the right principal and phase."""
    LATE = "LATE"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    """Its record arrived, but names another principal or none."""
    MISCLASSIFIED = "MISCLASSIFIED"
    MISSING = "MISSING"
    ABSENT = "ABSENT"
    """A negative probe left no record, as documented."""
    UNEXPECTED = "UNEXPECTED"
    """A negative probe left a record: the table of cells is wrong."""
    WAITING = "WAITING"
    """No record yet, and either its time is not over or it was not announced before its hour."""


BROKEN = (Result.MISSING, Result.IDENTITY_MISSING, Result.MISCLASSIFIED)
"""Results that show a fault somewhere between the call and the evidence."""


class Seen(msgspec.Struct, frozen=True):
    """One counted record that contains a nonce."""

    head: Head
    raw: bytes
    locked_at: int
    """When the store received its object, milliseconds since the epoch."""
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
    principal: str = ""
    """Who made it; empty where a statement does not say."""

    @property
    def account(self) -> str:
        """The account it was made in, as its principal names it; empty where that names none."""
        name = self.principal
        if name.startswith("arn:"):
            return name.split(":")[4] if name.count(":") >= _COLONS else ""
        project = name.partition("@")[2]
        return project.removesuffix(_OF_PROJECT) if project.endswith(_OF_PROJECT) else ""


_COLONS = 5
"""In an ARN, at least: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
_OF_PROJECT = ".iam.gserviceaccount.com"


class _Sighting(msgspec.Struct):
    """The sum of all records that contain one nonce, in constant memory."""

    first_at: int
    where: str
    phase: str
    """Phase of the record that was locked first, as its caption."""
    is_by_principal: bool = False
    is_in_phase: bool = False


class Sightings:
    """What was seen of the probes of these plans, record by record."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        """Look for the nonces of these plans."""
        self._wanted: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for plan in plans:
            for probe in plan.probes:
                expected = (probe.principal or plan.principal, probe.phases)
                known = self._wanted.setdefault(probe.nonce, [])
                if expected not in known:
                    known.append(expected)
        self._seen: dict[tuple[str, str, tuple[str, ...]], _Sighting] = {}
        self.nonces = Nonces(self._wanted)

    def add(self, seen: Seen) -> None:
        """Add a counted record; one without a nonce changes nothing."""
        for nonce in self.nonces.within(seen.raw):
            for principal, phases in self._wanted[nonce]:
                self._add(nonce, principal, phases, seen)

    def _add(self, nonce: str, principal: str, phases: tuple[str, ...], seen: Seen) -> None:
        sighting = self._seen.setdefault(
            (nonce, principal, phases), _Sighting(seen.locked_at, seen.where, seen.head.nhi_phase)
        )
        if (seen.locked_at, seen.where) < (sighting.first_at, sighting.where):
            sighting.first_at, sighting.where = seen.locked_at, seen.where
            sighting.phase = seen.head.nhi_phase
        # Whoever copies a nonce into a call of another phase adds nothing to the canary's own.
        if principal in seen.head.actors:
            sighting.is_by_principal = True
            sighting.is_in_phase |= not phases or bool(seen.head.phases & set(phases))

    def of(self, plan: Plan, probe: Announced) -> _Sighting | None:
        """Return what was seen of a plan's probe; None if nothing was."""
        return self._seen.get((probe.nonce, probe.principal or plan.principal, probe.phases))


def weigh(
    plan: Plan, planned_at: int, seen: Iterable[Seen] | Sightings, sealed_until: int
) -> tuple[Weighed, ...]:
    """Weigh a plan locked at `planned_at` against what was seen, sealed until `sealed_until`.

    A plan that was not locked before its hour announces nothing: its silence proves nothing, but
    records that arrived still do.
    """
    start = keys.hour_start(plan.hour)
    if start is None:
        return ()
    if not isinstance(seen, Sightings):
        sightings = Sightings([plan])
        for record in seen:
            sightings.add(record)
        seen = sightings
    return tuple(
        _weigh_probe(
            plan,
            one,
            seen.of(plan, one),
            sealed_until=sealed_until,
            in_advance=planned_at < start,
        )
        for one in plan.probes
    )


def due(plan: Plan, probe: Announced) -> int:
    """Return when a probe's record is due to be locked, milliseconds since the epoch."""
    return (keys.hour_start(plan.hour) or 0) + HOUR_MS + probe.within_minutes * _MINUTE_MS


def _weigh_probe(
    plan: Plan,
    probe: Announced,
    sighting: _Sighting | None,
    *,
    sealed_until: int,
    in_advance: bool,
) -> Weighed:
    if sighting is None:
        if sealed_until < due(plan, probe):
            return _weighed(plan, probe, Result.WAITING, "its time is not over")
        if not in_advance:
            return _weighed(plan, probe, Result.WAITING, "it was not announced before its hour")
        if probe.expect == "none":
            return _weighed(plan, probe, Result.ABSENT, "no record, as documented")
        return _weighed(
            plan, probe, Result.MISSING, f"no record by {probe.within_minutes} minutes after"
        )
    where = sighting.where
    if probe.expect == "none":
        return _weighed(
            plan, probe, Result.UNEXPECTED, "a record of what no record was known", where
        )
    if not sighting.is_by_principal:
        return _weighed(
            plan, probe, Result.IDENTITY_MISSING, "recorded without its principal", where
        )
    if not sighting.is_in_phase:
        reason = f"recorded as {sighting.phase.lower()}, not {' or '.join(probe.phases)}"
        return _weighed(plan, probe, Result.MISCLASSIFIED, reason, where)
    if sighting.first_at > due(plan, probe):
        return _weighed(plan, probe, Result.LATE, "its record was locked late", where)
    return _weighed(plan, probe, Result.PROVEN, "its record was seen in the evidence", where)


def _weighed(plan: Plan, probe: Announced, result: Result, reason: str, where: str = "") -> Weighed:
    principal = probe.principal or plan.principal
    return Weighed(probe.cell, plan.hour, probe.nonce, result, reason, where, principal)


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
    """Return, by cell, what canaries show about each hour; the worst probe of an hour decides.

    A probe shows nothing about any hour but its own, nor about any account but its own, which the
    extent names.
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
        verdict = _VERDICTS[worst.result]
        made_in = (probe.account for probe in group if _VERDICTS[probe.result] is verdict)
        extent = Extent(own=(Share(verdict, reason, tuple(dict.fromkeys(made_in))),))
        by_cell.setdefault(cell, []).append(Stretch(span, verdict, reason, "canary", extent))
    return {cell: tuple(spans) for cell, spans in by_cell.items()}
