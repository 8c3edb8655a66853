"""The trails of a reading: what each records, for whom, where, and whether it is ingested here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nhi_evidence.coverage.answers import Answer, Deployment, Reading
from nhi_evidence.coverage.aws import selectors
from nhi_evidence.coverage.aws.selectors import Selector

DESCRIBE, STATUS = "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"
SELECTORS, EVENT_CONFIGURATION = "cloudtrail:GetEventSelectors", "cloudtrail:GetEventConfiguration"
NOTIFICATION = "s3:GetBucketNotificationConfiguration"
TELEMETRY = "observabilityadmin:GetTelemetryRule"
ORGANIZATION_TELEMETRY = "observabilityadmin:GetTelemetryRuleForOrganization"
ACCOUNTS, REGIONS = "organizations:ListAccounts", "account:ListRegions"
SOURCE = "aws_cloudtrail"
GLOBAL_REGIONS = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Region in which global services record; us-east-1 in every other partition."""
_ENABLED = {"ENABLED", "ENABLED_BY_DEFAULT", "ENABLING"}


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """One trail, or a telemetry rule that acts as one; what could not be read is None."""

    arn: str
    account: str
    home_region: str
    is_multi_region: bool
    is_organization: bool
    has_global_events: bool
    bucket: str
    is_logging: bool | None
    delivery_error: str
    """Error of the latest delivery to the bucket; empty if there was none."""
    selectors: tuple[Selector, ...] | None
    is_ours: bool | None
    """Whether its bucket's files are ingested here."""
    names: tuple[str, ...]
    """Names of the answers it was read from."""
    what: str = "trail"
    regions: tuple[str, ...] | None = None
    """Regions a telemetry rule lists; None where it lists none: all of them, or its own."""

    def reaches(self, account: str, region: str) -> bool:
        """Whether it applies to an account and a region at all."""
        of_account = self.is_organization or account == self.account
        here = self.is_multi_region or region in (self.regions or (self.home_region,))
        return of_account and here

    @property
    def label(self) -> str:
        """The trail's name in reports."""
        return f"{self.what} {self.arn.rpartition('/')[2]}"


class TrailName(msgspec.Struct, frozen=True):
    """The trail that a record names, by its ARN, or by its name within its account and region.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html
    """

    named: str
    account: str
    region: str

    def is_at(self, arn: object) -> bool:
        """Whether this is its ARN: trails of several accounts often have one name."""
        text = str(arn)
        if self.named.startswith("arn:"):
            return text == self.named
        head, _, name = text.rpartition("/")
        _, _, _, region, account, *_ = [*head.split(":"), *("",) * 5]
        # A record that left either out may mean any.
        here = self.account in {"", account} and self.region in {"", region}
        return name == self.named and here


def of(reading: Reading) -> tuple[Trail, ...]:
    """Return the trails of a reading, each once: a shadow trail is one seen from another region.

    Raises `msgspec.ValidationError` or `KeyError` for a malformed answer.
    """
    return reading.derived(_read)


def _read(reading: Reading) -> tuple[Trail, ...]:
    by_arn: dict[str, Trail] = {}
    for answer in reading.ok(DESCRIBE):
        for described in answer.answer["trailList"]:
            arn = str(described["TrailARN"])
            if arn not in by_arn:
                by_arn[arn] = _trail(reading, answer, arn, described)
    return (*by_arn.values(), *_telemetry_rules(reading))


def estate(reading: Reading) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the accounts of an estate, and its regions, None where they could not be read.

    Without the organization's list these are the accounts that were asked.
    """
    listed = [
        str(account["Id"])
        for answer in reading.ok(ACCOUNTS)
        for account in answer.answer["Accounts"]
        if account.get("State", account.get("Status", "ACTIVE")) == "ACTIVE"
    ]
    scopes = [answer.scope.partition("/")[0] for answer in reading.ok(DESCRIBE)]
    regions = {name for names in regions_of(reading).values() for name in names}
    return tuple(dict.fromkeys(listed or scopes)), tuple(sorted(regions)) or None


def regions_of(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return the enabled regions of each account whose regions were listed."""
    return {
        answer.account: tuple(
            str(region["RegionName"])
            for region in answer.answer["Regions"]
            if region.get("RegionOptStatus") in _ENABLED
        )
        for answer in reading.ok(REGIONS)
    }


def _trail(reading: Reading, described_by: Answer, arn: str, described: dict[str, Any]) -> Trail:
    status = reading.single(STATUS, Name=arn)
    chosen = reading.single(SELECTORS, TrailName=arn)
    known_status = status.answer if status and status.status == "ok" else None
    bucket = str(described.get("S3BucketName", ""))
    notification = reading.single(NOTIFICATION, Bucket=bucket)
    used = [one.name for one in (described_by, status, chosen, notification) if one is not None]
    return Trail(
        arn=arn,
        account=arn.split(":")[4],
        home_region=str(described.get("HomeRegion", arn.split(":")[3])),
        is_multi_region=bool(described.get("IsMultiRegionTrail", False)),
        is_organization=bool(described.get("IsOrganizationTrail", False)),
        has_global_events=bool(described.get("IncludeGlobalServiceEvents", True)),
        bucket=bucket,
        is_logging=None if known_status is None else bool(known_status["IsLogging"]),
        delivery_error=str((known_status or {}).get("LatestDeliveryError") or ""),
        selectors=selectors.of_answer(chosen.answer) if chosen and chosen.status == "ok" else None,
        is_ours=_is_ours(reading.deployment(), bucket, notification),
        names=tuple(dict.fromkeys(used)),
    )


def _telemetry_rules(reading: Reading) -> Iterator[Trail]:
    """Yield CloudWatch's telemetry rules that ingest CloudTrail events without a trail.

    What they ingest goes to a log group: recorded, but not in this evidence.
    """
    for call, of_organization in ((TELEMETRY, False), (ORGANIZATION_TELEMETRY, True)):
        for answer in reading.ok(call):
            rule = answer.answer["TelemetryRule"]
            parameters = rule.get("DestinationConfiguration", {}).get("CloudtrailParameters")
            if rule.get("ResourceType") != "AWS::CloudTrail" or not parameters:
                continue
            arn = str(answer.answer["RuleArn"])
            regions = tuple(rule.get("Regions") or ())
            yield Trail(
                arn=arn,
                account=arn.split(":")[4],
                home_region=arn.split(":")[3],
                is_multi_region=bool(rule.get("AllRegions", False)),
                is_organization=of_organization,
                has_global_events=True,
                bucket="",
                is_logging=True,
                delivery_error="",
                selectors=selectors.of_answer(parameters),
                is_ours=False,
                names=(answer.name,),
                what="CloudWatch telemetry rule",
                regions=regions or None,
            )


def _is_ours(
    deployment: Deployment | None, bucket: str, notification: Answer | None
) -> bool | None:
    """Whether a bucket's files are ingested here: we read it, and it notifies our queue.

    None where that cannot be known. If its notifications could not be read, the deployment's
    configuration decides: notification through a topic cannot be seen from the bucket either.
    """
    if deployment is None:
        return None
    source = deployment.source(SOURCE)
    if source is None or bucket not in source.buckets:
        return False
    if notification is None or notification.status != "ok" or not source.queues:
        return True
    configured = notification.answer or {}
    if configured.get("TopicConfigurations") or configured.get("EventBridgeConfiguration"):
        return True  # by another route, which the bucket's configuration does not show further
    queues = [
        entry for entry in configured.get("QueueConfigurations", ()) if _covers_every_file(entry)
    ]
    return any(entry.get("QueueArn") in source.queues for entry in queues)


def _covers_every_file(entry: dict[str, Any]) -> bool:
    """Whether a notification covers every new log file: creation, and no narrower suffix."""
    events: Sequence[str] = entry.get("Events", ())
    creates = any(event in {"s3:ObjectCreated:*", "s3:ObjectCreated:Put"} for event in events)
    return creates and all(rule.lower() in {"", ".gz", ".json.gz"} for rule in _suffixes(entry))


def _suffixes(entry: dict[str, Any]) -> Iterator[str]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return (str(rule["Value"]) for rule in rules if str(rule.get("Name", "")).lower() == "suffix")
