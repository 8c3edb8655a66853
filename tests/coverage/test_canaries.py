"""Canaries: plans sealed before their hour and weighed by the records that arrive."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, Probe, probes
from nhi_evidence.coverage.canary.weigh import Result, Seen, Weighed, stretches, weigh
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.coverage.counted import Head
from nhi_evidence.coverage.judges import evaluator_of
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import frame, keys

DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
PRINCIPAL = "arn:aws:iam::333344445555:user/nhi-evidence-canary"
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
HOUR = "2026030200"
START = keys.hour_start(HOUR) or 0
PLAN = plans.plan("example.org/evidence", "aws", HOUR, PRINCIPAL, DELAYS)
POSITIVE = next(one for one in PLAN.probes if one.cell == "aws.secret_access.services")
NEGATIVE = next(one for one in PLAN.probes if one.expect == "none")
LONG_AFTER = START + 30 * HOUR_MS


def seen(nonce: str, **changes: Any) -> Seen:
    attributes = {
        "time": START,
        "nhi_phase": "Failed Attempt",
        "nhi_base_phase": "Secret Access",
        "nhi_outcome": "denied",
        "nhi": {"uid": PRINCIPAL},
        **changes,
    }
    locked_at = attributes.pop("locked_at", START + 20 * MINUTE_MS)
    return Seen(msgspec.convert(attributes, Head), f'"{nonce}"'.encode(), locked_at, "ev/v1/x")


def result(*records: Seen, planned: int = START - 1, until: int = LONG_AFTER) -> dict[str, Result]:
    return {one.nonce: one.result for one in weigh(PLAN, planned, records, until)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Result.PROVEN),
        ({"nhi_phase": "Secret Access"}, Result.PROVEN),
        ({"nhi": {"uid": "somebody-else"}}, Result.IDENTITY_MISSING),
        ({"nhi": {}}, Result.IDENTITY_MISSING),
        ({"nhi_phase": "Routine", "nhi_base_phase": "Routine"}, Result.MISCLASSIFIED),
        ({"locked_at": START + 3 * HOUR_MS}, Result.LATE),
    ],
)
def test_a_record_that_arrived(changes: dict[str, Any], expected: Result) -> None:
    assert result(seen(POSITIVE.nonce, **changes))[POSITIVE.nonce] is expected


def test_no_record_of_another_makes_up_for_what_the_canary_s_own_lacks() -> None:
    """A nonce is not secret: somebody may copy it into a call of the phase that is expected."""
    own = seen(POSITIVE.nonce, nhi_phase="Routine", nhi_base_phase="Routine")
    copied = seen(POSITIVE.nonce, nhi={"uid": "somebody-else"})
    assert result(own, copied)[POSITIVE.nonce] is Result.MISCLASSIFIED
    assert result(own, copied, seen(POSITIVE.nonce))[POSITIVE.nonce] is Result.PROVEN


def test_silence_is_evidence_once_its_time_is_over_and_if_it_was_announced() -> None:
    assert result()[POSITIVE.nonce] is Result.MISSING
    early = START + HOUR_MS + POSITIVE.within_minutes * MINUTE_MS - 1
    assert result(until=early)[POSITIVE.nonce] is Result.WAITING
    assert result(planned=START)[POSITIVE.nonce] is Result.WAITING
    assert result(seen(POSITIVE.nonce), planned=LONG_AFTER)[POSITIVE.nonce] is Result.PROVEN


def test_negative_probes_expect_nothing() -> None:
    assert result()[NEGATIVE.nonce] is Result.ABSENT
    assert result(seen(NEGATIVE.nonce))[NEGATIVE.nonce] is Result.UNEXPECTED


def test_another_hour_is_another_nonce() -> None:
    other = plans.plan("example.org/evidence", "aws", "2026030201", PRINCIPAL, DELAYS)
    assert not {one.nonce for one in PLAN.probes} & {one.nonce for one in other.probes}
    assert len({one.nonce for one in PLAN.probes}) == len(PLAN.probes)


def weighed(cell: str, outcome: Result, hour: str = HOUR) -> Weighed:
    return Weighed(cell, hour, "nonce", outcome, "why")


def test_the_worst_probe_of_an_hour_decides_that_hour_only() -> None:
    by_cell = stretches(
        [
            weighed("a", Result.PROVEN),
            weighed("a", Result.MISSING),
            weighed("a", Result.PROVEN, "2026030201"),
            weighed("b", Result.WAITING),
            weighed("c", Result.ABSENT),
        ]
    )
    assert [one.verdict for one in by_cell["a"]] == [Verdict.BROKEN, Verdict.PROVEN]
    assert [one.span.end - one.span.start for one in by_cell["a"]] == [HOUR_MS, HOUR_MS]
    assert "b" not in by_cell
    assert by_cell["c"][0].verdict is Verdict.IMPOSSIBLE


@pytest.mark.parametrize(
    "cell", [cell for cell in cells() if evaluator_of(cell) == "impossible"], ids=lambda c: c.id
)
def test_the_other_side_of_impossible(cell: Any) -> None:
    """If a record exists of what the table calls impossible, the record counts, not the table."""
    for outcome, verdict in ((Result.ABSENT, "IMPOSSIBLE"), (Result.UNEXPECTED, "PROVEN")):
        by_cell = stretches([weighed(cell.id, outcome)])
        judged = matrix(estate.readings(START), proofs=tuple(by_cell.items()))
        state = next(one for one in judged.cells if one.cell == cell.id)
        assert state.verdict == verdict


def test_a_broken_canary_takes_precedence_over_settings() -> None:
    by_cell = stretches([weighed("aws.secret_access.services", Result.MISSING)])
    judged = matrix([estate.reading("aws", START)], proofs=tuple(by_cell.items()))
    state = next(one for one in judged.cells if one.cell == "aws.secret_access.services")
    assert state.verdict is Verdict.BROKEN
    assert judged.has_gap


@pytest.mark.parametrize("platform", ["aws", "gcp", "entra"])
def test_probes_are_few(platform: str) -> None:
    """Fewer than sixty calls in every hour of a day, over all probes of a platform."""
    hours = [
        plans.plan("log", platform, keys.hour_of(START + hour * HOUR_MS), PRINCIPAL, DELAYS)
        for hour in range(24)
    ]
    assert max(len(one.probes) for one in hours) < MAX_CALLS_AN_HOUR
    assert all(one.probes for one in hours)
    assert {one.cell for each in hours for one in each.probes} == {
        one.cell for one in probes(platform)
    }


_CHANGING = ("Attach", "Create", "Stop", "setIamPolicy", "PATCH", "serviceAccounts/nhi", "Run")


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: f"{probe.cell} {probe.call}"[:60])
def test_a_probe_touches_nothing_it_does_not_own(probe: Probe) -> None:
    """Calls that could change something are refused, and name nothing real but the canary's own."""
    if not any(word in probe.call for word in _CHANGING):
        return
    assert probe.outcome == "refused"
    text = msgspec.json.encode([probe.call, probe.parameters]).decode()
    own = (
        "nhi-evidence-canary",
        "nhi-evidence-none",
        "{principal}",
        '"DryRun":true',
        "AAAAAAAAAAA=",
    )
    assert any(mark in text for mark in own), text


def test_negative_probes_are_only_for_impossible_cells() -> None:
    documented = {cell.id: cell.documented for cell in cells()}
    assert {documented[one.cell] for one in probes() if one.expect == "none"} == {"impossible"}
    assert {one.escalation for one in probes() if one.escalation} == {"iam-002", "iam-008"}


def test_a_plan_has_one_encoding() -> None:
    operation = plans.write(PLAN)
    assert plans.read(operation.body, "x") == PLAN
    assert operation.key.startswith(f"op/v1/coverage/h={HOUR}/")
    spaced, _ = frame.pack([msgspec.json.format(msgspec.json.encode(PLAN)).replace(b"\n", b" ")])
    with pytest.raises(ReadingError):
        plans.read(spaced, "x")
    empty = msgspec.structs.replace(
        PLAN, probes=(msgspec.structs.replace(PLAN.probes[0], nonce=""),)
    )
    with pytest.raises(ReadingError, match="an invalid hour, nonce or time limit"):
        plans.read(plans.write(empty).body, "x")
    late = msgspec.structs.replace(
        PLAN, probes=(msgspec.structs.replace(PLAN.probes[0], within_minutes=1 << 64),)
    )
    with pytest.raises(ReadingError):
        plans.read(plans.write(late).body, "x")
    with pytest.raises(SettingsError):
        plans.plan("log", "aws", "noon", PRINCIPAL, DELAYS)
    assert isinstance(PLAN, Plan)
