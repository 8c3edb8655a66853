"""What the rule packs of cdk-nag find and is meant so: each rule with the reason.

A finding that is not here fails the tests, so that a new resource is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Acknowledgment, App, Validations
from constructs import Construct

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
        "The exporter is bounded by its queue's maximum concurrency; the sealer is correct "
        "however many run (docs/decisions/0038-no-reserved-concurrency.md)."
    ),
    f"{NIST}LambdaDLQ": (
        "The exporter's queue has its dead-letter queue; the sealer's next run does what the "
        "last one left."
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


def acknowledge(app: App) -> None:
    """Answer the findings that are decisions about the whole."""
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
