"""Which hours of canaries are due to be weighed, and weighing them against what was locked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from nhi_evidence.completeness.statement import Log
from nhi_evidence.coverage.canary import statement
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.statement import Stated
from nhi_evidence.coverage.canary.weigh import HOUR_MS, Seen, Sightings, due, weigh
from nhi_evidence.evidence import keys

AGAIN_MS = 26 * HOUR_MS
"""How long after its end an hour is weighed once more, if a record was missing."""
SETTLED_MS = 600_000
"""How long after the last record is due the log must have been sealed, to include that record."""
WINDOW_MS = 30 * HOUR_MS
"""Hours that ended longer ago are left to `nhi-evidence coverage --evidence`."""

SOURCES = {"aws": "aws_cloudtrail", "gcp": "gcp_audit", "entra": "azure_monitor"}
"""Platform to the source that delivers its canaries' records."""
_FOLDER = "/AWSLogs/"
"""Precedes the account in the name of every CloudTrail file."""
_ACCOUNT = 4
"""Index of the account in an ARN."""


class Locked(NamedTuple):
    """A sealed plan."""

    key: str
    at: int
    """When the store received it, milliseconds since the epoch."""
    plan: Plan


class Standing(NamedTuple):
    """What the newest statement on an hour says."""

    at: int
    """The sealer's clock at the log state it rests on, milliseconds since the epoch."""
    broken: int
    """How many probes did not arrive, or not as they should."""


class Hour:
    """The plans of one platform in one hour, and what was seen of their probes."""

    def __init__(self, platform: str, hour: str, plans: Sequence[Locked], until: int) -> None:
        """Weigh by records locked no later than `until`, milliseconds since the epoch."""
        self.platform = platform
        self.hour = hour
        self.plans = plans
        self.until = until
        self.begins = keys.hour_start(hour) or 0
        self.sightings = Sightings(one.plan for one in plans)

    def is_of(self, at: int) -> bool:
        """Whether an object locked at this instant is read for this hour."""
        return self.begins <= at <= self.until

    def see(self, seen: Seen) -> None:
        """Take a counted record."""
        if self.is_of(seen.locked_at):
            self.sightings.add(seen)

    def conclude(self, log: Log, mappers: Sequence[str]) -> Stated:
        """Return the statement as of a state of the log; `mappers` are the accepted releases."""
        weighed = [(one.key, weigh(one.plan, one.at, self.sightings, log.at)) for one in self.plans]
        return statement.state(
            self.platform, self.hour, log, weighed, until=self.until, mappers=mappers
        )


def over(planned: Iterable[Locked]) -> int:
    """Return when the last record of these plans is due to be locked."""
    return max((due(one.plan, probe) for one in planned for probe in one.plan.probes), default=0)


def is_in_time(hour: str, ends: int, at: int) -> bool:
    """Whether a log sealed at `at` can state an hour whose last record is due at `ends`."""
    return ends + SETTLED_MS <= at <= (keys.hour_start(hour) or 0) + HOUR_MS + WINDOW_MS


def account_of(plan: Plan) -> str:
    """Return the AWS account of a plan's canary; empty if the plan names none."""
    parts = plan.principal.split(":")
    return parts[_ACCOUNT] if parts[0] == "arn" and len(parts) > _ACCOUNT else ""


def may_be_of(unit: str, accounts: Collection[str]) -> bool:
    """Whether a delivered file may contain records of these accounts, judging by its name."""
    _, folder, rest = unit.partition(_FOLDER)
    return not folder or any(part in accounts for part in rest.split("/")[:2])


def hours(
    planned: Iterable[Locked], standing: Mapping[tuple[str, str], Standing], at: int
) -> Iterator[Hour]:
    """Yield the hours that lack a statement, or are due to be weighed once more.

    `standing` is by platform and hour; `at` is the sealer's clock at the log being read.
    """
    by_hour: dict[tuple[str, str], list[Locked]] = {}
    for locked in planned:
        by_hour.setdefault((locked.plan.platform, locked.plan.hour), []).append(locked)
    for (platform, hour), plans in sorted(by_hour.items()):
        if platform not in SOURCES:
            continue
        ends = (keys.hour_start(hour) or 0) + HOUR_MS
        until = over(plans)
        before = standing.get((platform, hour))
        if not is_in_time(hour, until, at):
            continue
        if before is None:
            yield Hour(platform, hour, plans, until)
        elif before.broken and before.at < ends + AGAIN_MS <= at:
            yield Hour(platform, hour, plans, at)
