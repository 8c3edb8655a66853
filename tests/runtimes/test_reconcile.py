"""The function that reconciles under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceLog, S3EvidenceVersions
from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.check import Check
from nhi_evidence.completeness.statement import standing
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary import statement
from nhi_evidence.coverage.canary.check import Check as CanaryCheck
from nhi_evidence.coverage.canary.weigh import Result
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import keys, note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.evidence.verify.statements import Together
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cloudtrail_stub import CloudTrailStub
from tests.completeness import trail as world
from tests.completeness.trail import BUCKET, HOUR, NAME, Trail
from tests.kms_stub import ALIAS, KmsStub

FOLDER = Path(__file__).parents[2] / "functions" / "reconcile"
LOST = 3
"""The hour, counted from the first, in which a file is withheld."""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A separate store, since a bucket has one log."""
    folder = tmp_path_factory.mktemp("reconciled")
    with EmbeddedStore(folder, sources=("aws_cloudtrail",)) as running:
        yield running


@pytest.fixture(scope="module")
def kms() -> Iterator[KmsStub]:
    with KmsStub() as running:
        yield running


@pytest.fixture(scope="module")
def cloudtrail() -> Iterator[CloudTrailStub]:
    with CloudTrailStub(world.public_keys()) as running:
        yield running


@pytest.fixture(scope="module")
def lost(bucket: EmbeddedStore, kms: KmsStub) -> str:
    return deliver(bucket, kms)


def deliver(bucket: EmbeddedStore, kms: KmsStub) -> str:
    """Export and seal a trail of the last hours except one file; return its key."""
    now = datetime.fromtimestamp(clock.now() / 1000, UTC)
    start = now.replace(minute=0, second=0, microsecond=0) - 8 * HOUR
    trail = Trail()
    withheld = trail.hours(7, start=start)[LOST]
    del trail.objects[withheld]
    client = bucket.client(bucket.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    outcome = lock_batch(mapper, trail.deliveries(), S3EvidenceWriter(client, iam.EVIDENCE_BUCKET))
    outcome.ensure_locked()
    seal(bucket, kms)
    return withheld


def seal(bucket: EmbeddedStore, kms: KmsStub) -> None:
    client = bucket.client(bucket.sealer, role_arn=iam.SEALER_ROLE)
    Sealer(
        S3EvidenceLog(client, iam.EVIDENCE_BUCKET),
        [kms.signer],
        clock.now,
        name=NAME,
        lock_policy=LockPolicy(retention_ms=0, encryption=None),
    ).run(everything=True)


def settings(
    bucket: EmbeddedStore, kms: KmsStub, cloudtrail: CloudTrailStub, **changes: str
) -> dict[str, str]:
    """The function's environment: a session of its own role, as Lambda provides it."""
    return {
        **bucket.environment(bucket.reconciler),
        "AWS_ENDPOINT_URL_KMS": kms.endpoint_url,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": cloudtrail.endpoint_url,
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_LOG_NAME": NAME,
        "NHI_EVIDENCE_SIGNING_KEYS": json.dumps([ALIAS]),
        "NHI_EVIDENCE_OPERATOR_ROLE": iam.RECON_ROLE,
        "NHI_EVIDENCE_GRACE_DAYS": "0",
        **changes,
    }


def invoke(environment: dict[str, str], log: Path) -> tuple[Any, dict[str, Any]]:
    """Run once in a separate environment; return answer and metrics."""
    with LambdaRuntime(FOLDER, "handler.handler", environment=environment, log=log) as running:
        answer = running.invoke({})
        return answer, metrics(running)


def metrics(running: LambdaRuntime) -> dict[str, Any]:
    lines = [line for line in running.logs().splitlines() if line.startswith("{")]
    return next(one for one in map(json.loads, lines) if "_aws" in one)


def reader(bucket: EmbeddedStore) -> S3EvidenceVersions:
    client = bucket.client(bucket.investigator, role_arn=iam.AUDITOR_ROLE)
    return S3EvidenceVersions(client, iam.EVIDENCE_BUCKET)


def verified(bucket: EmbeddedStore, kms: KmsStub) -> Report:
    """Verify the bucket, recomputing its statements of both kinds."""
    key = note.from_spki(NAME, kms.signer.public_key())
    store = reader(bucket)
    checks = Together(Check(MemorySorter), CanaryCheck(store, MemorySorter))
    return Verifier(
        store,
        Policy(name=NAME, keys=(key,)),
        now=clock.now(),
        options=Options(statements=checks),
    ).run()


@pytest.mark.slow
def test_without_public_keys_nothing_is_proven(kms: KmsStub, tmp_path: Path) -> None:
    """If neither CloudTrail nor another cloud answers, hours are unprovable, with the reason."""
    listings = [{"kind": "google", "resource": "projects/example", "provider": "//pool"}]
    with (
        CloudTrailStub({}) as refusing,
        EmbeddedStore(tmp_path / "store", sources=("aws_cloudtrail",)) as other,
    ):
        deliver(other, kms)
        refusing.refused = "AccessDeniedException"
        environment = settings(other, kms, refusing, NHI_EVIDENCE_LISTINGS=json.dumps(listings))
        done, counted = invoke(environment, tmp_path / "log")
        seal(other, kms)
        report = verified(other, kms)
    assert ({"unprovable"}, 2) == (set(done["verdicts"]), len(done["problems"]))
    assert "AccessDenied" in done["problems"][0]
    assert "no identity token for https://pool" in done["problems"][1]
    assert ([2.0], [0.0]) == (counted["Problems"], counted["FailedRuns"])
    # Google's hours can never be listed again; whether CloudTrail's keys can is not yet known.
    assert ([done["unproven"]], True) == (counted["Unproven"], done["unproven"] > 0)
    assert {"refused"} == {each.rpartition(" ")[2] for each in done["ended"]}
    assert {"hour_incomplete"} == {each.code for each in report.findings}
    assert any("based on an API's listing" in line for line in report.not_checked)


def bucket_keys(bucket: EmbeddedStore) -> list[str]:
    return list(reader(bucket).keys("op/"))


class First(msgspec.Struct, frozen=True):
    """What the first run in the bucket did, and what could be verified after it."""

    done: dict[str, Any]
    counted: dict[str, Any]
    standing: int
    """Statements that no later one replaces."""
    report: Report


@pytest.fixture(scope="module")
def first(
    bucket: EmbeddedStore,
    kms: KmsStub,
    cloudtrail: CloudTrailStub,
    lost: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> First:
    """Other runs come after it, whatever the order of the tests."""
    assert lost
    folder = tmp_path_factory.mktemp("first")
    done, counted = invoke(settings(bucket, kms, cloudtrail), folder / "log")
    store = reader(bucket)
    stated = [key for key in store.keys("op/v1/recon/") if statement_file.is_statements(key)]
    stands = standing((key, statement_file.read(store.get(key))) for key in stated)
    seal(bucket, kms)
    return First(done, counted, len(stands), verified(bucket, kms))


def test_a_missing_file_is_stated_sealed_and_verified(first: First, lost: str) -> None:
    """The hour of a withheld file is not proven and names it; every other hour is proven."""
    done, counted = first.done, first.counted
    assert ([1.0], [0.0], [0.0], [0.0], [0.0]) == (
        counted["Missing"],
        counted["Unbacked"],
        counted["Unproven"],
        counted["Unsound"],
        counted["FailedRuns"],
    )
    assert [f"missing {BUCKET}/{lost}"] == [each.partition(" ")[2] for each in done["named"]]
    assert (1, [], []) == (done["incomplete"], done["problems"], done["unsound"])
    assert done["verdicts"]["proven"] >= 3
    assert done["statements"] == first.standing
    report = first.report
    assert {"hour_incomplete"} == {each.code for each in report.findings}, report.findings
    assert done["verdicts"] == report.statements


@pytest.mark.usefixtures("first")
def test_an_hour_is_judged_once_at_each_stage(
    bucket: EmbeddedStore, kms: KmsStub, cloudtrail: CloudTrailStub, tmp_path: Path
) -> None:
    """The next run of the same hour finds statements on every due hour, and states nothing."""
    hour = ""
    while hour != keys.hour_of(clock.now()):  # it turned between the runs: another became due
        hour = keys.hour_of(clock.now())
        invoke(settings(bucket, kms, cloudtrail), tmp_path / f"before {hour}")
        before = bucket_keys(bucket)
        done, counted = invoke(settings(bucket, kms, cloudtrail), tmp_path / hour)
    assert (0, [0.0], [0.0]) == (done["statements"], counted["Missing"], counted["FailedRuns"])
    assert before == bucket_keys(bucket)


def test_the_assumed_role_puts_statements_and_nothing_else(bucket: EmbeddedStore) -> None:
    """It writes no evidence, log or other operation, and reads nothing."""
    client = bucket.client(bucket.reconciler, role_arn=iam.RECON_ROLE)
    own = bucket.client(bucket.reconciler)
    for key in ("ev/v1/aws_cloudtrail/h=x/y", "log/v1/2026/plan/x", "op/v1/coverage/h=x/y"):
        for each in (client, own):
            with pytest.raises(ClientError, match="AccessDenied"):
                each.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        own.put_object(Bucket=iam.EVIDENCE_BUCKET, Key="op/v1/recon/h=x/y", Body=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_objects_v2(Bucket=iam.EVIDENCE_BUCKET)


def test_nothing_is_stated_for_a_log_of_another_key(
    bucket: EmbeddedStore, cloudtrail: CloudTrailStub, lost: str, tmp_path: Path
) -> None:
    """A log not signed by the configured key is not evidence; the run fails and says so."""
    with KmsStub("another") as other:
        environment = settings(bucket, other, cloudtrail)
        with LambdaRuntime(
            FOLDER, "handler.handler", environment=environment, log=tmp_path / "log"
        ) as running:
            with pytest.raises(InvocationError, match="LogError"):
                running.invoke({})
            assert [1.0] == metrics(running)["FailedRuns"]


@pytest.mark.parametrize("name", ["NHI_EVIDENCE_OPERATOR_ROLE", "NHI_EVIDENCE_GRACE_DAYS"])
def test_missing_settings_are_named(
    bucket: EmbeddedStore, kms: KmsStub, cloudtrail: CloudTrailStub, tmp_path: Path, name: str
) -> None:
    """Among them the grace: without it, what is gone too early would count as expired."""
    environment = settings(bucket, kms, cloudtrail, **{name: ""})
    with (
        LambdaRuntime(
            FOLDER, "handler.handler", environment=environment, log=tmp_path / "log"
        ) as running,
        pytest.raises(InvocationError, match=f"{name} is not set"),
    ):
        running.invoke({})


@pytest.mark.usefixtures("first")
def test_canaries_of_an_hour_are_weighed_by_sealed_records(
    bucket: EmbeddedStore, kms: KmsStub, cloudtrail: CloudTrailStub, tmp_path: Path
) -> None:
    """Each announced probe has a result; a plan that came after its hour proves nothing."""
    hour = keys.hour_of(clock.now() - 4 * 3_600_000)
    delays = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
    principal = f"arn:aws:iam::{iam.WORKLOAD_ACCOUNT}:role/canary"
    plan = plans.plan(NAME, "aws", hour, principal, delays)
    operation = plans.write(plan)
    client = bucket.client(bucket.collector, role_arn=iam.COVERAGE_ROLE)
    writer = S3EvidenceWriter(client, iam.EVIDENCE_BUCKET)
    writer.put_new(operation.key, operation.body, metadata=operation.metadata)
    seal(bucket, kms)
    done, counted = invoke(settings(bucket, kms, cloudtrail), tmp_path / "log")
    assert ([float(len(plan.probes))], [0.0]) == (
        counted["CanariesWeighed"],
        counted["CanariesBroken"],
    )
    (key,) = done["canaries"]["statements"]
    stated = statement.read(reader(bucket).get(key), key)
    assert (hour, (operation.key,)) == (stated.header.hour, stated.header.plans)
    assert {Result.WAITING: len(plan.probes)} == stated.header.results
    again, _ = invoke(settings(bucket, kms, cloudtrail), tmp_path / "again")
    assert [] == again["canaries"]["statements"]
