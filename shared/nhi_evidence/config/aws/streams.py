"""Firehose streams into a source's bucket: names, prefixes, and who may do what.

A subscription of CloudWatch Logs, or a rule on a partner's event bus, puts records; Firehose writes
them as files under the stream's own folder, and what it cannot deliver under another folder that no
exporter reads.
"""

from __future__ import annotations

import msgspec

from nhi_evidence.config import naming
from nhi_evidence.config.aws import queues
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.roles import RolePlan
from nhi_evidence.config.documents import Statement, allow, service_statement, trust
from nhi_evidence.config.stream_table import Stream
from nhi_evidence.config.tables import SourceEntry

UNDELIVERED = "undelivered/"
"""Prefix of what Firehose could not write properly; outside every prefix that is read."""

HOUR = "!{timestamp:yyyy/MM/dd/HH}/"
"""Hour of arrival, UTC, from which the source takes the hour of a file.

https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
"""

BUFFER_SECONDS = 300
BUFFER_MEGABYTES = 64
"""A file is written when either is reached; more files cost more requests and more evidence."""


class StreamPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One stream."""

    name: str
    feed: Feed
    stream: Stream
    prefix: str
    """Folder of its files; Firehose appends the hour of arrival, UTC."""
    sender: str
    """Name of the role that puts records."""

    @property
    def arn(self) -> str:
        """ARN of the stream."""
        return naming.stream_arn(self.feed.region, self.feed.account, self.name)

    @property
    def undelivered(self) -> str:
        """Folder of what could not be delivered."""
        return f"{UNDELIVERED}{self.prefix}"

    @property
    def files(self) -> str:
        """Prefix of its files, in Firehose's notation."""
        return f"{self.prefix}{HOUR}"

    @property
    def errors(self) -> str:
        """Prefix of what could not be delivered, in Firehose's notation."""
        return f"{self.undelivered}!{{firehose:error-output-type}}/{HOUR}"

    @property
    def compression(self) -> str:
        """Firehose's compression: a subscription compresses its events itself, a bus does not."""
        return "UNCOMPRESSED" if self.stream.bus is None else "GZIP"

    @property
    def log_group(self) -> str:
        """Name of the log group to which Firehose reports errors."""
        return f"/aws/kinesisfirehose/{self.name}"

    @property
    def log_group_arn(self) -> str:
        """ARN of that log group, with its streams, as in policies."""
        feed = self.feed
        where = f"arn:{naming.partition(feed.region)}:logs:{feed.region}:{feed.account}"
        return f"{where}:log-group:{self.log_group}:*"

    @property
    def destination_arn(self) -> str:
        """ARN of the destination to which log groups are subscribed."""
        feed = self.feed
        where = f"arn:{naming.partition(feed.region)}:logs:{feed.region}:{feed.account}"
        return f"{where}:destination:{self.name}"

    @property
    def dead_letters(self) -> str:
        """Name of the queue for events that the rule could not put."""
        return f"{self.sender}-dead"

    @property
    def rule_arn(self) -> str:
        """ARN of the rule on the partner's bus."""
        feed = self.feed
        where = f"arn:{naming.partition(feed.region)}:events:{feed.region}:{feed.account}"
        return f"{where}:rule/{self.stream.bus}/{self.name}"


def plans(feed: Feed, entry: SourceEntry) -> tuple[StreamPlan, ...]:
    """Return the plans of a source's streams."""
    return tuple(
        StreamPlan(
            name=naming.stream(feed.store, feed.source, stream.name),
            feed=feed,
            stream=stream,
            prefix=f"{feed.prefix}{stream.name}/",
            sender=naming.sender(feed.store, feed.source, stream.name),
        )
        for stream in entry.streams
    )


def delivery_role(plan: StreamPlan, *, log_group: str) -> RolePlan:
    """Return the role with which Firehose writes; `log_group` is the ARN it reports errors to.

    https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3
    """
    feed = plan.feed
    return RolePlan(
        name=plan.name,
        trust=[
            service_statement(
                "firehose.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": feed.account},
                    "ArnEquals": {"aws:SourceArn": plan.arn},
                },
            )
        ],
        policy_name="deliver",
        policy=[
            allow(
                "Bucket",
                ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                feed.bucket_arn,
            ),
            allow("Files", ["s3:AbortMultipartUpload", "s3:PutObject"], folders(plan)),
            allow("Errors", ["logs:PutLogEvents"], log_group),
        ],
    )


def folders(plan: StreamPlan) -> list[str]:
    """Return the objects that a stream may write: its files, and what could not be delivered."""
    bucket = plan.feed.bucket_arn
    return [f"{bucket}/{plan.prefix}*", f"{bucket}/{plan.undelivered}*"]


def sending_role(plan: StreamPlan) -> RolePlan:
    """Return the role with which a subscription or a rule may put records into only this stream.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CreateFirehoseStreamDestination.html
    """
    feed = plan.feed
    if plan.stream.bus is None:
        part = naming.partition(feed.region)
        accounts = sorted({feed.account, *plan.stream.accounts})
        logs = [f"arn:{part}:logs:{feed.region}:{account}:*" for account in accounts]
        trusted = service_statement("logs.amazonaws.com", {"StringLike": {"aws:SourceArn": logs}})
    else:
        trusted = service_statement(
            "events.amazonaws.com", {"ArnEquals": {"aws:SourceArn": plan.rule_arn}}
        )
    puts = ["firehose:PutRecord", "firehose:PutRecordBatch"]
    return RolePlan(
        name=plan.sender,
        trust=[trusted],
        policy_name="put",
        policy=[allow("Put", puts, plan.arn)],
    )


def destination_policy(plan: StreamPlan, destination: str) -> list[Statement]:
    """Return the policy of a destination, an ARN: its accounts may subscribe log groups."""
    statement = trust("Subscribe", {}, "logs:PutSubscriptionFilter")
    accounts = list(plan.stream.accounts)
    return [statement | {"Principal": {"AWS": accounts}, "Resource": destination}]


def dead_letters_arn(plan: StreamPlan) -> str:
    """Return the ARN of the queue for events that a rule could not put."""
    return naming.queue_arn(plan.feed.region, plan.feed.account, plan.dead_letters)


def dead_letters_policy(plan: StreamPlan) -> list[Statement]:
    """Return the policy of the queue for what a rule could not put: only that rule, over TLS."""
    statement = trust(
        "Rule",
        {"Service": "events.amazonaws.com"},
        "sqs:SendMessage",
        {"ArnEquals": {"aws:SourceArn": plan.rule_arn}},
    )
    queue = dead_letters_arn(plan)
    return [statement | {"Resource": queue}, *queues.encrypted(queue)]
