"""Checks of a source's streams: Firehose, who puts records, who subscribes.

A stream that is stopped, or writes elsewhere, leaves no numbered gap: only these checks and its
alarms show it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nhi_evidence.adapters.aws import bucket_checks, queue_checks
from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged, NotThereError
from nhi_evidence.adapters.aws.policy_differences import judged
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.checks import Check, differing
from nhi_evidence.config import naming
from nhi_evidence.config.aws import streams
from nhi_evidence.config.aws.buckets import streamed_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.streams import StreamPlan
from nhi_evidence.config.tables import SourceEntry

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_CHANGED = f"somebody changed it; CloudTrail says who ({{}}). Then {DEPLOY}"
_MISSED = "what the provider sent meanwhile is in no file here"


def checks(
    checks_of: AwsChecks, clients: Clients, feed: Feed, entry: SourceEntry
) -> Iterator[Check]:
    """Yield every check of a source's streams and the bucket they fill; nothing without streams."""
    planned = streams.plans(feed, entry)
    if planned:
        of_bucket = AwsChecks(f"log-archive account {feed.account}, {feed.bucket}")
        yield from bucket_checks.bucket(of_bucket, clients, streamed_bucket(feed))
    for plan in planned:
        yield from _delivery(checks_of, clients.client("firehose", feed.region), plan)
        iam = clients.client("iam", feed.region)
        yield from role(checks_of, iam, streams.delivery_role(plan, log_group=plan.log_group_arn))
        yield from role(checks_of, iam, streams.sending_role(plan))
        if plan.stream.bus is None:
            yield from _destination(checks_of, clients.client("logs", feed.region), plan)
        else:
            yield from _rule(checks_of, clients.client("events", feed.region), plan)
            yield from queue_checks.dead_letters(
                checks_of,
                clients.client("sqs", feed.region),
                plan.dead_letters,
                policy=streams.dead_letters_policy(plan),
            )


def _delivery(checks_of: AwsChecks, firehose: Any, plan: StreamPlan) -> Iterator[Check]:
    yield from checks_of.compare(
        f"stream {plan.name}",
        lambda: firehose.describe_delivery_stream(DeliveryStreamName=plan.name),
        lambda answer: _delivers(answer["DeliveryStreamDescription"], plan),
        f"{_CHANGED.format('firehose.amazonaws.com')}; {_MISSED}",
    )


def _delivers(stream: Mapping[str, Any], plan: StreamPlan) -> Judged:
    feed = plan.feed
    wanted = {
        "state": "ACTIVE",
        "source": "DirectPut",
        "encryption": "AWS_OWNED_CMK ENABLED",
        "bucket": feed.bucket_arn,
        "role": naming.role_arn(feed.region, feed.account, plan.name),
        "files": plan.files,
        "errors": plan.errors,
        "compression": plan.compression,
        "buffer": f"{streams.BUFFER_SECONDS} s, {streams.BUFFER_MEGABYTES} MiB",
        "log": "True",
        "processing": "False",
        "partitioning": "False",
        "time zone": "UTC",
    }
    encryption = stream.get("DeliveryStreamEncryptionConfiguration", {})
    destinations = stream.get("Destinations", ())
    to_bucket = destinations[0] if destinations else {}
    files = to_bucket.get("ExtendedS3DestinationDescription", {})
    buffered = files.get("BufferingHints", {})
    actual = {
        "state": stream.get("DeliveryStreamStatus"),
        "source": stream.get("DeliveryStreamType"),
        "encryption": f"{encryption.get('KeyType')} {encryption.get('Status')}",
        "bucket": files.get("BucketARN"),
        "role": files.get("RoleARN"),
        "files": files.get("Prefix"),
        "errors": files.get("ErrorOutputPrefix"),
        "compression": files.get("CompressionFormat"),
        "buffer": f"{buffered.get('IntervalInSeconds')} s, {buffered.get('SizeInMBs')} MiB",
        "log": files.get("CloudWatchLoggingOptions", {}).get("Enabled"),
        "processing": files.get("ProcessingConfiguration", {}).get("Enabled", False),
        "partitioning": files.get("DynamicPartitioningConfiguration", {}).get("Enabled", False),
        "time zone": files.get("CustomTimeZone", "UTC"),
    }
    return differing(wanted, {name: str(value) for name, value in actual.items()})


def _destination(checks_of: AwsChecks, logs: Any, plan: StreamPlan) -> Iterator[Check]:
    feed = plan.feed

    def ask() -> dict[str, Any]:
        pages = logs.get_paginator("describe_destinations").paginate(
            DestinationNamePrefix=plan.name
        )
        for destination in (each for page in pages for each in page["destinations"]):
            if destination["destinationName"] == plan.name:
                return dict(destination)
        raise NotThereError("no destination of this name")

    wanted = {
        "stream": plan.arn,
        "role": naming.role_arn(feed.region, feed.account, plan.sender),
    }
    changed = _CHANGED.format("logs.amazonaws.com")
    yield from checks_of.compare(
        f"destination {plan.name}",
        ask,
        lambda answer: differing(
            wanted, {"stream": answer["targetArn"], "role": answer["roleArn"]}
        ),
        f"{changed}; {_MISSED}",
    )
    policy = streams.destination_policy(plan, plan.destination_arn)
    yield from checks_of.compare(
        f"destination {plan.name}, who may subscribe",
        ask,
        lambda answer: judged(json.loads(answer.get("accessPolicy", '{"Statement": []}')), policy),
        changed,
    )


def _rule(checks_of: AwsChecks, events: EventBridgeClient, plan: StreamPlan) -> Iterator[Check]:
    bus, feed = str(plan.stream.bus), plan.feed
    changed = f"{_CHANGED.format('events.amazonaws.com')}; {_MISSED}"
    yield from checks_of.look(
        f"event source {bus}",
        lambda: events.describe_event_source(Name=bus),
        lambda answer: (answer.get("State") == "ACTIVE", str(answer.get("State"))),
        f"PENDING: deploy; DELETED: the provider's side removed its stream, and {_MISSED}",
    )
    yield from checks_of.compare(
        f"rule {plan.name}",
        lambda: events.describe_rule(Name=plan.name, EventBusName=bus),
        lambda answer: differing(
            {"state": "ENABLED", "takes": str({"source": [bus]})},
            {
                "state": str(answer.get("State")),
                "takes": str(json.loads(answer.get("EventPattern") or "{}")),
            },
        ),
        changed,
    )
    wanted = {
        "stream": plan.arn,
        "role": naming.role_arn(feed.region, feed.account, plan.sender),
        "dead letters": streams.dead_letters_arn(plan),
        "event": "as it is",
        "targets": "1",
    }
    yield from checks_of.compare(
        f"rule {plan.name}, what it puts",
        lambda: events.list_targets_by_rule(Rule=plan.name, EventBusName=bus)["Targets"],
        lambda targets: differing(wanted, _puts(targets)),
        changed,
    )


def _puts(targets: Any) -> dict[str, str]:
    """Return what a rule does with an event, in the words of the plan above."""
    first = targets[0] if targets else {}
    changes = [name for name in ("Input", "InputPath", "InputTransformer") if first.get(name)]
    return {
        "stream": str(first.get("Arn")),
        "role": str(first.get("RoleArn")),
        "dead letters": str(first.get("DeadLetterConfig", {}).get("Arn")),
        "event": f"by {changes[0]}" if changes else "as it is",
        "targets": str(len(targets)),
    }
