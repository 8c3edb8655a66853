"""The check that a bucket notifies a queue of every new object under a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Judged
from nhi_evidence.checks import Check

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def notifies(
    checks_of: AwsChecks,
    s3: S3Client,
    bucket: str,
    *,
    owner: str,
    queue_arn: str,
    prefix: str,
    missed: str,
) -> Iterator[Check]:
    """Yield the check of a bucket; `missed` says what to do about objects not announced."""
    yield from checks_of.compare(
        f"notifications of {bucket}",
        lambda: s3.get_bucket_notification_configuration(Bucket=bucket, ExpectedBucketOwner=owner),
        lambda answer: _notified(answer, queue_arn, prefix),
        f"the queue {queue_arn.rpartition(':')[2]} is not notified of every new file; {missed} "
        f"{DEPLOY}",
    )


def _notified(answer: dict[str, Any], queue_arn: str, prefix: str) -> Judged:
    """Judge whether a bucket notifies a queue of every file under a prefix."""
    queues_told = answer.get("QueueConfigurations", [])
    ours = [_events_and_filter(one) for one in queues_told if one["QueueArn"] == queue_arn]
    wanted = (["s3:ObjectCreated:*"], {"prefix": prefix} if prefix else {})
    if wanted in ours:
        return True, f"{queue_arn}, of {prefix or 'every key'}"
    if ours:
        return False, "; ".join(f"{', '.join(events)} of {rules}" for events, rules in ours)
    return False, ", ".join(str(one["QueueArn"]) for one in queues_told) or "notifies no queue"


def _events_and_filter(configuration: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return sorted(configuration["Events"]), {one["Name"].lower(): one["Value"] for one in rules}
