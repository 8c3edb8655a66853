"""V5 of `verify`: a false sealed statement on canaries is found, and a true one passes."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from nhi_evidence.adapters.store.spilling import Sorters
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import statement
from nhi_evidence.coverage.canary.check import Check
from nhi_evidence.coverage.canary.statement import Stated
from nhi_evidence.coverage.canary.weigh import Result, Weighed
from nhi_evidence.evidence.verify import Options, Report, Verifier
from nhi_evidence.evidence.verify.sorting import MemorySorter, Sorter
from tests.coverage.sealed_estate import ACCOUNT, HOUR, NAME
from tests.coverage.test_canary_statements import (
    BEGINS,
    DELAYS,
    PLAN,
    PLANNED,
    ROLE,
    SECRET,
    Bucket,
    recorded,
)

LATER = BEGINS + 6 * HOUR
Lie = Callable[[Stated], Stated]


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path / "copy")


def verified(
    bucket: Bucket, *, deep: bool = False, sorter: Callable[[], Sorter] = MemorySorter
) -> Report:
    options = Options(statements=Check(bucket.made.store, sorter), deep=deep)
    at = LATER + HOUR
    return Verifier(bucket.made.store, bucket.made.policy, now=at, options=options).run()


def on_canaries(report: Report) -> list[tuple[str, str]]:
    """Return the findings of the check, with their texts; this copy has others, about clocks."""
    return [
        (each.code, each.detail) for each in report.findings if each.code.startswith("canaries_")
    ]


def again(stated: Stated, weighed: list[Weighed], plan_keys: list[str] | None = None) -> Stated:
    """Return a statement with other content and correct counts."""
    header = stated.header
    key, *others = header.plans if plan_keys is None else plan_keys
    restated = [(key, weighed), *((other, []) for other in others)]
    return statement.state(
        header.platform,
        header.hour,
        header.log,
        restated,
        until=header.until,
        mappers=header.mappers,
    )


def claims_arrival(stated: Stated) -> Stated:
    weighed = [
        replace(one, result=Result.PROVEN, where=stated.lines[0].where or "ev/v1/x")
        if one.cell == SECRET
        else one
        for one in stated.weighed
    ]
    return again(stated, weighed)


def claims_silence(stated: Stated) -> Stated:
    weighed = [
        replace(one, result=Result.MISSING, where="") if one.result is Result.PROVEN else one
        for one in stated.weighed
    ]
    return again(stated, weighed)


def leaves_out_a_probe(stated: Stated) -> Stated:
    return again(stated, [one for one in stated.weighed if one.cell != SECRET])


def adds_a_probe(stated: Stated) -> Stated:
    more = replace(stated.weighed[0], nonce="nhic" + "0a" * 10, cell="aws.more")
    return again(stated, [*stated.weighed, more])


def without_a_plan(stated: Stated) -> Stated:
    key = f"op/v1/coverage/h={PLANNED}/{'ab' * 32}{plans.ENDING}"
    return again(stated, list(stated.weighed), [key])


def elsewhere(stated: Stated) -> Stated:
    key = f"ev/v1/aws_cloudtrail/h={PLANNED}/{'ab' * 32}.ndjson.zst"
    return again(stated, [replace(one, where=one.where and key) for one in stated.weighed])


def another_log(stated: Stated) -> Stated:
    log = replace(stated.header.log, size=stated.header.log.size + 1)
    return replace(stated, header=replace(stated.header, log=log))


def until_too_early(stated: Stated) -> Stated:
    return replace(stated, header=replace(stated.header, until=BEGINS + 60_000))


def of_no_platform(stated: Stated) -> Stated:
    return replace(stated, header=replace(stated.header, platform="okta"))


LIES: dict[str, tuple[Lie, str]] = {
    "an arrival without a record": (claims_arrival, f"states PROVEN of {SECRET}"),
    "silence where records are": (claims_silence, "the records give PROVEN"),
    "a probe left out": (leaves_out_a_probe, f"leaves out the probe of {SECRET}"),
    "a probe more": (adds_a_probe, "names a probe no plan announces: aws.more"),
    "no plan": (without_a_plan, "names a plan that is not sealed in its log"),
    "another object": (elsewhere, "names ev/v1/aws_cloudtrail/"),
    "a log nobody signed": (another_log, "names a log state that was never signed"),
    "records of a part of its time": (until_too_early, "covers records until"),
    "no platform": (of_no_platform, "names a platform without canaries: okta"),
}


def sealed_statement(bucket: Bucket, lie: Lie = lambda stated: stated) -> Operation:
    """Make an altered statement on an hour with one missing record, and seal it."""
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3)
    bucket.keeps = False
    bucket.run(BEGINS + 3 * HOUR)
    operation = statement.write(lie(bucket.stated))
    bucket.made.put(operation.key, operation.body, LATER - HOUR, operation.metadata)
    bucket.made.seal(LATER)
    return operation


@pytest.mark.parametrize("deep", [False, True])
def test_a_true_statement_is_not_a_finding(bucket: Bucket, deep: bool) -> None:
    """Nor is one that says something is missing: the report counts it."""
    sealed_statement(bucket)
    report = verified(bucket, deep=deep)
    assert [] == on_canaries(report)
    assert report.canaries == {"MISSING": 1, "PROVEN": len(recorded()) - 1}


@pytest.mark.parametrize("name", LIES)
def test_a_false_statement_is_found(bucket: Bucket, name: str) -> None:
    lie, why = LIES[name]
    operation = sealed_statement(bucket, lie)
    report = verified(bucket)
    ((code, detail),) = on_canaries(report)
    assert "canaries_false" == code
    assert why in detail
    assert 1 == report.exit_code
    assert [operation.key] == [one.key for one in report.findings if one.code == code]


def test_spilling_to_disk_finds_the_same(bucket: Bucket) -> None:
    sealed_statement(bucket, claims_arrival)
    with Sorters() as sorters:
        assert 1 == len(on_canaries(verified(bucket, sorter=sorters)))


def test_an_omitted_plan_is_found(bucket: Bucket) -> None:
    """The statement covers only one of two announced accounts."""
    other = plans.plan(
        NAME, "aws", PLANNED, ROLE.replace(ACCOUNT, "1" * 12), DELAYS, account="1" * 12
    )
    operation = plans.write(other)
    bucket.made.put(operation.key, operation.body, BEGINS - HOUR)

    def lie(stated: Stated) -> Stated:
        own = stated.header.plans.index(plans.write(PLAN).key)
        weighed = [
            one for one, line in zip(stated.weighed, stated.lines, strict=True) if line.plan == own
        ]
        return again(stated, weighed, [plans.write(PLAN).key])

    sealed_statement(bucket, lie)
    ((code, detail),) = on_canaries(verified(bucket))
    assert ("canaries_false", f"leaves out a plan: {operation.key}") == (code, detail)


def test_a_later_statement_is_weighed_by_its_own_log(bucket: Bucket) -> None:
    """Missing at first and late a day later: both are true, and the later one counts."""
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3)
    bucket.run(BEGINS + 3 * HOUR)
    late = [one for one in recorded() if one["eventName"] == "GetParameter"]
    bucket.lock(late, BEGINS + 9 * HOUR, "Late99")
    bucket.run(BEGINS + 28 * HOUR)
    assert 2 == len(bucket.put)
    bucket.made.seal(BEGINS + 29 * HOUR)
    report = verified(bucket)
    assert [] == on_canaries(report)
    assert 1 == report.canaries["LATE"]


def test_an_unreadable_object_makes_no_statement_false(bucket: Bucket) -> None:
    """The record's object is missing in the copy, which is a finding; the rest is reported."""
    sealed_statement(bucket)
    where = next(one.where for one in bucket.stated.lines if one.where)
    (bucket.made.folder / where).unlink()
    report = verified(bucket)
    assert [] == on_canaries(report)
    assert "object_missing" in {each.code for each in report.findings}
    assert (
        "V5: 1 statement on canaries: evidence of their hour is gone or cannot be read"
        in report.not_checked
    )


def test_a_missing_plan_makes_no_statement_false(bucket: Bucket) -> None:
    sealed_statement(bucket)
    (bucket.made.folder / plans.write(PLAN).key).unlink()
    report = verified(bucket)
    assert [] == on_canaries(report)
    assert any("a plan of their hour cannot be read" in line for line in report.not_checked)


@pytest.mark.parametrize("ending", [plans.ENDING, statement.ENDING])
def test_a_malformed_statement_is_a_finding(bucket: Bucket, ending: str) -> None:
    """It does not affect a true statement."""
    body = b"neither"
    kind = "coverage" if ending == plans.ENDING else "recon"
    key = f"op/v1/{kind}/h={PLANNED}/{sha256(body).hexdigest()}{ending}"
    bucket.made.put(key, body, BEGINS - HOUR)
    sealed_statement(bucket)
    report = verified(bucket)
    assert [("canaries_invalid", key)] == [
        (each.code, each.key) for each in report.findings if each.code.startswith("canaries_")
    ]
    assert 1 == report.canaries["MISSING"]
