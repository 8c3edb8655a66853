"""Checks of the log-archive account: trails, notifications, queues, exporters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nhi_evidence.adapters.aws import (
    bucket_checks,
    function_checks,
    notification_checks,
    queue_checks,
    stream_checks,
)
from nhi_evidence.adapters.aws.alarm_checks import alarms
from nhi_evidence.adapters.aws.aws_checks import AwsChecks, Clients, Judged
from nhi_evidence.adapters.aws.function_checks import FunctionPlan
from nhi_evidence.adapters.aws.function_settings import exporter_settings
from nhi_evidence.adapters.aws.role_checks import role
from nhi_evidence.adapters.environ import variables
from nhi_evidence.checks import Check
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws import roles
from nhi_evidence.config.aws.alarms import of_exports
from nhi_evidence.config.aws.buckets import trail_bucket
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.redelivery import redelivery
from nhi_evidence.config.built_code import BuiltCode
from nhi_evidence.config.declaration import Sqs, declaration
from nhi_evidence.config.tables import SourceEntry, Trail


def checks(config: Config, clients: Clients, built: BuiltCode | None = None) -> Iterator[Check]:
    """Yield every check of the log-archive account; functions are compared with `built`.

    Raises `DeclarationError` if the library is installed without the functions' declarations.
    """
    account = config.log_archive.account
    checks_of = AwsChecks(f"log-archive account {account}")
    for trail in config.trails:
        yield from _trail(checks_of, clients.client("cloudtrail", trail.region), trail)
    of_files = feeds(config)
    for feed, entry in of_files:
        is_gone = False
        if entry.trail is not None and config.trail(entry.trail).kind == "new":
            settings = [
                *bucket_checks.bucket(
                    AwsChecks(f"log-archive account {account}, {feed.bucket}"),
                    clients,
                    trail_bucket(config, config.trail(entry.trail), feed),
                )
            ]
            yield from settings
            is_gone = any(check.observed == bucket_checks.NO_BUCKET for check in settings)
        if not is_gone and feed.notifies in ("new-bucket", "existing-bucket"):
            yield from notification_checks.notifies(
                checks_of,
                clients.client("s3", feed.region),
                feed.bucket,
                owner=feed.owner,
                queue_arn=feed.queue_arn,
                prefix=feed.prefix,
                missed="then replay what it missed.",
            )
        yield from stream_checks.checks(checks_of, clients, feed, entry)
        yield from _exporter(checks_of, clients, config, feed, entry=entry, built=built)
    for region in dict.fromkeys(feed.region for feed, _ in of_files):
        expected = of_exports(config, region)
        yield from alarms(checks_of, clients, config, expected, account=account, region=region)


def _trail(checks_of: AwsChecks, cloudtrail: Any, trail: Trail) -> Iterator[Check]:
    what = f"trail into {trail.bucket}"
    description: dict[str, Any] = {}

    def ask() -> dict[str, Any]:
        listed = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
        description.update(next((one for one in listed if one["S3BucketName"] == trail.bucket), {}))
        return description

    yield from checks_of.look(
        what, ask, _recording, "record every region and account, and switch log file validation on"
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
        return False, "no trail visible to this account delivers there"
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
    """Judge whether all management reads and writes are recorded, by either kind of selector.

    Both kinds can leave out services: KMS often, as its calls are many.
    """
    excluded = [
        list(one.get("ExcludeManagementEventSources") or ())
        for one in answer.get("EventSelectors") or []
        if one.get("IncludeManagementEvents") and one.get("ReadWriteType") == "All"
    ]
    for selector in answer.get("AdvancedEventSelectors") or []:
        fields = [{k: v for k, v in field.items() if v} for field in selector["FieldSelectors"]]
        others = [field for field in fields if field.get("Field") != "eventCategory"]
        if {"Field": "eventCategory", "Equals": ["Management"]} not in fields:
            continue
        if not any(field.get("Field") == "readOnly" for field in others):
            excluded.append([_narrowed(field) for field in others])
    recorded = "management events, reads and writes"
    if not excluded:
        return False, "management events are missing"
    least = min(excluded, key=len)
    return not least, f"{recorded}, without {', '.join(least)}" if least else recorded


def _narrowed(field: dict[str, Any]) -> str:
    """Return what a field of an advanced selector leaves out."""
    condition = {k: v for k, v in field.items() if k != "Field"}
    if condition.keys() == {"NotEquals"}:
        return ", ".join(condition["NotEquals"])
    return f"those of another {field.get('Field')}"


def _exporter(
    checks_of: AwsChecks,
    clients: Clients,
    config: Config,
    feed: Feed,
    *,
    entry: SourceEntry,
    built: BuiltCode | None,
) -> Iterator[Check]:
    name = feed.exporter
    declared = declaration("aws_export")
    numbers = redelivery(declared, entry.batch_window_seconds)
    yield from queue_checks.exporter_queues(
        checks_of, clients.client("sqs", feed.region), feed, numbers
    )
    yield from queue_checks.topic_subscription(checks_of, clients.client("sns", feed.region), feed)
    plan = FunctionPlan(
        name=name,
        account=feed.account,
        region=feed.region,
        declared=declared.function,
        environment=variables(exporter_settings(config, feed, entry)),
        package=None if built is None else built.functions.get("aws_export"),
    )
    yield from function_checks.function(checks_of, clients, plan)
    if isinstance(declared.trigger, Sqs):
        yield from function_checks.queue_mapping(
            checks_of, clients, plan, feed.queue_arn, numbers=numbers, trigger=declared.trigger
        )
    log_group = naming.log_group_arn(feed.region, feed.account, name)
    yield from role(
        checks_of,
        clients.client("iam", feed.region),
        roles.exporter(config, feed, log_group=log_group),
    )
