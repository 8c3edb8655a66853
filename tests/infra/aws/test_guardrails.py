"""What the organization forbids: to administrators and root, and not to auditors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.aws.estate import BUCKET, EVIDENCE, MANAGEMENT, ORGANIZATION, Estate, arn
from tests.infra.aws.iam import Request, allows

ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
PIPELINE = arn(EVIDENCE, "pipeline")
ROLE = arn(EVIDENCE, "nhi-evidence-main-auditor-external")
KEY = f"arn:aws:kms:eu-central-1:{EVIDENCE}:key/k"
CHANGES = [
    ("s3:PutBucketObjectLockConfiguration", BUCKET),
    ("s3:PutBucketVersioning", BUCKET),
    ("s3:PutLifecycleConfiguration", BUCKET),
    ("s3:PutReplicationConfiguration", BUCKET),
    ("s3:PutBucketPolicy", BUCKET),
    ("s3:DeleteBucketPolicy", BUCKET),
    ("s3:PutEncryptionConfiguration", BUCKET),
    ("s3:DeleteBucket", BUCKET),
    ("kms:ScheduleKeyDeletion", KEY),
    ("kms:DisableKey", KEY),
    ("kms:PutKeyPolicy", KEY),
    ("iam:UpdateAssumeRolePolicy", arn(EVIDENCE, "nhi-evidence-main-writer-gcp_audit")),
    ("iam:PutRolePolicy", arn(EVIDENCE, "nhi-evidence-main-sealer")),
    ("iam:DeleteOpenIDConnectProvider", f"arn:aws:iam::{EVIDENCE}:oidc-provider/x"),
    (
        "lambda:UpdateFunctionCode",
        f"arn:aws:lambda:eu-central-1:{EVIDENCE}:function:nhi-evidence-main-sealer",
    ),
    ("events:DisableRule", f"arn:aws:events:eu-central-1:{EVIDENCE}:rule/clock"),
]
FOR_NOBODY = [
    ("s3:DeleteObjectVersion", f"{BUCKET}/ev/v1/x"),
    ("s3:BypassGovernanceRetention", f"{BUCKET}/ev/v1/x"),
    ("account:CloseAccount", "*"),
    ("organizations:LeaveOrganization", "*"),
]


def policies(estate: Estate) -> dict[str, dict[str, Any]]:
    return {
        one.properties["Type"]: one.properties
        for one in estate.of("AWS::Organizations::Policy", "nhi-evidence-guardrails")
    }


def may(estate: Estate, principal: str, action: str, resource: str) -> bool:
    context = {"aws:PrincipalAccount": EVIDENCE}
    return allows(
        Request(principal, action, resource, context),
        identity=ADMINISTRATOR,
        owner=EVIDENCE,
        boundaries=[policies(estate)["SERVICE_CONTROL_POLICY"]["Content"]],
    )


@pytest.mark.parametrize(("action", "resource"), CHANGES)
def test_only_the_pipeline_changes_what_is_deployed(
    estate: Estate, action: str, resource: str
) -> None:
    """Administrators and root of the evidence account are refused; the one role is not."""
    assert may(estate, PIPELINE, action, resource)
    for principal in (arn(EVIDENCE, "administrator"), f"arn:aws:iam::{EVIDENCE}:root"):
        assert not may(estate, principal, action, resource)


@pytest.mark.parametrize(("action", "resource"), FOR_NOBODY)
def test_some_things_nobody_may(estate: Estate, action: str, resource: str) -> None:
    """Not the pipeline either."""
    assert not may(estate, PIPELINE, action, resource)


def reaches(estate: Estate, action: str, resource: str, principal: str, **context: str) -> bool:
    """Whether the resource policy of the organization leaves a request alone."""
    return allows(
        Request(principal, action, resource, context),
        identity=ADMINISTRATOR,
        resource=[{"Statement": [{**ADMINISTRATOR[0]["Statement"][0], "Principal": "*"}]}],
        owner=EVIDENCE,
        boundaries=[policies(estate)["RESOURCE_CONTROL_POLICY"]["Content"]],
    )


def test_auditors_of_another_organization_are_not_shut_out(estate: Estate) -> None:
    """The named principal may take its role; nobody else from outside may."""
    outside = {"aws:PrincipalOrgID": "o-auditors01"}
    take = ("sts:AssumeRole", ROLE)
    assert reaches(estate, *take, arn("444455556666", "auditor"), **outside)
    assert not reaches(estate, *take, arn("444455556666", "somebody"), **outside)
    assert not reaches(estate, *take, arn("666677778888", "auditor"))
    assert reaches(estate, *take, arn(EVIDENCE, "x"), **{"aws:PrincipalOrgID": ORGANIZATION})
    service = {"aws:PrincipalIsAWSService": "true"}
    assert reaches(estate, *take, "service:lambda.amazonaws.com", **service)


def test_web_identities_are_the_two_that_are_known(estate: Estate) -> None:
    """Either subject is enough; a token without one of them is refused."""
    action = "sts:AssumeRoleWithWebIdentity"
    google = {"accounts.google.com:sub": "101234567890123456789"}
    entra = {
        "sts.windows.net/11111111-2222-3333-4444-555555555555/:sub": (
            "33333333-4444-5555-6666-777777777777"
        )
    }
    for known in (google, entra):
        assert reaches(estate, action, ROLE, "federated:x", **known)
        assert not reaches(estate, action, ROLE, "federated:x", **dict.fromkeys(known, "other"))
    assert not reaches(estate, action, ROLE, "federated:x")


def test_they_are_attached_where_the_configuration_says(estate: Estate, assembly: Path) -> None:
    """To its targets, in the management account, within the length AWS takes."""
    for policy in policies(estate).values():
        assert ["ou-abcd-11111111"] == policy["TargetIds"]
        assert len(json.dumps(policy["Content"], separators=(",", ":"))) <= 5120
    manifest = json.loads((assembly / "manifest.json").read_text())
    where = manifest["artifacts"]["nhi-evidence-guardrails"]["environment"]
    assert f"aws://{MANAGEMENT}/eu-central-1" == where
