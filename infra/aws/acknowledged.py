"""Findings of cdk-nag and checkov that are accepted, each with its reason.

A finding not listed here fails the tests, so every new resource gets reviewed.
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
    "SSE-S3 by decision: whoever can disable or delete a customer managed key could destroy "
    "locked evidence."
)
_ACCESS_LOGS = (
    "The organization trail's data events record access and become evidence themselves; server "
    "access logs are best effort and would need another locked bucket."
)
_NOT_EVIDENCE = "Holds names and counts, no records; AWS's own keys are enough."

REASONS = {
    f"{SOLUTIONS}S1": _ACCESS_LOGS,
    f"{SOLUTIONS}L1": (
        "The functions of all clouds run the one Python minor version that each deploy.toml "
        "names; it is the version that is tested."
    ),
    f"{SOLUTIONS}IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
    "AWSLambdaBasicExecutionRole]": (
        "CDK's own handler, which adds the notification to an existing bucket; it may write its "
        "logs and change that one setting of that one bucket."
    ),
    f"{NIST}S3BucketLoggingEnabled": _ACCESS_LOGS,
    f"{NIST}S3DefaultEncryptionKMS": _SSE_S3,
    f"{NIST}S3BucketReplicationEnabled": (
        "A replica is the deployer's choice ([evidence.buckets.replica]); the replica itself, and "
        "a trail's bucket, whose files become evidence, need none."
    ),
    f"{NIST}IAMNoInlinePolicy": (
        "A role and its one policy are created, reviewed and removed together; no policy here is "
        "shared."
    ),
    f"{NIST}CloudWatchLogGroupEncrypted": _NOT_EVIDENCE,
    f"{NIST}SNSEncryptedKMS": _NOT_EVIDENCE,
    f"{NIST}LambdaConcurrency": (
        "The exporter is bounded by its queue's maximum concurrency; the functions of the "
        "evidence account stay correct however many run at once "
        "(docs/decisions/0038-no-reserved-concurrency.md)."
    ),
    f"{NIST}LambdaDLQ": (
        "The exporter's queue has a dead-letter queue; a scheduled function picks up in its next "
        "run what the last run left."
    ),
    f"{NIST}LambdaInsideVPC": (
        "Functions call public cloud APIs only: of AWS and, where configured, of Google Cloud and "
        "Microsoft. A VPC would be one more network to run; IAM bounds what they may do."
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
            "encrypted with the AWS managed key, and a customer managed key would be one more to "
            "lose."
        )
    },
    "AWS::SQS::Queue": {
        "CKV_AWS_27": (
            "Encrypted by SQS (SqsManagedSseEnabled), which the check does not recognize; "
            "messages name files, except a partner's events that could not be put into a stream."
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
"""Checkov checks that do not apply and the reasons, by resource type."""

_NO_ENVIRONMENT = "CKV_AWS_173"


@jsii.implements(IAspect)
class _Acceptances:
    """Writes the accepted checks into each resource's metadata, where checkov reads them."""

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
    """Return whether the node is a trail with a KMS key, which passes the check."""
    return isinstance(node, cloudtrail.CfnTrail) and node.kms_key_id is not None


def acknowledge(app: App) -> None:
    """Acknowledge the findings that are decided for the whole app."""
    Aspects.of(app).add(_Acceptances())
    Validations.of(app).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in REASONS.items())
    )


def rule(construct: Construct, rule: str, reason: str) -> None:
    """Acknowledge one rule for one construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def prefixes(construct: Construct, resources: Iterable[str], reason: str) -> None:
    """Acknowledge that these resources of an identity policy end in a wildcard."""
    Validations.of(construct).acknowledge(
        *(
            Acknowledgment(id=f"{SOLUTIONS}IAM5[Resource::{one}]", reason=reason)
            for one in resources
        )
    )
