"""What the organization denies to administrators and root, but not to auditors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.config import read
from nhi_evidence.config.aws.guardrail_documents import LONGEST_DOCUMENT
from nhi_evidence.config.aws.guardrail_plan import policies as plans
from tests.infra.aws.conftest import production
from tests.infra.aws.estate import (
    BUCKET,
    EVIDENCE,
    MANAGEMENT,
    ORGANIZATION,
    REPLICA,
    Estate,
    arn,
)
from tests.infra.aws.guarded import (
    ADMINISTRATOR,
    ANSWERS,
    ASSETS,
    CHANGES,
    DEPLOY,
    DEPLOYMENT,
    FOR_NOBODY,
    FORWARDER,
    FUNCTION,
    KEY,
    LINES,
    OWN_LOG,
    PIPELINE,
    PUBLISHER,
    QUEUES,
    REGION,
    ROLE,
    SEALER,
    SENTINEL,
    STACK,
    SUBSCRIBER,
    UNBOUND,
)
from tests.infra.aws.iam import Request, allows, refuses


def policies(estate: Estate, kind: str) -> list[dict[str, Any]]:
    return [
        one.properties
        for one in estate.of("AWS::Organizations::Policy", "nhi-evidence-main-170b2e-guardrails")
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
    writer = arn(EVIDENCE, "nhi-evidence-main-170b2e-writer-gcp_audit")
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


def test_new_evidence_is_still_handed_on(estate: Estate) -> None:
    """Function, subscriber and auditor keep what the guardrails deny to everybody else."""
    forward, _, subscriber, _ = QUEUES
    for principal, action, resource in (
        (FORWARDER, "sqs:ReceiveMessage", forward),
        (FORWARDER, "sqs:DeleteMessage", forward),
        (FORWARDER, "s3:PutObject", f"{LINES}/ocsf/v1/x"),
        *(
            (reader, action, subscriber)
            for reader in (SUBSCRIBER, SENTINEL)
            for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
        ),
        (arn(EVIDENCE, "nhi-evidence-main-170b2e-athena-external"), "s3:PutObject", f"{ANSWERS}/x"),
    ):
        assert may(estate, principal, action, resource), (principal, action)


def test_names_in_these_tests_are_those_of_the_templates(estate: Estate) -> None:
    """A guardrail that is tested on other names than the deployment's would prove nothing."""
    queues = {one.properties["QueueName"] for one in estate.of("AWS::SQS::Queue")}
    assert {queue.rpartition(":")[2] for queue in QUEUES} <= queues
    buckets = {one.properties["BucketName"] for one in estate.of("AWS::S3::Bucket")}
    assert {LINES.rpartition(":")[2], ANSWERS.rpartition(":")[2]} <= buckets


def test_other_work_in_the_account_is_left_alone(estate: Estate) -> None:
    """The guardrails do not concern other resources."""
    administrator = arn(EVIDENCE, "administrator")
    for action, resource in (
        ("iam:CreateRole", arn(EVIDENCE, "reader")),
        ("s3:PutBucketPolicy", "arn:aws:s3:::another-bucket"),
        ("cloudformation:CreateStack", f"arn:aws:cloudformation:{REGION}:{EVIDENCE}:stack/x/i"),
        ("events:PutRule", f"arn:aws:events:{REGION}:{EVIDENCE}:rule/x"),
        ("kms:DisableKey", f"arn:aws:kms:{REGION}:333344445555:key/k"),
        ("events:PutEvents", f"arn:aws:events:{REGION}:{EVIDENCE}:event-bus/default"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{REGION}:{EVIDENCE}:function:other"),
        ("sqs:SendMessage", f"arn:aws:sqs:{REGION}:{EVIDENCE}:other"),
        ("sns:DeleteTopic", f"arn:aws:sns:{REGION}:{EVIDENCE}:other"),
        ("s3:PutObject", "arn:aws:s3:::another-bucket/x"),
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


NAMED_TOPIC = f"arn:aws:sns:{REGION}:{EVIDENCE}:pager"


def test_a_named_topic_is_protected_where_the_guardrails_reach() -> None:
    """In the evidence account it is; in another it has to be protected by whoever owns it."""
    elsewhere = "arn:aws:sns:us-east-1:123456789012:pager"
    text = production().replace(
        "[alarms]\n", f'[alarms]\ntopics = ["{NAMED_TOPIC}", "{elsewhere}"]\n', 1
    )
    contents = [one.content for one in plans(read(text)) if one.kind == "SERVICE_CONTROL_POLICY"]

    def denied(topic: str, action: str) -> bool:
        request = Request(arn(EVIDENCE, "administrator"), action, topic, {})
        return refuses(contents, request)

    for action in ("sns:DeleteTopic", "sns:SetTopicAttributes", "sns:RemovePermission"):
        assert denied(NAMED_TOPIC, action)
        assert not denied(elsewhere, action)
        assert not denied(f"{NAMED_TOPIC}-other", action)


def test_several_accounts_and_regions_are_within_the_limit() -> None:
    """CloudFormation has a role for each: of the evidence and the replica, for one more region, and
    for one that is to come.
    """
    pipeline = f'"{PIPELINE}"'
    others = [
        pipeline.replace(EVIDENCE, account).replace(REGION, region)
        for account, region in ((REPLICA, "eu-west-1"), (EVIDENCE, "us-east-1"), (REPLICA, REGION))
    ]
    text = production()
    assert pipeline in text
    configured = read(text.replace(pipeline, ", ".join([pipeline, *others])))
    for policy in plans(configured):
        length = len(json.dumps(policy.content, separators=(",", ":")))
        assert length <= LONGEST_DOCUMENT, (policy.name, length)


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
    where = manifest["artifacts"]["nhi-evidence-main-170b2e-guardrails"]["environment"]
    assert f"aws://{MANAGEMENT}/us-east-1" == where
