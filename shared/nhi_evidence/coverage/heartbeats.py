"""From a reading to the heartbeats of the coming hours: a digest from every account and region.

CloudTrail writes one every hour, even if nothing happened, wherever a trail has log file
validation: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
Only what the settings make certain is promised.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from nhi_evidence.completeness.promises import Promise
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.aws import trails
from nhi_evidence.evidence import keys

HOUR_MS = 3_600_000
HOURS_AHEAD = 3
"""How many hours each run promises: the sealer lists a coming hour once an hour, so the last of
them is sealed in time at any minute, and a single failed run leaves no hour out."""
SETTLED_MS = 24 * HOUR_MS
"""How long an account must have been in the organization, and a trail been logging, to count."""
_BY_DEFAULT = "ENABLED_BY_DEFAULT"


def promises(reading: Reading, now: int) -> tuple[Promise, ...]:
    """Return the promises for the coming hours that a reading of AWS supports.

    `now` is in milliseconds since the epoch. A malformed answer raises as it does in the
    evaluators (`gathering.OTHER_SHAPE`).
    """
    scopes = tuple(sorted(set(_scopes(reading, now))))
    if not scopes:
        return ()
    return tuple(
        Promise(source=trails.SOURCE, hour=keys.hour_of(now + ahead * HOUR_MS), scopes=scopes)
        for ahead in range(1, HOURS_AHEAD + 1)
    )


def _scopes(reading: Reading, now: int) -> Iterator[Scope]:
    described: dict[str, dict[str, Any]] = {
        str(one["TrailARN"]): one
        for answer in reading.ok(trails.DESCRIBE)
        for one in answer.answer["trailList"]
    }
    regions = _regions(reading)
    for trail in trails.of(reading):
        own = described.get(trail.arn, {})
        is_settled = _started(reading, trail.arn) <= now - SETTLED_MS
        if not (trail.is_ours and trail.is_logging and is_settled) or trail.delivery_error:
            continue
        if not own.get("LogFileValidationEnabled"):
            continue
        accounts = _accounts(reading, now) if trail.is_organization else (trail.account,)
        where = regions if trail.is_multi_region else (trail.home_region,)
        prefix = "/".join(part for part in (str(own.get("S3KeyPrefix") or ""), "AWSLogs") if part)
        for account in accounts:
            folder = _folder(reading, prefix, account) if trail.is_organization else f"{prefix}/"
            if folder is None:
                continue
            yield from (Scope(account, region, f"{trail.bucket}/{folder}") for region in where)


def _folder(reading: Reading, prefix: str, account: str) -> str | None:
    """Return the folder of an organization's files; None if the organization's id was not read."""
    ids = {
        str(one.get("Arn", "")).split("/")[1]
        for answer in reading.ok(trails.ACCOUNTS)
        for one in answer.answer["Accounts"]
        if one.get("Id") == account and str(one.get("Arn", "")).count("/") > 1
    }
    return f"{prefix}/{ids.pop()}/" if len(ids) == 1 else None


def _accounts(reading: Reading, now: int) -> tuple[str, ...]:
    """Return the accounts that have been members long enough; those without a date are omitted."""
    return tuple(
        str(one["Id"])
        for answer in reading.ok(trails.ACCOUNTS)
        for one in answer.answer["Accounts"]
        if one.get("State", one.get("Status")) == "ACTIVE"
        and _instant(one.get("JoinedTimestamp")) <= now - SETTLED_MS
    )


def _regions(reading: Reading) -> tuple[str, ...]:
    """Return the regions that every account has: those enabled by default."""
    return tuple(
        sorted(
            {
                str(one["RegionName"])
                for answer in reading.ok(trails.REGIONS)
                for one in answer.answer["Regions"]
                if one.get("RegionOptStatus") == _BY_DEFAULT
            }
        )
    )


def _started(reading: Reading, arn: str) -> int:
    """Return when a trail started logging; an instant in the far future if that is not known."""
    answer = reading.single(trails.STATUS, Name=arn)
    body = answer.answer if answer is not None and answer.status == "ok" else {}
    return _instant(body.get("StartLoggingTime"))


_NEVER = 1 << 62


def _instant(text: object) -> int:
    """Parse an instant as AWS's library writes it, to milliseconds; `_NEVER` if it is not one."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return _NEVER
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
