"""The canary function under AWS's own runtime client, on a real locked bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters import clock
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.probes import MAX_CALLS_AN_HOUR
from nhi_evidence.embedded import seaweedfs_iam as iam
from nhi_evidence.embedded.lambda_runtime import InvocationError, LambdaRuntime
from nhi_evidence.embedded.seaweedfs import EmbeddedStore
from nhi_evidence.evidence import keys
from tests.canary_stub import CanaryStub

FOLDER = Path(__file__).parents[2] / "functions" / "canary"
NAME = "example.org/canary"
OTHERS = ("IAM", "EC2", "SECRETS_MANAGER", "SSM", "SNS", "CLOUDTRAIL", "BEDROCK_RUNTIME")
"""Services the SDK finds at the stub; STS and S3 are the store's own."""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("probed"), sources=("aws_cloudtrail",)) as running:
        yield running


def invoke(bucket: EmbeddedStore, log: Path, **changes: str) -> tuple[Any, dict[str, Any]]:
    """Run once in a separate environment; return answer and metrics."""
    with CanaryStub(key_id="nobody") as aws:
        environment = {
            **bucket.environment(bucket.collector),
            **{f"AWS_ENDPOINT_URL_{name}": aws.endpoint_url for name in OTHERS},
            "NHI_EVIDENCE_BUCKET": iam.EVIDENCE_BUCKET,
            "NHI_EVIDENCE_BUCKET_OWNER": iam.EVIDENCE_ACCOUNT,
            "NHI_EVIDENCE_COVERAGE_ROLE": iam.COVERAGE_ROLE,
            "NHI_EVIDENCE_LOG_NAME": NAME,
            "NHI_EVIDENCE_REGION": "us-east-1",
            "NHI_EVIDENCE_ACCOUNTS": json.dumps([iam.WORKLOAD_ACCOUNT]),
            # A role of the other account that may do nothing there stands for the canary.
            "NHI_EVIDENCE_CANARY_ROLE": iam.READER_ROLE.replace(iam.WORKLOAD_ACCOUNT, "{account}"),
            **changes,
        }
        with LambdaRuntime(FOLDER, "handler.handler", environment=environment, log=log) as running:
            answer = running.invoke({})
            lines = [line for line in running.logs().splitlines() if line.startswith("{")]
            return answer, next(one for one in map(json.loads, lines) if "_aws" in one)


def test_plans_come_before_their_hours_and_probes_in_theirs(
    bucket: EmbeddedStore, tmp_path: Path
) -> None:
    """The plans of the next three hours are locked; every probe of this hour is made once."""
    before = keys.hour_of(clock.now())
    done, counted = invoke(bucket, tmp_path / "log")
    assert ([3.0], [0.0]) == (counted["Planned"], counted["FailedRuns"])
    assert 0 < done["calls"] + len(done["unanswered"]) < MAX_CALLS_AN_HOUR
    assert [float(done["calls"])] == counted["Calls"]
    client = bucket.client(bucket.investigator, role_arn=iam.AUDITOR_ROLE)
    for named, key in done["planned"].items():
        account, _, hour = named.partition(" ")
        body = client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=key)["Body"].read()
        plan = plans.read(body, key)
        assert (account, hour, iam.READER_ROLE) == (iam.WORKLOAD_ACCOUNT, plan.hour, plan.principal)
        assert plan.hour > before
    again, _ = invoke(bucket, tmp_path / "again")
    assert set(done["planned"].values()) & set(again["planned"].values()), "a plan has one spelling"


def test_an_account_without_a_canary_is_named(bucket: EmbeddedStore, tmp_path: Path) -> None:
    """Its role cannot be assumed: nothing is called there, and an alarm is raised."""
    nobody = iam.READER_ROLE.replace("settings-reader", "nobody")
    done, counted = invoke(bucket, tmp_path / "log", NHI_EVIDENCE_CANARY_ROLE=nobody)
    assert (0, [1.0], [0.0]) == (done["calls"], counted["Unanswered"], counted["FailedRuns"])
    assert done["unanswered"][0].startswith(f"{iam.WORKLOAD_ACCOUNT}: ")


def test_a_cloud_that_rejects_the_canary_stops_no_other(
    bucket: EmbeddedStore, tmp_path: Path
) -> None:
    """Its plan exists, so its silence is evidence; its project is named, with the reason."""
    google = {
        "project": "example-canary",
        "account": "nhi-evidence-canary@example-canary.iam.gserviceaccount.com",
        "provider": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"
        "/providers/p",
        "federated": "principal://iam.googleapis.com/x",
    }
    done, counted = invoke(bucket, tmp_path / "log", NHI_EVIDENCE_GOOGLE=json.dumps(google))
    assert ([6.0], [0.0]) == (counted["Planned"], counted["FailedRuns"])
    assert 0 < done["calls"]
    (unanswered,) = [one for one in done["unanswered"] if one.startswith("example-canary: ")]
    assert "no identity token" in unanswered
    keys_of = [key for named, key in done["planned"].items() if named.startswith("example-canary ")]
    client = bucket.client(bucket.investigator, role_arn=iam.AUDITOR_ROLE)
    body = client.get_object(Bucket=iam.EVIDENCE_BUCKET, Key=keys_of[0])["Body"].read()
    plan = plans.read(body, keys_of[0])
    assert ("gcp", google["account"]) == (plan.platform, plan.principal)


def test_a_plan_that_cannot_be_put_fails_the_run(bucket: EmbeddedStore, tmp_path: Path) -> None:
    """The silence of an unannounced probe proves nothing, so no call is made."""
    with pytest.raises(InvocationError):
        invoke(bucket, tmp_path / "log", NHI_EVIDENCE_COVERAGE_ROLE=iam.CONFIG_ROLE)
