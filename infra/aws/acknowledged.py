"""What the rule packs of cdk-nag find and is meant so: each rule with the reason.

A finding that is not here fails the tests, so that a new resource is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

import jsii
from aws_cdk import Acknowledgment, App, Aspects, CfnResource, IAspect, Validations
from aws_cdk import aws_cloudtrail as cloudtrail
from constructs import Construct, IConstruct

SOLUTIONS = "AwsSolutions::AwsSolutions-"
NIST = "NIST.800.53.R5::NIST.800.53.R5-"

_SSE_S3 = (
    "SSE-S3 by decision: whoever may disable or delete a key of ours could destroy what is locked."
)
_ACCESS_LOGS = (
    "Access is recorded by the organization trail's data events, which become evidence themselves; "
    "server access logs are best effort and would need a bucket that is locked as well."
)
_NOT_EVIDENCE = "Holds names and counts, no records; keys of AWS are enough."

REASONS = {
    f"{SOLUTIONS}S1": _ACCESS_LOGS,
    f"{SOLUTIONS}L1": (
        "One Python minor for the functions of all clouds, named by each deploy.toml; what is "
        "tested is what is deployed."
    ),
    f"{SOLUTIONS}IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AWSLambdaBasicExecutionRole]": (
        "CDK's own handler, which adds the notification to a bucket that is there already; it "
        "may write its logs and change that one setting of that one bucket."
    ),
    f"{NIST}S3BucketLoggingEnabled": _ACCESS_LOGS,
    f"{NIST}S3DefaultEncryptionKMS": _SSE_S3,
    f"{NIST}S3BucketReplicationEnabled": (
        "A replica is the deployer's choice ([evidence.buckets.replica]); a replica and a trail's "
        "bucket, whose files are evidence, need none."
    ),
    f"{NIST}IAMNoInlinePolicy": (
        "A role and the one thing it may do are made, read and removed together; no policy here "
        "is shared."
    ),
    f"{NIST}CloudWatchLogGroupEncrypted": _NOT_EVIDENCE,
    f"{NIST}SNSEncryptedKMS": _NOT_EVIDENCE,
    f"{NIST}LambdaConcurrency": (
        "The exporter is bounded by its queue's maximum concurrency; the functions of the "
        "evidence account are correct however many run "
        "(docs/decisions/0038-no-reserved-concurrency.md)."
    ),
    f"{NIST}LambdaDLQ": (
        "The exporter's queue has its dead-letter queue; what runs by the clock does in its "
        "next run what the last one left."
    ),
    f"{NIST}LambdaInsideVPC": (
        "No function reaches anything but AWS's own endpoints; a VPC would add a network to "
        "keep, and no bound that IAM does not set."
    ),
    f"{NIST}CloudTrailCloudWatchLogsEnabled": (
        "The trail's files are exported and locked within minutes; a second copy in a log group "
        "would cost as much again and prove nothing."
    ),
    f"{NIST}CloudTrailEncryptionEnabled": (
        "As the configuration says: kms_key of the trail. Without one it is SSE-S3."
    ),
}


ACCEPTED = {
    "AWS::S3::Bucket": {"CKV_AWS_18": _ACCESS_LOGS},
    "AWS::SNS::Topic": {
        "CKV_AWS_26": (
            "Alarms name functions and counts, no records; CloudWatch cannot publish to a topic "
            "under the key AWS manages, and a key of our own would be one more to lose."
        )
    },
    "AWS::SQS::Queue": {
        "CKV_AWS_27": (
            "Encrypted by SQS (SqsManagedSseEnabled), which the check does not know; messages "
            "name files and hold no records."
        )
    },
    "AWS::Logs::LogGroup": {"CKV_AWS_158": _NOT_EVIDENCE},
    "AWS::CloudTrail::Trail": {
        "CKV_AWS_35": "As the configuration says: kms_key of the trail. Without one it is SSE-S3."
    },
    "AWS::Lambda::Function": {
        "CKV_AWS_115": REASONS[f"{NIST}LambdaConcurrency"],
        "CKV_AWS_116": REASONS[f"{NIST}LambdaDLQ"],
        "CKV_AWS_117": REASONS[f"{NIST}LambdaInsideVPC"],
        "CKV_AWS_173": "The environment names buckets, roles and keys, and holds no secret.",
    },
}
"""By type of resource: checks of checkov that do not apply, each with the reason."""

_NO_ENVIRONMENT = "CKV_AWS_173"


@jsii.implements(IAspect)
class _Acceptances:
    """Writes what is accepted into the metadata of each resource, where checkov reads it."""

    def visit(self, node: IConstruct) -> None:
        """See `IAspect`."""
        if not CfnResource.is_cfn_resource(node):
            return
        reasons = ACCEPTED.get(node.cfn_resource_type, {})
        skipped = [
            {"id": check, "comment": reason}
            for check, reason in reasons.items()
            # CDK's own handler has no environment that could fail.
            if check != _NO_ENVIRONMENT or "BucketNotificationsHandler" not in node.node.path
        ]
        if skipped and not _is_encrypted(node):
            node.add_metadata("checkov", {"skip": skipped})


def _is_encrypted(node: CfnResource) -> bool:
    """Whether it is a trail with a key, which then fails nothing."""
    return isinstance(node, cloudtrail.CfnTrail) and node.kms_key_id is not None


def acknowledge(app: App) -> None:
    """Answer the findings that are decisions about the whole."""
    Aspects.of(app).add(_Acceptances())
    Validations.of(app).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in REASONS.items())
    )


def rule(construct: Construct, rule: str, reason: str) -> None:
    """Answer one rule for one construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def prefixes(construct: Construct, resources: Iterable[str], reason: str) -> None:
    """Answer that these resources of an identity policy end in a wildcard."""
    Validations.of(construct).acknowledge(
        *(
            Acknowledgment(id=f"{SOLUTIONS}IAM5[Resource::{one}]", reason=reason)
            for one in resources
        )
    )
