"""Athena over the evidence: tables cover what writers write, and querying writes no evidence."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlglot

from nhi_evidence.config import naming, read
from nhi_evidence.config.aws import athena_roles
from nhi_evidence.evidence import frame, keys
from nhi_evidence.investigate.athena import views
from nhi_evidence.investigate.athena.plan import SERDE, athena
from nhi_evidence.investigate.library import questions
from tests.infra.aws.conftest import production
from tests.infra.aws.estate import BUCKET, EVIDENCE, ORGANIZATION, Estate, Resource, arn
from tests.infra.aws.iam import Request, allows
from tests.infra.aws.matrix import ACTS

STACK = "nhi-evidence-main-170b2e-athena"
ANSWERS = "arn:aws:s3:::nhi-evidence-answers-222233334444"
ROLE = "nhi-evidence-main-170b2e-athena-external"
LONGEST_QUERY = 262_144
"""Bytes: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html"""
LARGEST_WINDOW = 8 << 20
"""The maximum of Trino's decoder: aircompressor, `MAX_WINDOW_SIZE`."""


def table(estate: Estate, name: str) -> dict[str, Any]:
    (properties,) = (
        one.properties["TableInput"]
        for one in estate.of("AWS::Glue::Table", STACK)
        if one.properties["TableInput"]["Name"] == name
    )
    return dict(properties)


@pytest.mark.parametrize(
    ("name", "hour"), [("evidence", "2026010100"), (f"evidence{views.UNDATED}", "unknown")]
)
def test_projected_folders_are_those_writers_use(estate: Estate, name: str, hour: str) -> None:
    """By the function for keys: for every kept source, with and without an hour."""
    parameters = table(estate, name)["Parameters"]
    sources = parameters["projection.of_source.values"].split(",")
    assert sources == ["aws_cloudtrail", "gcp_audit", "azure_monitor"]
    for source in sources:
        folder = parameters["storage.location.template"]
        folder = folder.replace("${of_source}", source).replace("${hour}", hour)
        key = keys.evidence_key(source=source, hour=hour, body_sha256=bytes(32))
        assert f"s3://{BUCKET.rpartition(':')[2]}/{key}".startswith(folder)


def test_hours_are_projected_from_the_configured_day(estate: Estate) -> None:
    """In the form of keys; folders without an hour are listed by name."""
    for name in (views.EVIDENCE, views.STATEMENTS):
        dated = table(estate, name)["Parameters"]
        kind = {key.rpartition(".hour.")[2]: one for key, one in dated.items() if ".hour." in key}
        assert kind == {
            "type": "date", "format": "yyyyMMddHH", "range": "2026010100,NOW+1DAYS",
            "interval": "1", "interval.unit": "HOURS",
        }  # fmt: skip
        undated = table(estate, f"{name}{views.UNDATED}")["Parameters"]
        assert undated["projection.hour.values"] == keys.UNKNOWN_HOUR


def test_objects_are_read_by_their_ending_and_fit_the_decoder(estate: Estate) -> None:
    """Athena recognizes zstd by `.zst`, and does not parse lines: each is one string."""
    key = keys.evidence_key(source="x", hour="unknown", body_sha256=bytes(32))
    assert key.endswith(".zst")
    assert views.STATEMENTS_ENDING.endswith(".zst")
    assert (1 << frame.WINDOW_LOG) <= LARGEST_WINDOW
    for table in estate.of("AWS::Glue::Table", STACK):
        described = table.properties["TableInput"]["StorageDescriptor"]
        assert described["Columns"] == [{"Name": "line", "Type": "string"}]
        assert described["SerdeInfo"]["SerializationLibrary"] == SERDE


def test_the_workgroup_decides_and_bounds(estate: Estate) -> None:
    """A query can neither write results elsewhere nor read without a limit."""
    group = estate.only("AWS::Athena::WorkGroup", STACK).properties
    settings = group["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["BytesScannedCutoffPerQuery"] == 200 << 30
    assert settings["EngineVersion"]["SelectedEngineVersion"] == "Athena engine version 3"
    result = settings["ResultConfiguration"]
    assert result["OutputLocation"].startswith("s3://nhi-evidence-answers-222233334444/")
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert result["ExpectedBucketOwner"] == EVIDENCE


def test_every_saved_question_is_a_named_query_athena_accepts(estate: Estate) -> None:
    """Each is a complete statement on the last day, within Athena's length limit."""
    named = {one.properties["Name"]: one for one in estate.of("AWS::Athena::NamedQuery", STACK)}
    assert set(named) == {each.name for each in questions()} | {"findings", "units", "unreadable"}
    for query in named.values():
        sql = query.properties["QueryString"]
        assert len(sql.encode()) < LONGEST_QUERY
        assert sql.count("current_timestamp") == 4  # both bounds, of evidence and of statements
        tree = sqlglot.parse_one(sql, read="athena")
        tables = {(each.db, each.name) for each in tree.find_all(sqlglot.exp.Table) if each.db}
        assert {db for db, _ in tables} == {naming.database("main-170b2e")}
        assert query.properties["WorkGroup"] == naming.workgroup("main-170b2e", "external")


def asking(estate: Estate, action: str, resource: str, **context: str) -> bool:
    role: Resource = estate.role(ROLE)
    policies = [one["PolicyDocument"] for one in role.properties["Policies"]]
    request = Request(
        action=action,
        resource=resource,
        principal=arn(EVIDENCE, ROLE),
        context={"aws:PrincipalOrgID": ORGANIZATION, "aws:SecureTransport": "true",
                 "s3:TlsVersion": "1.3", **context},
    )  # fmt: skip
    own = [estate.bucket_policy] if BUCKET in resource else []
    return allows(request, identity=policies, resource=own, owner=EVIDENCE)


def test_a_querying_role_writes_results_and_no_evidence(estate: Estate) -> None:
    """It may change nothing except results."""
    for act in ACTS:
        if act.text != "read newest":
            assert not asking(estate, act.action, act.resource, **act.context), act.text
    assert asking(estate, "s3:GetObject", f"{BUCKET}/ev/v1/gcp_audit/h=unknown/x")
    assert asking(estate, "s3:GetObject", f"{BUCKET}/op/v1/recon/h=2026010100/x")
    assert not asking(estate, "s3:GetObject", f"{BUCKET}/op/v1/custody/h=2026010100/x")
    assert asking(estate, "s3:ListBucket", BUCKET, **{"s3:prefix": "ev/v1/gcp_audit/h=unknown/"})
    assert not asking(estate, "s3:ListBucket", BUCKET, **{"s3:prefix": "log/v1/"})
    assert asking(estate, "s3:PutObject", f"{ANSWERS}/answers/external/x")
    assert not asking(estate, "s3:DeleteObject", f"{ANSWERS}/answers/external/x")
    statements = [
        statement
        for one in estate.role(ROLE).properties["Policies"]
        for statement in one["PolicyDocument"]["Statement"]
    ]
    actions = {action for one in statements for action in one["Action"]}
    changes = {one for one in actions if re.search(r":(Put|Delete|Update|Create)", one)}
    assert changes == {"s3:PutObject"}
    (written,) = (one["Resource"] for one in statements if "s3:PutObject" in one["Action"])
    assert written == f"{ANSWERS}/answers/external/*"


SECOND = """[[auditors]]
name = "external-2"
principals = ["arn:aws:iam::444455556666:role/second"]
external_id = "audit-2026-second-0"
mfa = false

[alarms]"""


def test_no_auditor_reads_or_replaces_another_s_results() -> None:
    """Each has a workgroup of their own, which enforces the prefix that only they may write."""
    config = read(production().replace("[alarms]", SECOND, 1))
    (store,) = config.evidence.buckets
    assert store.athena is not None
    plan = athena(config, store, store.athena)
    askers = dict(athena_roles.athena_askers(config, store))
    assert set(askers) == {"external", "external-2"} == {one.auditor for one in plan.workgroups}
    for group in plan.workgroups:
        result = f"arn:aws:s3:::{group.output.removeprefix('s3://')}0a1b.csv"
        here = f"arn:aws:athena:eu-central-1:{EVIDENCE}:workgroup/{group.name}"
        for name, role in askers.items():
            is_own = name == group.auditor
            for action, resource in (
                ("s3:PutObject", result),
                ("s3:GetObject", result),
                ("s3:AbortMultipartUpload", result),
                ("athena:StartQueryExecution", here),
                ("athena:GetQueryResults", here),
                ("athena:BatchGetQueryExecution", here),
            ):
                request = Request(arn(EVIDENCE, role.name), action, resource)
                policy = {"Version": "2012-10-17", "Statement": role.policy}
                assert is_own == allows(request, identity=[policy], owner=EVIDENCE), (name, action)


def test_the_role_is_assumed_from_the_auditor_s_own_account(estate: Estate) -> None:
    """With the external id, like the role that reads the evidence itself."""
    trusts = [
        estate.role(name).properties["AssumeRolePolicyDocument"]["Statement"]
        for name in (ROLE, "nhi-evidence-main-170b2e-auditor-external")
    ]
    assert trusts[0] == trusts[1]
    assert trusts[0][0]["Condition"]["StringEquals"]["sts:ExternalId"] == "audit-2026-7f3b9c51d0"


def test_query_results_expire_and_are_private(estate: Estate) -> None:
    """Hardened like all our buckets, but without a lock: a result is not evidence."""
    bucket = estate.only("AWS::S3::Bucket", STACK).properties
    assert "ObjectLockEnabled" not in bucket
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 30
    policy = estate.only("AWS::S3::BucketPolicy", STACK).properties["PolicyDocument"]
    sids = {one["Sid"] for one in policy["Statement"]}
    assert sids == {"PlainHttp", "OldTls", "OutsideTheOrganization"}
