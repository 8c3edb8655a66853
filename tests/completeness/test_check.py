"""V5 of `verify`: a sealed statement that lies about the log is a finding, an honest one passes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from nhi_evidence.completeness import reconcile, statement_file
from nhi_evidence.completeness.check import Check
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Counts, Statement, Statements
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.evidence.verify.sorting import MemorySorter
from tests.completeness import trail as world
from tests.completeness.trail import BUCKET, HOUR, NAME, SOURCE, START, Evidence, Trail, evidence_of
from tests.memory_store import DAY_MS

SECOND = "2026030209"


def put_keys(evidence: Evidence) -> str:
    """Lock the provider's public keys, as the reconciling function does."""
    body = world.listed_keys()
    key = statement_file.operation_key("recon", SECOND, body, ".keys.json")
    evidence.store.put_new(key, body, metadata={})
    return key


def state(
    evidence: Evidence,
    lie: Callable[[Statements], Statements] = lambda each: each,
    *,
    hours: tuple[str, ...] = (SECOND,),
    grace_ms: int = 0,
) -> None:
    """Lock and seal statements on some hours, altered or not."""
    keys = put_keys(evidence)
    read = evidence.read(grace_ms=grace_ms)
    known = Known(log=read.log, keys=world.public_keys())
    for each in reconcile.statements(read, known, inputs=(keys,)):
        if each.hour in hours:
            for written in statement_file.write(lie(each)):
                evidence.store.put_new(written.key, written.body, metadata=written.metadata)
    evidence.now += 60_000
    evidence.seal()


def verified(
    evidence: Evidence, keys: dict[str, bytes] | None = None, *, grace_ms: int = 0
) -> Report:
    return Verifier(
        evidence.store,
        Policy(name=NAME, keys=(evidence.key,), grace_ms=grace_ms),
        now=evidence.now,
        options=Options(statements=Check(MemorySorter, keys)),
    ).run()


def codes(report: Report) -> list[str]:
    return [each.code for each in report.findings]


def sealed_trail(count: int = 4) -> Evidence:
    trail = Trail()
    trail.hours(count)
    return evidence_of(trail)


def test_an_honest_statement_is_not_a_finding() -> None:
    """The report counts it by verdict, as well as hours without a statement."""
    evidence = sealed_trail()
    state(evidence)
    report = verified(evidence)
    assert ([], {"proven": 1}) == (report.findings, report.statements)
    assert any("without a statement" in line for line in report.not_checked)
    assert report.without_statement > 0


def test_the_report_names_whose_word_the_provider_s_keys_are() -> None:
    """Whoever seals a key of their own, and a digest under it, could call an hour proven."""
    evidence = sealed_trail()
    state(evidence)
    named = [line for line in verified(evidence).not_checked if "--provider-keys" in line]
    assert ["V5: 1 statement on completeness: that the public keys"] == [
        line[:53] for line in named
    ]
    trusted = verified(evidence, world.public_keys())
    assert not any("--provider-keys" in line for line in trusted.not_checked)


def test_the_absence_of_statements_is_reported() -> None:
    """Units are then weighed only against each other."""
    report = verified(sealed_trail())
    assert ([], {}) == (report.findings, report.statements)
    assert any("no completeness statement is sealed" in line for line in report.not_checked)


def change(**changes: object) -> Callable[[Statements], Statements]:
    """Alter the statements themselves."""

    def lie(statements: Statements) -> Statements:
        altered = tuple(replace(each, **changes) for each in statements.statements)
        return replace(statements, statements=altered)

    return lie


def without_unit(statements: Statements) -> Statements:
    return replace(
        statements,
        statements=tuple(replace(each, counts=each.counts[1:]) for each in statements.statements),
    )


def other_unit(statements: Statements) -> Statements:
    more = Counts("0" * 16, f"ev/v1/aws_cloudtrail/h={SECOND}/{'ab' * 32}.ndjson.zst", "v1")
    return replace(
        statements,
        statements=tuple(
            replace(each, counts=(*each.counts, more)) for each in statements.statements
        ),
    )


def other_log(statements: Statements) -> Statements:
    return replace(statements, log=replace(statements.log, size=statements.log.size + 1))


def other_time(statements: Statements) -> Statements:
    return replace(statements, log=replace(statements.log, at=statements.log.at + 1))


def unsealed_input(statements: Statements) -> Statements:
    return replace(
        statements, inputs=(*statements.inputs, f"op/v1/recon/h={SECOND}/{'ab' * 32}.keys.json")
    )


HONEST_LIES: dict[str, Callable[[Statements], Statements]] = {
    "a unit less": without_unit,
    "a unit more": other_unit,
    "a log that was never signed": other_log,
    "another time of that log": other_time,
    "an input that is not sealed": unsealed_input,
    "more expected and found": change(expected=2, found=2),
    "something missing that is there": change(
        verdict=Verdict.UNPROVABLE, reasons=("missing",), totals={"missing": 1}
    ),
    "open for longer": change(open_until=4_000_000_000_000),
}


@pytest.mark.parametrize("name", HONEST_LIES)
def test_a_statement_that_lies_is_found(name: str) -> None:
    """Whatever it says about the log."""
    evidence = sealed_trail()
    state(evidence, HONEST_LIES[name])
    report = verified(evidence)
    assert ["statement_false"] == codes(report)
    assert 1 == report.exit_code
    assert report.findings[0].key.startswith("op/v1/recon/")


def test_a_withheld_file_cannot_be_called_proven() -> None:
    """Completeness exposes this lie: the list names the file, the statement does not."""
    trail = Trail()
    lost = trail.hours(4)[1]
    del trail.objects[lost]
    evidence = evidence_of(trail)
    state(
        evidence,
        change(verdict=Verdict.PROVEN, reasons=(), totals={}, named=(), expected=0, found=0),
    )
    report = verified(evidence)
    assert ["statement_false"] == codes(report)
    assert "states proven" in report.findings[0].detail


def test_what_an_honest_statement_calls_missing_is_reported() -> None:
    """It is reported as incompleteness, by name."""
    trail = Trail()
    lost = trail.hours(4)[1]
    del trail.objects[lost]
    evidence = evidence_of(trail)
    state(evidence)
    report = verified(evidence)
    assert (["hour_incomplete"], 2) == (codes(report), report.exit_code)
    assert f"missing {BUCKET}/{lost}" in report.findings[0].detail


def test_files_that_arrived_since_are_not_reported() -> None:
    """The statement was true of an earlier log and is no lie; the hour is complete now."""
    trail = Trail()
    lost = trail.hours(4)[1]
    content = trail.objects.pop(lost)
    evidence = evidence_of(trail)
    state(evidence)
    trail.objects[lost] = content
    evidence.lock([each for each in trail.deliveries() if lost in each.unit])
    evidence.seal()
    assert [] == verified(evidence).findings
    state(evidence)
    report = verified(evidence)
    assert ([], {"proven": 1}) == (report.findings, report.statements)


def test_the_verifier_s_keys_decide() -> None:
    """A proof by a key that the verifier does not accept as the provider's counts as a lie."""
    evidence = sealed_trail()
    state(evidence)
    other = {world.fingerprint(): world.der(1)}
    assert ["statement_false"] == codes(verified(evidence, other))
    assert [] == codes(verified(evidence, world.public_keys()))


def test_a_malformed_statement_is_a_finding() -> None:
    """It affects no other statement."""
    evidence = sealed_trail()
    body = b"not a frame"
    key = statement_file.operation_key("recon", SECOND, body, statement_file.ENDING)
    evidence.store.put_new(key, body, metadata={})
    moved = statement_file.operation_key("recon", "2026030210", body, ".keys.json")
    evidence.store.put_new(moved, body, metadata={})
    state(evidence)
    report = verified(evidence)
    assert ["statement_invalid", "statement_invalid"] == codes(report)
    assert {"proven": 1} == report.statements


def test_a_statement_under_another_hour_is_a_finding() -> None:
    """The key states the hour it is about."""
    evidence = sealed_trail()
    read = evidence.read()
    known = Known(log=read.log)
    (of_hour,) = (each for each in reconcile.statements(read, known) if each.hour == SECOND)
    (written,) = statement_file.write(of_hour)
    key = written.key.replace(SECOND, "2026030210")
    evidence.store.put_new(key, written.body, metadata={})
    evidence.seal()
    assert ["statement_invalid"] == codes(verified(evidence))


def test_an_hour_lost_to_expiry_is_not_a_lie() -> None:
    """It was proven and has expired since: it is not weighed, which is reported."""
    evidence = sealed_trail()
    state(evidence)
    for key in [one for one in evidence.store.objects if one.startswith("ev/")]:
        evidence.store.remove(key)
    evidence.now += int(timedelta(days=500).total_seconds() * 1000)
    evidence.seal()
    report = verified(evidence)
    assert "statement_false" not in codes(report)
    assert any("has expired" in line for line in report.not_checked)


def test_what_is_gone_within_the_grace_is_missing() -> None:
    """Nothing expires then, for whoever reconciles as for whoever verifies."""
    evidence = sealed_trail()
    hour = next(one for one in evidence.store.objects if f"h={SECOND}/" in one)
    evidence.store.remove(hour)
    evidence.now += 400 * DAY_MS + 60_000
    evidence.seal()
    grace_ms = 30 * DAY_MS
    assert {(SOURCE, SECOND)} == evidence.read().expired
    assert not evidence.read(grace_ms=grace_ms).expired
    state(evidence, grace_ms=grace_ms)
    report = verified(evidence, grace_ms=grace_ms)
    assert {"gone_early", "hour_incomplete"} == {*codes(report)} - {"head_stale"}
    evidence.now += grace_ms
    assert {(SOURCE, SECOND)} == evidence.read(grace_ms=grace_ms).expired


@pytest.mark.parametrize("early", [False, True])
def test_what_came_before_an_hour_excuses_nothing_of_it(*, early: bool) -> None:
    """A writer can name an hour that is still to come; what it locks there expires before it."""
    trail = Trail()
    trail.hours(4)
    evidence = evidence_of(trail, START - 24 * HOUR) if early else evidence_of(trail)
    gone = [one for one in evidence.store.objects if one.startswith("ev/")]
    for key in gone:
        evidence.store.remove(key)
    evidence.now += int(timedelta(days=500).total_seconds() * 1000)
    evidence.seal()
    read = evidence.read()
    assert early != bool(read.expired)
    assert (sorted(gone) if early else []) == sorted(read.unsound)


def test_a_partial_verification_weighs_no_statement() -> None:
    """A statement covers everything, which a sample does not read."""
    evidence = sealed_trail()
    state(evidence, without_unit)
    report = Verifier(
        evidence.store,
        Policy(name=NAME, keys=(evidence.key,)),
        now=evidence.now,
        options=Options(statements=Check(MemorySorter), sample=2, seed="1"),
    ).run()
    assert "statement_false" not in codes(report)
    assert any(
        "statements on completeness and canaries, which" in line for line in report.not_checked
    )


def test_statements_of_a_past_hour_stay_true() -> None:
    """Whatever is sealed later, each is weighed against the log it names."""
    trail = Trail()
    trail.hours(3)
    evidence = evidence_of(trail, START + 4 * HOUR)
    state(evidence, hours=("2026030208", SECOND))
    late = Trail()
    late.digests = [trail.digests[-1]]
    late.objects = dict(trail.objects)
    late.hours(2, start=START + 3 * HOUR)
    evidence.lock(late.deliveries())
    evidence.seal()
    state(evidence, hours=("2026030210", SECOND))
    report = verified(evidence)
    assert [] == report.findings
    assert {"proven": 3} == report.statements


def test_two_statements_on_one_log_are_both_weighed() -> None:
    """The false one is found, whichever counts."""
    evidence = sealed_trail()
    state(evidence)
    evidence_read = evidence.read()
    known = Known(log=evidence_read.log, keys=world.public_keys())

    def lie(each: Statement) -> Statement:
        return replace(each, counts=())

    for of_hour in reconcile.statements(evidence_read, known, inputs=(put_keys(evidence),)):
        if of_hour.hour == SECOND:
            altered = replace(of_hour, statements=tuple(map(lie, of_hour.statements)))
            for written in statement_file.write(altered):
                evidence.store.put_new(written.key, written.body, metadata={})
    evidence.seal()
    assert ["statement_false"] == codes(verified(evidence))
