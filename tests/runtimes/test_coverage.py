"""The coverage function under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog, S3EvidenceVersions
from nhi_evidence.completeness import promises
from nhi_evidence.completeness.statement import Log, Scope
from nhi_evidence.coverage import evidence, reading_file, verdict_file
from nhi_evidence.coverage.absence import document
from nhi_evidence.coverage.absence.check import check
from nhi_evidence.coverage.absence.document import Document, Question
from nhi_evidence.coverage.absence.gather import gather
from nhi_evidence.coverage.absence.make import make
from nhi_evidence.coverage.answers import Deployment, Source
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import statement
from nhi_evidence.coverage.canary.weigh import Result, Weighed
from nhi_evidence.coverage.cells import Step, cells, setting_of
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo.estate import amazon
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import keys, note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from tests.coverage import sealed_estate
from tests.coverage.sealed_estate import BOT, DAY, HOUR, Sealed, delivery, record
from tests.kms_stub import KmsStub
from tests.settings_stub import SettingsStub

FOLDER = Path(__file__).parents[2] / "functions" / "coverage"
NAME = "example.org/coverage"
DEPLOYMENT = Deployment((Source(source="aws_cloudtrail", buckets=(amazon.TRAIL_BUCKET,)),))
VALID_KEY = "aws.credential_validation.valid_key"


def answers() -> dict[str, Any]:
    """Return what CloudTrail and Organizations answer about the organization's trail."""
    wanted = {
        "organizations:ListAccounts",
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:GetEventSelectors",
    }
    return {
        one.call.partition(":")[2]: one.answer
        for one in amazon.answers()
        if one.call in wanted and one.scope.startswith(amazon.MANAGEMENT)
    }


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A separate store, since a bucket has one log."""
    folder = tmp_path_factory.mktemp("covered")
    with EmbeddedStore(folder, sources=("aws_cloudtrail",)) as running:
        yield running


@pytest.fixture
def aws() -> Iterator[SettingsStub]:
    with SettingsStub(answers()) as running:
        yield running


def invoke(
    bucket: EmbeddedStore, aws: SettingsStub, log: Path, event: Any = None, **changes: str
) -> tuple[Any, dict[str, Any]]:
    """Run once in a separate environment; return answer and metrics."""
    environment = {
        **bucket.environment(bucket.collector),
        **aws.environment(),
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_REGION": "us-east-1",
        "NHI_EVIDENCE_CONFIG_ROLE": iam.CONFIG_ROLE,
        "NHI_EVIDENCE_COVERAGE_ROLE": iam.COVERAGE_ROLE,
        "NHI_EVIDENCE_DEPLOYMENT": json.dumps(
            {"sources": [{"source": "aws_cloudtrail", "buckets": [amazon.TRAIL_BUCKET]}]}
        ),
        "NHI_EVIDENCE_ACCOUNTS": json.dumps([iam.WORKLOAD_ACCOUNT]),
        "NHI_EVIDENCE_READER_ROLE": iam.READER_ROLE.replace(iam.WORKLOAD_ACCOUNT, "{account}"),
        **changes,
    }
    with LambdaRuntime(FOLDER, "handler.handler", environment=environment, log=log) as running:
        answer = running.invoke(event or {})
        lines = [line for line in running.logs().splitlines() if line.startswith("{")]
        return answer, next(one for one in map(json.loads, lines) if "_aws" in one)


def reader(bucket: EmbeddedStore) -> S3EvidenceVersions:
    client = bucket.client(bucket.investigator, role_arn=iam.AUDITOR_ROLE)
    return S3EvidenceVersions(client, iam.EVIDENCE_BUCKET)


def test_answers_are_kept_judged_and_sealed(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """Every answer, including refusals, is evidence, and so are the verdicts."""
    done, counted = invoke(bucket, aws, tmp_path / "log")
    assert ([1.0], [0.0], [0.0]) == (
        counted["Stated"],
        counted["Unreadable"],
        counted["FailedRuns"],
    )
    assert {"aws"} == set(done["readings"])
    assert 0 < done["refused"] < done["answers"]
    store = reader(bucket)
    stated = verdict_file.read(store.get(done["stated"]), done["stated"])
    assert done["readings"] == stated.readings
    judged = {one.cell: one.verdict for one in stated.cells}
    assert judged[VALID_KEY] is Verdict.CONFIGURED
    assert judged["aws.enumeration.telemetry"] is Verdict.UNKNOWN, "it may not list the rules"
    reading = reading_file.read(store.get(done["readings"]["aws"]), "reading")
    accounts = {one.scope.partition("/")[0] for one in reading.answers[1:]}
    assert {iam.WORKLOAD_ACCOUNT, iam.EVIDENCE_ACCOUNT} == accounts
    with KmsStub() as kms:
        client = bucket.client(bucket.sealer, role_arn=iam.SEALER_ROLE)
        log = S3EvidenceLog(client, iam.EVIDENCE_BUCKET)
        policy = LockPolicy(retention_ms=0, encryption=None)
        Sealer(log, [kms.signer], clock.now, name=NAME, lock_policy=policy).run(everything=True)
        key = note.from_spki(NAME, kms.signer.public_key())
    observed = evidence.observed(store, StoredLog(store, NAME, [key]))
    assert reading in [one for _, one in observed.readings], "beside those of other tests"
    assert {} == observed.unreadable


@pytest.mark.slow
def test_cells_lost_since_the_last_run_are_named(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """When a trail is stopped, every cell that relied on it is named once.

    The organization has the accounts that are read: nobody knows the own trails of another.
    """
    read = (iam.WORKLOAD_ACCOUNT, iam.EVIDENCE_ACCOUNT)
    listed = [{"Id": account, "Status": "ACTIVE"} for account in read]
    aws.answers["ListAccounts"] = {"Accounts": listed}
    aws.answers["GetTrailStatus"] = {"IsLogging": True}
    invoke(bucket, aws, tmp_path / "before")
    aws.answers["GetTrailStatus"] = {"IsLogging": False}
    done, counted = invoke(bucket, aws, tmp_path / "stopped")
    assert f"{VALID_KEY}: CONFIGURED, now GAP" in done["lost"]
    assert counted["Lost"] == [float(len(done["lost"]))]
    again, _ = invoke(bucket, aws, tmp_path / "again")
    assert [] == again["lost"]


@pytest.mark.slow
def test_heartbeats_of_the_coming_hours_are_promised(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """For the one trail's account and region, three hours ahead; not once it is stopped."""
    (trail,) = aws.answers["DescribeTrails"]["trailList"]
    own = {**trail, "IsMultiRegionTrail": False, "IsOrganizationTrail": False}
    aws.answers["DescribeTrails"] = {"trailList": [own]}
    aws.answers["GetTrailStatus"] = {"IsLogging": True, "StartLoggingTime": 1_700_000_000}
    done, counted = invoke(bucket, aws, tmp_path / "log")
    assert ([3.0], []) == (counted["Promised"], done["problems"])
    scope = Scope(amazon.MANAGEMENT, amazon.REGION, f"{amazon.TRAIL_BUCKET}/AWSLogs/")
    store = reader(bucket)
    for hour, key in done["promised"].items():
        promise = promises.read(store.get(key), key)
        assert (hour, (scope,)) == (promise.hour, promise.scopes)
    assert min(done["promised"]) > keys.hour_of(clock.now() - 3_600_000)
    aws.answers["GetTrailStatus"]["IsLogging"] = False
    stopped, _ = invoke(bucket, aws, tmp_path / "stopped")
    assert {} == stopped["promised"]


@pytest.mark.slow
def test_an_unreachable_cloud_affects_no_other(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """Without a token from Google Cloud its cells are unknown, with the reason; AWS is judged."""
    provider = (
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p"
    )
    done, counted = invoke(
        bucket, aws, tmp_path / "log", NHI_EVIDENCE_GOOGLE=json.dumps({"provider": provider})
    )
    assert [1.0] == counted["Unreadable"]
    assert done["unreadable"][0].startswith(f"gcp: no identity token for https:{provider}")
    assert {"aws", "gcp"} == set(done["readings"])
    assert done["verdicts"]["CONFIGURED"] > 0


@pytest.mark.slow
def test_an_inaccessible_account_is_an_answer(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """Its settings are unknown; the run goes on, and an alarm is raised."""
    nobody = iam.READER_ROLE.replace("settings-reader", "nobody")
    done, counted = invoke(bucket, aws, tmp_path / "log", NHI_EVIDENCE_READER_ROLE=nobody)
    (refused,) = done["refusals"]
    assert refused.startswith(f"sts:AssumeRole {iam.WORKLOAD_ACCOUNT}: ")
    assert ([1.0], [0.0]) == (counted["Unreadable"], counted["FailedRuns"])
    assert "CONFIGURED" not in done["verdicts"]


def false_absence(folder: Path) -> tuple[Document, Policy]:
    """Return a statement that a record on file contradicts, and the policy it passes under."""
    sealed = Sealed(folder / "evidence", "kms")
    secret = record("GetSecretValue", 450, 1, eventSource="secretsmanager.amazonaws.com")
    sealed.lock(delivery(7, [secret]))
    sealed.seal()
    question = Question(BOT, Step.SECRET_ACCESS, DAY + 6 * HOUR, DAY + 12 * HOUR, "aws")
    gathered = gather(sealed.store, sealed.stored, question)
    assert gathered.matching
    search = msgspec.structs.replace(gathered.search, matching=0)
    forged = msgspec.structs.replace(gathered, matching=(), search=search)
    policy = Policy(name=sealed_estate.NAME, keys=(sealed.key,))
    return make(sealed.store, sealed.stored, question, forged), policy


@pytest.mark.slow
def test_an_event_decides_nothing(bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path) -> None:
    """A false statement that passes every check without the evidence is not kept: the function
    cannot read the evidence, so it keeps nothing that it is given.
    """
    stated, policy = false_absence(tmp_path)
    assert check(stated, policy).text.startswith("None on record")
    before = set(reader(bucket).keys("op/"))
    event = {"absence": json.loads(document.write(stated)), "Kept": 1}
    answer, counted = invoke(bucket, aws, tmp_path / "log", event)
    assert ([1.0], answer["verdicts"]["CONFIGURED"] > 0) == (counted["Stated"], True)
    put = {answer["stated"], *answer["readings"].values(), *answer["promised"].values()}
    assert set(reader(bucket).keys("op/")) - before <= put


def test_each_assumed_role_puts_only_its_own_kind(bucket: EmbeddedStore) -> None:
    """They write no evidence, log or other function's statement, and read nothing."""
    own = bucket.client(bucket.collector)
    for role, kind in ((iam.CONFIG_ROLE, "config"), (iam.COVERAGE_ROLE, "coverage")):
        client = bucket.client(bucket.collector, role_arn=role)
        others = {"ev/v1/aws_cloudtrail", "log/v1/2026", "op/v1/recon", "op/v1/config",
                  "op/v1/coverage"} - {f"op/v1/{kind}"}  # fmt: skip
        for prefix in others:
            with pytest.raises(ClientError, match="AccessDenied"):
                client.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=f"{prefix}/h=x/y", Body=b"x")
        with pytest.raises(ClientError, match="AccessDenied"):
            own.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=f"op/v1/{kind}/h=x/y", Body=b"x")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.list_objects_v2(Bucket=iam.EVIDENCE_BUCKET)


def test_missing_settings_are_named(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    with pytest.raises(InvocationError, match="NHI_EVIDENCE_CONFIG_ROLE is not set"):
        invoke(bucket, aws, tmp_path / "log", NHI_EVIDENCE_CONFIG_ROLE="")


def stated_canaries(bucket: EmbeddedStore, result: Result, size: int) -> str:
    """Put a statement on one probe of the hour before last, as the reconciling function does."""
    hour = keys.hour_of(clock.now() - 2 * HOUR)
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    planned = plans.plan(NAME, "aws", hour, "arn:aws:iam::333344445555:role/canary", delays)
    probe = next(one for one in planned.probes if one.cell == VALID_KEY)
    weighed = Weighed(probe.cell, hour, probe.nonce, result, "as the test has it")
    stated = statement.state(
        "aws",
        hour,
        Log("example.org/coverage/2026", size, "00" * 32, clock.now()),
        [(plans.write(planned).key, [weighed])],
        until=clock.now(),
        mappers=(),
    )
    operation = statement.write(stated)
    client = bucket.client(bucket.reconciler, role_arn=iam.RECON_ROLE)
    writer = S3EvidenceWriter(client, iam.EVIDENCE_BUCKET)
    writer.put_new(operation.key, operation.body, metadata=operation.metadata)
    return operation.key


@pytest.mark.slow
def test_canaries_take_precedence_over_settings(
    bucket: EmbeddedStore, aws: SettingsStub, tmp_path: Path
) -> None:
    """Configured, then proven, then broken, which is a lost step and raises an alarm."""
    proven = stated_canaries(bucket, Result.PROVEN, 1)
    unread, _ = invoke(bucket, aws, tmp_path / "log0")
    assert [] == unread["canaries"], "no canary is deployed: nothing of it is read"
    done, counted = invoke(bucket, aws, tmp_path / "log", NHI_EVIDENCE_CANARIES="true")
    stated = verdict_file.read(reader(bucket).get(done["stated"]), done["stated"])
    assert ((proven,), [proven]) == (stated.canaries, done["canaries"])
    judged = {one.cell: one.verdict for one in stated.cells}
    assert (Verdict.PROVEN, [0.0]) == (judged[VALID_KEY], counted["Lost"])
    broken = stated_canaries(bucket, Result.MISSING, 2)
    done, counted = invoke(bucket, aws, tmp_path / "again", NHI_EVIDENCE_CANARIES="true")
    assert ([1.0], [broken]) == (counted["Lost"], done["canaries"])
    assert [f"{VALID_KEY}: PROVEN, now BROKEN"] == done["lost"]
