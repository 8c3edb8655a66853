"""Looking at the log-archive account: trails, notifications, queues, exporters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Judged
from nhi_evidence.adapters.aws.evidence_account_checks import DEPLOY, Clients
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.tables import Trail

_REDRIVE = "read why in the exporter's log, mend it, then redrive (docs/operations.md)"


def checks(config: Config, clients: Clients) -> Iterator[Check]:
    """Yield every check of the log-archive account."""
    checks_of = AwsChecks(f"log-archive account {config.log_archive.account}")
    for trail in config.trails:
        yield from _trail(checks_of, clients.client("cloudtrail", trail.region), trail)
    for entry in config.sources:
        if entry.trail is not None:
            trail = config.trail(entry.trail)
            name = naming.exporter(entry.evidence, entry.source, trail.name)
            if trail.topic is None:
                s3 = clients.client("s3", trail.region)
                yield from _notifies(checks_of, s3, trail.bucket, name)
            yield from _exporter(checks_of, clients, trail.region, name)
        elif entry.files is not None:
            name = naming.exporter(entry.evidence, entry.source, entry.files.bucket)
            yield from _exporter(checks_of, clients, entry.files.region, name)


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


def _notifies(checks_of: AwsChecks, s3: Any, bucket: str, queue: str) -> Iterator[Check]:
    def judge(answer: dict[str, Any]) -> Judged:
        queues = [one["QueueArn"] for one in answer.get("QueueConfigurations", [])]
        is_ok = any(arn.rsplit(":", 1)[-1] == queue for arn in queues)
        return is_ok, ", ".join(queues) or "notifies no queue"

    yield from checks_of.look(
        f"notifications of {bucket}",
        lambda: s3.get_bucket_notification_configuration(Bucket=bucket),
        judge,
        f"the queue {queue} is not told of new files; then replay what it missed. {DEPLOY}",
    )


def _exporter(checks_of: AwsChecks, clients: Clients, region: str, name: str) -> Iterator[Check]:
    sqs, functions = clients.client("sqs", region), clients.client("lambda", region)

    def depth(queue: str) -> int:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        wanted = ["ApproximateNumberOfMessages"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
        return int(attributes[wanted[0]])

    yield from checks_of.look(
        f"queue {name}", lambda: depth(name), lambda n: (True, f"{n} waiting"), DEPLOY
    )
    yield from checks_of.look(
        f"queue {name}-dead",
        lambda: depth(f"{name}-dead"),
        lambda n: (n == 0, f"{n} given up"),
        _REDRIVE,
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


def _fed(mappings: list[dict[str, Any]]) -> Judged:
    states = [str(one.get("State")) for one in mappings]
    return "Enabled" in states, ", ".join(states) or "none"
