"""What is judged in AWS apart from selectors: evidence buckets, telemetry rules, summaries."""

from __future__ import annotations

from collections.abc import Sequence

from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.aws import recorded, trails
from nhi_evidence.coverage.aws.event_kind import EventKind
from nhi_evidence.coverage.aws.trails import Trail
from nhi_evidence.coverage.verdict import Judgment, Verdict, all_of, of_accounts, unknown

OBJECT_LOCK = "s3:GetObjectLockConfiguration"


def evidence_bucket(reading: Reading) -> Judgment:
    """Judge whether the evidence buckets are locked and access to them is recorded.

    A trail that delivers into the bucket itself is ignored: it would record its own writes there.
    """
    locks = list(reading.all(OBJECT_LOCK))
    if not locks:
        return unknown("no evidence bucket was read")
    judged = all_of(
        part
        for answer in locks
        for part in (
            _locked(answer.request.get("Bucket", ""), reading),
            _written(reading, answer.request.get("Bucket", "")),
        )
    )
    return of_accounts(judged, (answer.account for answer in locks))


def telemetry(reading: Reading) -> Judgment:
    """Judge whether CloudWatch ingests CloudTrail events without a trail."""
    calls = (
        trails.TELEMETRY,
        trails.ORGANIZATION_TELEMETRY,
        "observabilityadmin:ListTelemetryRules",
    )
    if not any(list(reading.ok(call)) for call in calls):
        refused = [answer for call in calls for answer in reading.unread(call)]
        code = f" ({refused[0].error})" if refused else ""
        return unknown(f"the telemetry rules were not read{code}")
    rules = [trail for trail in trails.of(reading) if trail.is_ours is False and not trail.bucket]
    if rules:
        labels = ", ".join(rule.label for rule in rules)
        reason = f"{labels} takes in CloudTrail's events without a trail: recorded, and not here"
        names = tuple(name for rule in rules for name in rule.names)
        judged = Judgment(Verdict.ELSEWHERE, (reason,), answers=names)
        return _of_trails(judged, rules)
    reason = "no telemetry rule takes in CloudTrail's events"
    return Judgment(Verdict.GAP, (reason,), ("events in CloudWatch without a trail",))


def aggregated(reading: Reading) -> Judgment:
    """Judge whether a trail ingested here writes summaries of data events."""
    known = trails.of(reading)
    statuses = {
        str(answer.request.get("TrailName")): answer
        for answer in reading.ok(trails.EVENT_CONFIGURATION)
    }
    if not statuses:
        return unknown("no event configuration of a trail was read")
    ours = [
        trail for trail in known if trail.is_ours and trail.is_logging and trail.arn in statuses
    ]
    for trail in ours:
        answer = statuses[trail.arn]
        for entry in answer.answer.get("AggregationConfigurations", ()):
            if entry.get("EventCategory") == "Data" and entry.get("Templates"):
                templates = ", ".join(entry["Templates"])
                reason = f"{trail.label} writes summaries ({templates})"
                judged = Judgment(Verdict.CONFIGURED, (reason,), answers=(answer.name,))
                return _of_trails(judged, [trail])
    names = tuple(answer.name for answer in statuses.values())
    reason = "no trail that comes here writes summaries of data events"
    return Judgment(Verdict.GAP, (reason,), ("summaries of data events",), names)


def _of_trails(judged: Judgment, some: Sequence[Trail]) -> Judgment:
    """Return a judgment of these trails' own accounts; an organization's trail covers every one."""
    if any(trail.is_organization for trail in some):
        return judged
    return of_accounts(judged, (trail.account for trail in some))


def _locked(bucket: str, reading: Reading) -> Judgment:
    answer = reading.single(OBJECT_LOCK, Bucket=bucket)
    if answer is None or answer.status in {"denied", "failed"}:
        return unknown(f"the lock of {bucket} could not be read")
    configuration = (answer.answer or {}).get("ObjectLockConfiguration", {})
    mode = configuration.get("Rule", {}).get("DefaultRetention", {}).get("Mode")
    if configuration.get("ObjectLockEnabled") != "Enabled" or mode != "COMPLIANCE":
        reason = f"{bucket} is not locked in COMPLIANCE mode ({mode or 'no default retention'})"
        return Judgment(Verdict.GAP, (reason,), (f"the lock of {bucket}",), (answer.name,))
    return Judgment(Verdict.CONFIGURED, (f"{bucket} is locked",), answers=(answer.name,))


def _written(reading: Reading, bucket: str) -> Judgment:
    partition = recorded.partition_of(trails.of(reading))
    arn = f"arn:{partition}:s3:::{bucket}/*"
    kind = EventKind(category="Data", type="AWS::S3::Object", arn=arn)
    return recorded.by_trails(
        reading, kind, recorded.account_of_bucket(reading, bucket), without_bucket=bucket
    )
