"""The AWS canary: what it calls, as whom and how often, and how the evidence weighs it.

The SDK calls a stub; the records, as CloudTrail would write them, are exported, sealed and weighed
by the plan sealed before the hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.aws import canary
from nhi_evidence.adapters.probing.aws_calls import Runner
from nhi_evidence.adapters.probing.outcome import Done
from nhi_evidence.coverage import signed
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import sealed as sealed_plans
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR, probes
from nhi_evidence.coverage.canary.weigh import Result, Seen, Sightings
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.canary_stub import CanaryStub
from tests.coverage.sealed_estate import ACCOUNT, DAY, HOUR, NAME, Sealed, delivery, record
from tests.memory_store import MemoryStore

REGION = "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nhi-evidence-canary"
KEY_ID = "ASIAIOSFODNN7EXAMPLE"
DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
DAILY = "2026030300"
"""An hour in which every probe is due."""
HOURLY = "2026030207"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[CanaryStub]:
    with CanaryStub(key_id=KEY_ID) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint_url)
        yield running


def probed(hour: str, account: str = ACCOUNT) -> Done:
    """Make every probe of an hour."""
    done = Done(hour=hour)
    credentials = {"aws_access_key_id": KEY_ID, "aws_secret_access_key": "secret"}
    runner = Runner(account, REGION, ROLE, credentials, done)
    for probe in canary.due_in(hour):
        runner.run(probe, plans.nonce(NAME, hour, probe, account))
    return done


@pytest.mark.parametrize("hour", [DAILY, HOURLY])
def test_every_probe_is_called_once_with_its_own_nonce(aws: CanaryStub, hour: str) -> None:
    """As the plan announces; refused where expected, and never retried."""
    done = probed(hour)
    plan = plans.plan(NAME, "aws", hour, ROLE, DELAYS, account=ACCOUNT)
    assert ([], [], len(plan.probes)) == (done.unexpected, done.unanswered, done.calls)
    assert Counter(one.nonce for one in plan.probes) == Counter(call.nonce for call in aws.calls)
    announced = {one.nonce: one.operation for one in plan.probes if one.operation}
    assert {
        call.nonce: call.operation for call in aws.calls if call.nonce in announced
    } == announced


def test_calls_of_any_hour_are_few(aws: CanaryStub) -> None:
    """Fewer than sixty per account, including assuming its role."""
    start = keys.hour_start(DAILY) or 0
    for hour in range(24):
        assert len(canary.due_in(keys.hour_of(start + hour * HOUR))) + 1 < MAX_CALLS_AN_HOUR
    probed(DAILY)
    assert len(aws.calls) + 1 < MAX_CALLS_AN_HOUR
    assert len(probes("aws")) == len(aws.calls)
    with pytest.raises(SettingsError, match="is not an hour"):
        canary.due_in("noon")


def test_calls_name_only_what_the_canary_owns_or_nobody_has(aws: CanaryStub) -> None:
    """Whatever could change something names a nonexistent target, in the call itself."""
    probed(DAILY)
    changing = {"AttachUserPolicy", "CreateAccessKey", "StopLogging", "AssumeRole", "Publish"}
    seen = [call for call in aws.calls if call.operation in changing]
    assert changing == {call.operation for call in seen}
    for call in seen:
        assert "nhi-evidence-canary-none" in call.body or call.nonce in call.body, call
    (dry,) = (call for call in aws.calls if call.operation == "RunInstances")
    assert "DryRun=true" in dry.body
    assert not any("{" in call.body.replace('{"', "").replace("{}", "") for call in aws.calls)


def test_a_dead_key_belongs_to_nobody(aws: CanaryStub) -> None:
    """The negative probe signs with an invented key and secret."""
    probed(DAILY)
    dead = [call for call in aws.calls if call.key_id != KEY_ID]
    assert ["GetCallerIdentity"] == [call.operation for call in dead]
    (negative,) = (one for one in probes("aws") if one.expect == "none")
    assert plans.nonce(NAME, DAILY, negative, ACCOUNT) == dead[0].nonce


def test_unexpected_rights_raise_an_alarm(aws: CanaryStub) -> None:
    """The canary was given permissions, or lost the few it has."""
    aws.allowed["AssumeRole"] = b"<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"
    del aws.allowed["ListBuckets"]
    done = probed(HOURLY)
    assert {
        "aws.token_issuance.sts: sts:AssumeRole was allowed",
        "aws.enumeration.control_plane: s3:ListBuckets was refused",
    } == set(done.unexpected)


def test_no_answer_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    done = probed(HOURLY)
    assert (0, []) == (done.calls, done.unexpected)
    assert len(canary.due_in(HOURLY)) == len(done.unanswered)


def recorded(aws: CanaryStub, hour: str) -> list[dict[str, Any]]:
    """Return what CloudTrail records of the calls: nothing for an unknown key."""
    identity = {
        "type": "AssumedRole",
        "principalId": "AROACKCEVSQ6C2EXAMPLE:nhi-evidence",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/nhi-evidence-canary/nhi-evidence",
        "accountId": ACCOUNT,
        "accessKeyId": KEY_ID,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROACKCEVSQ6C2EXAMPLE",
                "arn": ROLE,
                "accountId": ACCOUNT,
                "userName": "nhi-evidence-canary",
            }
        },
    }
    refused = {"errorCode": "AccessDenied"}
    return [
        record(
            call.operation,
            int(hour[8:]) * 60 + 10,
            100 + number,
            userIdentity=identity,
            userAgent=call.agent,
            eventSource=f"{call.service}.amazonaws.com",
            **({} if call.operation in aws.allowed else refused),
        )
        for number, call in enumerate(aws.calls)
        if call.key_id == KEY_ID
    ]


def results(evidence: Sealed) -> dict[tuple[str, str], Result]:
    """Return the result of every planned probe by the sealed evidence, by cell and operation."""
    log = signed.read(evidence.stored)
    problems: dict[str, str] = {}
    planned = list(sealed_plans.read(evidence.store, log, problems))
    assert {} == problems
    marks = Sightings(plan for _, plan in planned).nonces
    seen = [
        Seen(each.head, each.raw, each.at.locked_at, each.at.key)
        for each in Reader(evidence.store, ()).records_of(log.of("ev", "aws_cloudtrail"), marks)
    ]
    weighed = sealed_plans.weighed(planned, seen, log.at or 0)
    operations = {one.nonce: one.operation for _, plan in planned for one in plan.probes}
    return {(one.cell, operations[one.nonce]): one.result for one in weighed}


def lock(evidence: Sealed, hour: int, records: list[dict[str, Any]], at: int) -> None:
    """Export a file, with its object stored at a given time."""
    aside = MemoryStore()
    mapper = Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=True)
    lock_batch(mapper, [delivery(hour, records)], aside).ensure_locked()
    for key, body in aside.objects.items():
        evidence.put(key, body, at, aside.first(key).metadata)


def estate(folder: Path, hour: str) -> Sealed:
    """A sealed plan of one hour."""
    evidence = Sealed(folder)
    start = keys.hour_start(hour) or 0
    operation = plans.write(plans.plan(NAME, "aws", hour, ROLE, DELAYS, account=ACCOUNT))
    evidence.put(operation.key, operation.body, start - 2 * HOUR)
    evidence.seal(start - HOUR)
    return evidence


def test_the_sealed_evidence_decides(aws: CanaryStub, tmp_path: Path) -> None:
    """Probes recorded in time, by the right principal, in the right phase, are proven; a withheld
    one is missing, by name.
    """
    evidence = estate(tmp_path, HOURLY)
    probed(HOURLY)
    records = recorded(aws, HOURLY)
    withheld = next(one for one in records if one["eventName"] == "GetParameter")
    lock(evidence, 7, [one for one in records if one is not withheld], DAY + 7 * HOUR + HOUR // 3)
    evidence.seal(DAY + 40 * HOUR)
    by_probe = results(evidence)
    assert Result.MISSING is by_probe.pop(("aws.secret_access.services", "GetParameter"))
    assert {Result.PROVEN} == set(by_probe.values()), by_probe


def test_an_impossible_cell_stays_empty(aws: CanaryStub, tmp_path: Path) -> None:
    """A dead key leaves no record, as documented: a negative probe shows it, not silence."""
    evidence = estate(tmp_path, DAILY)
    probed(DAILY)
    lock(evidence, 0, recorded(aws, DAILY), DAY + 24 * HOUR + HOUR // 3)
    evidence.seal(DAY + 80 * HOUR)
    by_probe = results(evidence)
    assert Result.ABSENT is by_probe[("aws.credential_validation.dead_key", "")]
    assert {Result.PROVEN, Result.ABSENT} == set(by_probe.values()), by_probe


def test_canaries_of_two_accounts_are_told_apart() -> None:
    other = plans.plan(NAME, "aws", DAILY, ROLE, DELAYS, account="111122223333")
    own = plans.plan(NAME, "aws", DAILY, ROLE, DELAYS, account=ACCOUNT)
    assert not {one.nonce for one in own.probes} & {one.nonce for one in other.probes}
