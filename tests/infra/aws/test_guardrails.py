"""What the organization denies to administrators and root, but not to auditors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.aws.estate import (
    BUCKET,
    EVIDENCE,
    MANAGEMENT,
    ORGANIZATION,
    REPLICA,
    Estate,
    arn,
)
from tests.infra.aws.iam import Request, allows

ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
REGION = "eu-central-1"
PIPELINE = arn(EVIDENCE, f"cdk-hnb659fds-cfn-exec-role-{EVIDENCE}-{REGION}")
DEPLOY = arn(EVIDENCE, f"cdk-hnb659fds-deploy-role-{EVIDENCE}-{REGION}")
DEPLOYMENT = arn("123456789012", "deployment")
ROLE = arn(EVIDENCE, "nhi-evidence-main-auditor-external")
SEALER = arn(EVIDENCE, "nhi-evidence-main-sealer")
REPLICA_BUCKET = f"arn:aws:s3:::nhi-evidence-replica-{REPLICA}"
KEY = f"arn:aws:kms:{REGION}:{EVIDENCE}:key/k"
FUNCTION = f"arn:aws:lambda:{REGION}:{EVIDENCE}:function:nhi-evidence-main-sealer"
RULE = f"arn:aws:events:{REGION}:{EVIDENCE}:rule/nhi-evidence-main-seal-SealerClock"
ALARM = f"arn:aws:cloudwatch:{REGION}:{EVIDENCE}:alarm:nhi-evidence-main-sealer-stalled"
TOPIC = f"arn:aws:sns:{REGION}:{EVIDENCE}:nhi-evidence-alarms"
SIGNATURES = f"arn:aws:logs:{REGION}:{EVIDENCE}:log-group:/aws/events/nhi-evidence-main-signatures"
OWN_LOG = f"arn:aws:logs:{REGION}:{EVIDENCE}:log-group:/aws/lambda/nhi-evidence-main-sealer"
STACK = f"arn:aws:cloudformation:{REGION}:{EVIDENCE}:stack/nhi-evidence-main/id"
POINT = f"arn:aws:s3:{REGION}:{EVIDENCE}:accesspoint/mine"
ASSETS = f"arn:aws:s3:::cdk-hnb659fds-assets-{EVIDENCE}-{REGION}"
PUBLISHER = arn(EVIDENCE, f"cdk-hnb659fds-file-publishing-role-{EVIDENCE}-{REGION}")
UNBOUND = {
    "logs:DeleteAccountPolicy",
    "logs:DeleteResourcePolicy",
    "logs:PutAccountPolicy",
    "logs:PutResourcePolicy",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}
"""Actions without a resource type in the service authorization reference, for the services whose
changes are denied by name. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
CHANGES = [
    *(
        (action, bucket)
        for bucket in (BUCKET, REPLICA_BUCKET)
        for action in (
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketVersioning",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:PutEncryptionConfiguration",
            "s3:PutMetricsConfiguration",
            "s3:PutBucketNotification",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:DeleteBucket",
        )
    ),
    ("kms:ScheduleKeyDeletion", KEY),
    ("kms:DisableKey", KEY),
    ("kms:PutKeyPolicy", KEY),
    ("kms:CreateGrant", KEY),
    *(
        (action, role)
        for role in (SEALER, PIPELINE, DEPLOY, arn(REPLICA, "cdk-x-cfn-exec-role"))
        for action in (
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:DeleteRole",
            "iam:CreateRole",
            "iam:UpdateRole",
            "iam:PutRolePermissionsBoundary",
            "iam:PassRole",
        )
    ),
    ("iam:DeleteOpenIDConnectProvider", f"arn:aws:iam::{EVIDENCE}:oidc-provider/x"),
    ("iam:CreateRole", arn(EVIDENCE, "nhi-evidence-main-op-recon")),
    ("lambda:UpdateFunctionCode", FUNCTION),
    ("lambda:UpdateFunctionConfiguration", FUNCTION),
    ("lambda:DeleteFunction", FUNCTION),
    ("lambda:AddPermission", FUNCTION),
    ("lambda:PutFunctionConcurrency", FUNCTION),
    ("events:DisableRule", RULE),
    ("events:RemoveTargets", RULE),
    ("events:PutTargets", RULE),
    ("events:PutRule", RULE),
    ("cloudwatch:DeleteAlarms", ALARM),
    ("cloudwatch:DisableAlarmActions", ALARM),
    ("cloudwatch:PutMetricAlarm", ALARM),
    ("cloudwatch:PutAlarmMuteRule", ALARM),
    ("cloudwatch:SetAlarmState", ALARM),
    ("sns:DeleteTopic", TOPIC),
    ("sns:PutDataProtectionPolicy", TOPIC),
    ("events:UpdateEventBus", f"arn:aws:events:{REGION}:{EVIDENCE}:event-bus/default"),
    # AWS evaluates these against no resource.
    *((action, "*") for action in sorted(UNBOUND)),
    *((action, ASSETS) for action in ("s3:PutBucketPolicy", "s3:PutLifecycleConfiguration")),
    *((action, f"{ASSETS}/x.zip") for action in ("s3:PutObject", "s3:DeleteObject")),
    ("sns:SetTopicAttributes", TOPIC),
    ("logs:DeleteLogGroup", SIGNATURES),
    ("logs:DeleteMetricFilter", SIGNATURES),
    ("logs:PutMetricFilter", SIGNATURES),
    ("logs:PutTransformer", SIGNATURES),
    ("logs:PutRetentionPolicy", OWN_LOG),
    ("logs:PutLogEvents", OWN_LOG),
    ("cloudformation:UpdateStack", STACK),
    ("cloudformation:DeleteStack", STACK),
    ("cloudformation:ExecuteChangeSet", STACK),
    ("cloudformation:UpdateTerminationProtection", STACK),
    ("budgets:ModifyBudget", f"arn:aws:budgets::{EVIDENCE}:budget/nhi-evidence"),
]
FOR_NOBODY = [
    ("s3:DeleteObjectVersion", f"{BUCKET}/ev/v1/x"),
    ("s3:DeleteObject", f"{REPLICA_BUCKET}/ev/v1/x"),
    ("s3:BypassGovernanceRetention", f"{BUCKET}/ev/v1/x"),
    ("s3:PutObjectRetention", f"{BUCKET}/ev/v1/x"),
    ("s3:PutObjectAnnotation", f"{BUCKET}/ev/v1/x"),
    ("account:CloseAccount", "*"),
    ("account:DisableRegion", "*"),
    ("s3:CreateAccessPoint", POINT),
    ("s3:CreateAccessPointForObjectLambda", POINT),
    ("s3:CreateMultiRegionAccessPoint", f"arn:aws:s3::{EVIDENCE}:accesspoint/mine"),
    ("s3:PutObject", f"{POINT}/object/ev/v1/x"),
    ("s3:DeleteObjectVersion", f"{POINT}/object/ev/v1/x"),
    ("organizations:LeaveOrganization", "*"),
    ("cloudwatch:PutMetricData", "*"),
]


def policies(estate: Estate, kind: str) -> list[dict[str, Any]]:
    return [
        one.properties
        for one in estate.of("AWS::Organizations::Policy", "nhi-evidence-guardrails")
        if one.properties["Type"] == kind
    ]


def may(estate: Estate, principal: str, action: str, resource: str) -> bool:
    account = principal.split(":")[4]
    context = {"aws:PrincipalAccount": account, "cloudwatch:namespace": "nhi-evidence"}
    return allows(
        Request(principal, action, resource, context),
        identity=ADMINISTRATOR,
        owner=account,
        boundaries=[one["Content"] for one in policies(estate, "SERVICE_CONTROL_POLICY")],
    )


@pytest.mark.parametrize(("action", "resource"), CHANGES)
def test_only_the_pipeline_changes_what_is_deployed(
    estate: Estate, action: str, resource: str
) -> None:
    """Administrators and root of evidence and replica accounts are denied, the pipeline is not."""
    assert may(estate, PIPELINE, action, resource)
    for account in (EVIDENCE, REPLICA):
        for principal in (arn(account, "administrator"), f"arn:aws:iam::{account}:root"):
            assert not may(estate, principal, action, resource)


def test_actions_without_resources_are_denied_on_any(estate: Estate) -> None:
    """A statement that names a topic never matches `sns:Unsubscribe`, whose resource is `*`."""
    for policy in policies(estate, "SERVICE_CONTROL_POLICY"):
        for statement in policy["Content"]["Statement"]:
            if statement["Resource"] != "*":
                assert not UNBOUND & {*statement["Action"]}, statement["Sid"]


def test_packages_are_published_by_the_role_made_for_it(estate: Estate) -> None:
    """The content of the CDK's bucket becomes the functions' code at the next deployment."""
    package = f"{ASSETS}/x.zip"
    assert may(estate, PUBLISHER, "s3:PutObject", package)
    assert not may(estate, arn(EVIDENCE, "administrator"), "s3:PutObject", package)
    assert may(estate, arn(EVIDENCE, "administrator"), "s3:GetObject", package)


@pytest.mark.parametrize(("action", "resource"), FOR_NOBODY)
def test_some_actions_are_denied_to_everybody(estate: Estate, action: str, resource: str) -> None:
    """Not even to the pipeline."""
    assert not may(estate, PIPELINE, action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("cloudformation:CreateChangeSet", STACK),
        ("cloudformation:ExecuteChangeSet", STACK),
        ("iam:PassRole", PIPELINE),
    ],
)
def test_the_cdk_can_deploy(estate: Estate, action: str, resource: str) -> None:
    """The CDK's deployment role changes stacks and passes the execution role, and nothing else."""
    assert may(estate, DEPLOY, action, resource)
    assert not may(estate, DEPLOY, "iam:UpdateAssumeRolePolicy", SEALER)
    assert not may(estate, DEPLOY, "lambda:UpdateFunctionCode", FUNCTION)


def test_the_functions_do_their_work(estate: Estate) -> None:
    """The guardrails do not restrict roles of the deployment in their purpose."""
    log = f"{BUCKET}/log/v1/2026/plan/x"
    writer = arn(EVIDENCE, "nhi-evidence-main-writer-gcp_audit")
    for principal, action, resource in (
        (SEALER, "s3:PutObject", log),
        (SEALER, "s3:PutObjectRetention", log),
        (SEALER, "kms:Sign", KEY),
        (SEALER, "logs:PutLogEvents", OWN_LOG),
        (SEALER, "logs:CreateLogStream", OWN_LOG),
        (writer, "s3:PutObject", f"{BUCKET}/ev/v1/gcp_audit/h=x/u"),
    ):
        assert may(estate, principal, action, resource), (principal, action)
    assert not may(estate, arn(EVIDENCE, "administrator"), "s3:PutObject", log)


def test_other_work_in_the_account_is_left_alone(estate: Estate) -> None:
    """The guardrails do not concern other resources."""
    administrator = arn(EVIDENCE, "administrator")
    for action, resource in (
        ("iam:CreateRole", arn(EVIDENCE, "reader")),
        ("s3:PutBucketPolicy", "arn:aws:s3:::another-bucket"),
        ("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{EVIDENCE}:stack/x/i"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{EVIDENCE}:rule/x"),
        ("kms:DisableKey", f"arn:aws:kms:{REGION}:333344445555:key/k"),
    ):
        assert may(estate, administrator, action, resource), action


def test_only_the_deployer_assumes_the_cdk_s_roles(estate: Estate) -> None:
    """The bootstrap trusts every administrator of the account; the guardrails do not."""
    inside = {"aws:PrincipalOrgID": ORGANIZATION, "aws:PrincipalIsAWSService": "false"}
    for role in (DEPLOY, PIPELINE):
        assert reaches(estate, "sts:AssumeRole", role, DEPLOYMENT, **inside)
        for other in (arn(EVIDENCE, "administrator"), arn("123456789012", "administrator")):
            assert not reaches(estate, "sts:AssumeRole", role, other, **inside)
    service = {"aws:PrincipalIsAWSService": "true"}
    assert reaches(
        estate, "sts:AssumeRole", PIPELINE, "service:cloudformation.amazonaws.com", **service
    )


def reaches(estate: Estate, action: str, resource: str, principal: str, **context: str) -> bool:
    """Return whether the organization's resource control policy allows a request."""
    return allows(
        Request(principal, action, resource, context),
        identity=ADMINISTRATOR,
        resource=[{"Statement": [{**ADMINISTRATOR[0]["Statement"][0], "Principal": "*"}]}],
        owner=EVIDENCE,
        boundaries=[one["Content"] for one in policies(estate, "RESOURCE_CONTROL_POLICY")],
    )


def test_auditors_of_another_organization_are_admitted(estate: Estate) -> None:
    """The named principal may assume its role; nobody else from outside may."""
    outside = {"aws:PrincipalOrgID": "o-auditors01"}
    take = ("sts:AssumeRole", ROLE)
    assert reaches(estate, *take, arn("444455556666", "auditor"), **outside)
    assert not reaches(estate, *take, arn("444455556666", "somebody"), **outside)
    assert not reaches(estate, *take, arn("666677778888", "auditor"))
    assert reaches(estate, *take, arn(EVIDENCE, "x"), **{"aws:PrincipalOrgID": ORGANIZATION})
    service = {"aws:PrincipalIsAWSService": "true"}
    assert reaches(estate, *take, "service:lambda.amazonaws.com", **service)


def test_only_the_two_known_web_identities_are_admitted(estate: Estate) -> None:
    """Either subject is enough; a token without either is refused."""
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


def test_guardrails_are_attached_to_the_configured_targets(estate: Estate, assembly: Path) -> None:
    """In the management account, in the region of Organizations, within AWS's length limit."""
    every = [
        *policies(estate, "SERVICE_CONTROL_POLICY"),
        *policies(estate, "RESOURCE_CONTROL_POLICY"),
    ]
    assert 4 == len(every)
    for policy in every:
        assert ["ou-abcd-11111111"] == policy["TargetIds"]
        assert len(json.dumps(policy["Content"], separators=(",", ":"))) <= 5120
    manifest = json.loads((assembly / "manifest.json").read_text())
    where = manifest["artifacts"]["nhi-evidence-guardrails"]["environment"]
    assert f"aws://{MANAGEMENT}/us-east-1" == where
