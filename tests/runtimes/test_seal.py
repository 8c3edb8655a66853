"""The sealing function under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.adapters import clock
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter
from nhi_evidence.adapters.store.s3_versions import S3EvidenceVersions
from nhi_evidence.demo.story import generate
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import flags, keys, leaf, log, note
from nhi_evidence.evidence.verify import Options, Policy, Report, Verifier
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.kms_stub import ALIAS, POLICY, KmsStub

FOLDER = Path(__file__).parents[2] / "functions" / "seal"
NAME = "example.org/evidence"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A separate store, since a bucket has one log."""
    folder = tmp_path_factory.mktemp("sealed")
    with EmbeddedStore(folder, sources=("aws_cloudtrail",)) as running:
        yield running


@pytest.fixture(scope="module")
def kms() -> Iterator[KmsStub]:
    with KmsStub() as running:
        yield running


def settings(bucket: EmbeddedStore, kms: KmsStub, **changes: str) -> dict[str, str]:
    """The function's environment: a session of the sealer role, as Lambda provides it."""
    return {
        **bucket.environment(bucket.sealer, role_arn=iam.SEALER_ROLE),
        "AWS_ENDPOINT_URL_KMS": kms.endpoint_url,
        "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
        "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
        "NHI_EVIDENCE_LOG_NAME": NAME,
        "NHI_EVIDENCE_SIGNING_KEYS": json.dumps([ALIAS]),
        "NHI_EVIDENCE_RETENTION_DAYS": "1",
        "NHI_EVIDENCE_GRACE_DAYS": "1",
        "NHI_EVIDENCE_ENCRYPTION": "none",
        **changes,
    }


@pytest.fixture(scope="module")
def runtime(
    bucket: EmbeddedStore, kms: KmsStub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LambdaRuntime]:
    log = tmp_path_factory.mktemp("runtime") / "function.log"
    with LambdaRuntime(
        FOLDER, "handler.handler", environment=settings(bucket, kms), log=log
    ) as running:
        yield running


def deliver(bucket: EmbeddedStore, number: int) -> None:
    client = bucket.client(bucket.exporter, role_arn=iam.writer_role("aws_cloudtrail"))
    body = generate()[number].body
    hour = keys.hour_of(clock.now())
    delivery = Delivery(f"trail/{number}.json.gz@v1!h={hour}", body)
    mapper = Mapper("aws_cloudtrail", keep_out_of_scope_raw=True)
    lock_batch(mapper, [delivery], S3EvidenceWriter(client, iam.EVIDENCE_BUCKET))


def metrics(runtime: LambdaRuntime) -> list[dict[str, Any]]:
    """Return the embedded metrics the function printed, one per invocation."""
    lines = [line for line in runtime.logs().splitlines() if line.startswith("{")]
    return [one for one in map(json.loads, lines) if "_aws" in one]


class Sealed(msgspec.Struct, frozen=True):
    """What three runs did in a store that nobody had touched, and what could be seen after them."""

    answers: list[dict[str, Any]]
    printed: list[dict[str, Any]]
    signed: int
    """Calls of Sign."""
    report: Report


@pytest.fixture(scope="module")
def sealed(bucket: EmbeddedStore, kms: KmsStub, runtime: LambdaRuntime) -> Sealed:
    """One object, one more, and none. What spoils the store comes after this, in any order."""
    answers: list[dict[str, Any]] = []
    for number in (0, 1, None):
        if number is not None:
            deliver(bucket, number)
        (answer,) = runtime.invoke({})
        answers.append(answer)
    key = note.from_spki(NAME, kms.signer.public_key())
    report = Verifier(
        S3EvidenceVersions(auditor(bucket), iam.EVIDENCE_BUCKET),
        Policy(name=NAME, keys=(key,), retention_ms=DAY_MS),
        now=clock.now(),
        options=Options(deep=True),
    ).run()
    return Sealed(answers, metrics(runtime), kms.calls.count("Sign"), report)


def auditor(bucket: EmbeddedStore) -> Any:
    return bucket.client(bucket.investigator, role_arn=iam.AUDITOR_ROLE)


def test_new_objects_are_sealed_and_verify(bucket: EmbeddedStore, sealed: Sealed) -> None:
    """Each run adds what is new since the last; an auditor with the public key has no findings."""
    first, second, third = sealed.answers
    assert (1, 1) == (first["epoch"], first["added"])
    assert (2, 1, {}, []) == (second["epoch"], second["added"], second["flags"], second["void"])
    assert (2, 0) == (third["epoch"], third["added"]), "an idle log waits for its heartbeat"
    assert [{"aws_cloudtrail": 1}] * 2 == [first["sources"], second["sources"]]
    printed = sealed.printed
    looked_for = [one.get("SealedAwsCloudtrail") for one in printed]
    assert [[1.0], [1.0], None] == looked_for, "by the alarm on silence"
    *busy, idle = printed
    assert all(one["MappedAwsCloudtrail"] > [1.0] for one in busy), "by the alarm on rejections"
    assert [[0.0]] * 2 == [one["RejectedAwsCloudtrail"] for one in busy]
    assert not {"MappedAwsCloudtrail", "RejectedAwsCloudtrail"} & {*idle}
    assert [] == sealed.report.findings
    assert (second["size"], second["root"]) == (sealed.report.size, sealed.report.root)
    head = auditor(bucket).head_object(
        Bucket=iam.EVIDENCE_BUCKET, Key=f"log/v1/{clock.utc_now()[:4]}/checkpoint/{2:012d}"
    )
    year_end = datetime(int(clock.utc_now()[:4]) + 1, 1, 1, tzinfo=UTC)
    assert ("COMPLIANCE", year_end + timedelta(days=2)) == (
        head["ObjectLockMode"],
        head["ObjectLockRetainUntilDate"],
    )


@pytest.mark.usefixtures("sealed")
def test_every_setting_of_the_epoch_is_read(bucket: EmbeddedStore, kms: KmsStub) -> None:
    """With the sealer's permissions all are readable, including the signing key's policy."""
    year = clock.utc_now()[:4]
    body = S3EvidenceVersions(auditor(bucket), iam.EVIDENCE_BUCKET).get(log.plan_key(year, 1))
    first = log.first_leaf(body)
    assert first is not None
    key = note.from_spki(NAME, kms.signer.public_key())
    assert leaf.setting(POLICY) == first.config[f"key/{key.id.hex()}/policy"]
    settings = {"policy", "object_lock", "versioning", "lifecycle", "replication", "encryption"}
    assert settings < set(first.config)
    unreadable = {name: one for name, one in first.config.items() if "unreadable" in one}
    assert {} == unreadable


def test_every_signature_has_its_checkpoint(sealed: Sealed) -> None:
    """The metrics are what an alarm compares with the key store's own count of Sign."""
    signed = sum(sum(one["Signatures"]) for one in sealed.printed)
    put = sum(sum(one["Checkpoints"]) for one in sealed.printed)
    assert sealed.signed == signed == put == 2
    assert [[1.0], [1.0], [0.0]] == [one["Added"] for one in sealed.printed]


@pytest.mark.usefixtures("sealed")
def test_a_void_plan_is_an_alarm(bucket: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """Junk under the next plan's key does not count, is logged once, and stops nothing."""
    (head,) = runtime.invoke({})
    junk = head["epoch"] + 1
    year = clock.utc_now()[:4]
    key = f"log/v1/{year}/plan/{junk:012d}"
    bucket.client(bucket.admin).put_object(Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=b"junk")
    deliver(bucket, 2)
    (done,) = runtime.invoke({})
    assert junk + 1 == done["epoch"]
    assert [f"{NAME}/{year} epoch {junk}"] == [one.partition(":")[0] for one in done["void"]]
    newest = metrics(runtime)[-1]
    assert ([1.0], [0.0]) == (newest["VoidPlans"], newest["FailedRuns"])


@pytest.mark.usefixtures("sealed")
def test_every_flag_is_a_metric(bucket: EmbeddedStore, runtime: LambdaRuntime) -> None:
    """What is wrong with a version is sealed and counted; everything else counts zero."""
    admin = bucket.client(bucket.admin)
    hour = keys.hour_of(clock.now())
    key = f"ev/v1/aws_cloudtrail/h={hour}/squatted/{'ab' * 32}.ndjson.zst"
    admin.put_object(Bucket=iam.EVIDENCE_BUCKET, Key=key, Body=b"x", ChecksumAlgorithm="SHA256")
    admin.delete_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)
    runtime.invoke({})
    newest = metrics(runtime)[-1]
    flagged = {name: value for name, value in newest.items() if name.startswith("Flagged")}
    assert {"FlaggedKeyHash": [1.0], "FlaggedMarker": [1.0]} == {
        name: value for name, value in flagged.items() if value != [0.0]
    }
    assert len(flags.ALL) == len(flagged)
    assert "SealedAwsCloudtrail" not in newest, "what never counts shows no source to be alive"


@pytest.mark.usefixtures("sealed")
def test_a_contradicting_log_fails_loudly(
    bucket: EmbeddedStore, kms: KmsStub, tmp_path: Path
) -> None:
    """A log signed by another key is not continued: nothing is signed, and it is an error."""
    signed = kms.calls.count("Sign")
    with (
        KmsStub("another") as other,
        LambdaRuntime(
            FOLDER, "handler.handler", environment=settings(bucket, other), log=tmp_path / "log"
        ) as running,
    ):
        with pytest.raises(InvocationError, match="LogError"):
            running.invoke({})
        (printed,) = metrics(running)
        assert ([1.0], [1.0]) == (printed["FailedRuns"], printed["LogContradictions"])
        assert "no pinned key signed" in running.logs()
        assert ["GetPublicKey"] == other.calls
    assert signed == kms.calls.count("Sign")


def test_an_unavailable_key_fails_the_run(bucket: EmbeddedStore, tmp_path: Path) -> None:
    """Without its key the sealer reports it; the next scheduled run retries."""
    with KmsStub() as disabled:
        disabled.refused["GetPublicKey"] = "DisabledException"
        environment = settings(bucket, disabled)
        with LambdaRuntime(
            FOLDER, "handler.handler", environment=environment, log=tmp_path / "log"
        ) as running:
            with pytest.raises(InvocationError, match="DisabledException"):
                running.invoke({})
            (printed,) = metrics(running)
    assert ([1.0], [0.0]) == (printed["FailedRuns"], printed["LogContradictions"])


def test_missing_settings_are_named(bucket: EmbeddedStore, kms: KmsStub, tmp_path: Path) -> None:
    """All missing or wrong settings are named at once."""
    environment = settings(
        bucket, kms, NHI_EVIDENCE_RETENTION_DAYS="", NHI_EVIDENCE_ENCRYPTION="aws:kms"
    )
    with LambdaRuntime(
        FOLDER, "handler.handler", environment=environment, log=tmp_path / "log"
    ) as running:
        with pytest.raises(InvocationError, match="NHI_EVIDENCE_RETENTION_DAYS is not set"):
            running.invoke({})
        assert "NHI_EVIDENCE_ENCRYPTION" in running.logs()
