"""Looking at the log-archive account: trails, notifications, queues, exporters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters.aws import bucket_checks
from nhi_evidence.adapters.aws.alarm_checks import alarms
from nhi_evidence.adapters.aws.aws_checks import DEPLOY, AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.policy_differences import differences, judged
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws import queues, roles
from nhi_evidence.config.aws.buckets import trail_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.tables import Trail

_REDRIVE = "read why in the exporter's log, mend it, then redrive (docs/operations.md)"


def checks(config: Config, clients: Clients) -> Iterator[Check]:
    """Yield every check of the log-archive account."""
    account = config.log_archive.account
    checks_of = AwsChecks(f"log-archive account {account}")
    for trail in config.trails:
        yield from _trail(checks_of, clients.client("cloudtrail", trail.region), trail)
    of_files = feeds(config)
    for feed, entry in of_files:
        if entry.trail is not None and config.trail(entry.trail).kind == "new":
            yield from bucket_checks.bucket(
                AwsChecks(f"log-archive account {account}, {feed.bucket}"),
                clients,
                trail_bucket(config, config.trail(entry.trail), feed),
            )
        if feed.notifies in ("new-bucket", "existing-bucket"):
            yield from _notifies(checks_of, clients.client("s3", feed.region), feed)
        yield from _exporter(checks_of, clients, config, feed)
    for region in dict.fromkeys(feed.region for feed, _ in of_files):
        yield from alarms(checks_of, clients, config, account=account, region=region)


def _trail(checks_of: AwsChecks, cloudtrail: Any, trail: Trail) -> Iterator[Check]:
    what = f"trail into {trail.bucket}"
    description: dict[str, Any] = {}

    def ask() -> dict[str, Any]:
        listed = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
        description.update(next((one for one in listed if one["S3BucketName"] == trail.bucket), {}))
        return description

    yield from checks_of.look(
        what, ask, _recording, "record every region and account, and switch log-file validation on"
    )
    if not description:
        return
    yield from checks_of.look(
        f"{what}, logging",
        lambda: cloudtrail.get_trail_status(Name=description["TrailARN"]),
        _logging,
        "somebody stopped it, or the bucket refuses it: CloudTrail says who (StopLogging)",
    )
    yield from checks_of.look(
        f"{what}, events",
        lambda: cloudtrail.get_event_selectors(TrailName=description["TrailARN"]),
        _everything,
        "record management events, reads and writes: reads are how an attack begins",
    )


def _recording(trail: dict[str, Any]) -> Judged:
    if not trail:
        return False, "no trail of this account's view delivers there"
    off = [
        name
        for name, on in (
            ("every region", trail.get("IsMultiRegionTrail")),
            ("the organization", trail.get("IsOrganizationTrail")),
            ("log-file validation", trail.get("LogFileValidationEnabled")),
        )
        if not on
    ]
    return not off, f"without {', '.join(off)}" if off else str(trail.get("Name"))


def _logging(status: dict[str, Any]) -> Judged:
    error = status.get("LatestDeliveryError")
    if error:
        return False, f"cannot deliver: {error}"
    return bool(status.get("IsLogging")), "logging" if status.get("IsLogging") else "stopped"


def _everything(answer: dict[str, Any]) -> Judged:
    """Whether management events are recorded, reads and writes, by either kind of selector."""
    basic = [
        one
        for one in answer.get("EventSelectors") or []
        if one.get("IncludeManagementEvents") and one.get("ReadWriteType") == "All"
    ]
    advanced = [
        one
        for one in answer.get("AdvancedEventSelectors") or []
        if {"Field": "eventCategory", "Equals": ["Management"]}
        in [{k: v for k, v in field.items() if v} for field in one["FieldSelectors"]]
        and not any(field["Field"] == "readOnly" for field in one["FieldSelectors"])
    ]
    is_ok = bool(basic or advanced)
    recorded = "management events, reads and writes"
    return is_ok, recorded if is_ok else "management events are missing"


def _notifies(checks_of: AwsChecks, s3: Any, feed: Feed) -> Iterator[Check]:
    yield from checks_of.compare(
        f"notifications of {feed.bucket}",
        lambda: s3.get_bucket_notification_configuration(
            Bucket=feed.bucket, ExpectedBucketOwner=feed.owner
        ),
        lambda answer: notified(answer, feed),
        f"the queue {feed.exporter} is not told of every new file; then replay what it missed. "
        f"{DEPLOY}",
    )


def notified(answer: dict[str, Any], feed: Feed) -> Judged:
    """Whether a bucket tells a feed's queue of every file under the feed's prefix."""
    queues_told = answer.get("QueueConfigurations", [])
    ours = [_events_and_filter(one) for one in queues_told if one["QueueArn"] == feed.queue_arn]
    wanted = (["s3:ObjectCreated:*"], {"prefix": feed.prefix} if feed.prefix else {})
    if wanted in ours:
        return True, f"{feed.queue_arn}, of {feed.prefix or 'every key'}"
    if ours:
        return False, "; ".join(f"{', '.join(events)} of {rules}" for events, rules in ours)
    return False, ", ".join(str(one["QueueArn"]) for one in queues_told) or "notifies no queue"


def _events_and_filter(configuration: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return sorted(configuration["Events"]), {one["Name"].lower(): one["Value"] for one in rules}


def _exporter(
    checks_of: AwsChecks, clients: Clients, config: Config, feed: Feed
) -> Iterator[Check]:
    sqs, functions = clients.client("sqs", feed.region), clients.client("lambda", feed.region)
    name = feed.exporter

    def attributes(queue: str) -> dict[str, str]:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return dict(answer["Attributes"])

    def depth(queue: str) -> int:
        return int(attributes(queue)["ApproximateNumberOfMessages"])

    yield from checks_of.look(
        f"queue {name}", lambda: depth(name), lambda n: (True, f"{n} waiting"), DEPLOY
    )
    yield from checks_of.look(
        f"queue {feed.dead_letters}",
        lambda: depth(feed.dead_letters),
        lambda n: (n == 0, f"{n} given up"),
        _REDRIVE,
    )
    yield from checks_of.compare(
        f"queue {name}, who may send",
        lambda: attributes(name),
        lambda attributes_found: _sent(attributes_found, feed),
        f"somebody changed it; CloudTrail says who (SetQueueAttributes). Then {DEPLOY}",
    )
    yield from checks_of.compare(
        f"queue {feed.dead_letters}, who may send",
        lambda: attributes(feed.dead_letters),
        lambda attributes_found: judged(
            json.loads(attributes_found.get("Policy", _EMPTY)), queues.dead_letters(feed)
        ),
        f"somebody changed it; CloudTrail says who (SetQueueAttributes). Then {DEPLOY}",
    )
    yield from checks_of.look(
        f"function {name}",
        lambda: functions.get_function_configuration(FunctionName=name),
        lambda answer: (answer.get("State", "Active") == "Active", answer.get("State", "Active")),
        DEPLOY,
    )
    yield from checks_of.look(
        f"function {name}, its queue",
        lambda: functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"],
        _fed,
        "the function takes nothing from its queue: enable its event source mapping",
    )
    log_group = naming.log_group_arn(feed.region, feed.account, name)
    yield from role(
        checks_of,
        clients.client("iam", feed.region),
        roles.exporter(config, feed, log_group=log_group),
    )


_EMPTY = '{"Statement": []}'


def _sent(attributes_found: dict[str, str], feed: Feed) -> Judged:
    """Whether a queue takes what it should, and gives up to its own dead letters."""
    changed = differences(
        json.loads(attributes_found.get("Policy", _EMPTY)), queues.delivery_queue(feed)
    )
    dead = json.loads(attributes_found.get("RedrivePolicy", "{}")).get("deadLetterTargetArn")
    faults = [
        *([changed] if changed else []),
        *([f"gives up to {dead}"] if dead != feed.dead_letters_arn else []),
    ]
    return not faults, "; ".join(faults) or "as deployed"


def _fed(mappings: list[dict[str, Any]]) -> Judged:
    states = [str(one.get("State")) for one in mappings]
    return "Enabled" in states, ", ".join(states) or "none"
