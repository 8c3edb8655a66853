"""Whether trails record every event of a kind, in all the accounts and regions in question."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

import msgspec

from nhi_evidence.coverage.answers import COLLECTOR, Reading
from nhi_evidence.coverage.aws import selectors, trails
from nhi_evidence.coverage.aws.event_kind import (
    Event,
    EventKind,
    TooManyClassesError,
    phrases,
    representatives,
)
from nhi_evidence.coverage.aws.trails import Trail
from nhi_evidence.coverage.verdict import Judgment, Verdict, all_accounts, all_of, unknown

GLOBAL_SOURCES = frozenset(
    {"iam.amazonaws.com", "cloudfront.amazonaws.com", "route53.amazonaws.com"}
)
"""Services that record in us-east-1, wherever they are called from (CloudTrail user guide).

In a partition other than `aws`, in the region of `trails.GLOBAL_REGIONS`.
"""
_ANY_REGION = "another region"


def by_trails(
    reading: Reading, kind: EventKind, accounts: Sequence[str] = (), *, without_bucket: str = ""
) -> Judgment:
    """Judge a kind of events in these accounts, or in the whole estate.

    For each account, region and class of events the union of all trails decides: being recorded
    in one says nothing about another. Trails that deliver to `without_bucket` are ignored.
    """
    try:
        known = [trail for trail in trails.of(reading) if trail.bucket != (without_bucket or None)]
    except (msgspec.ValidationError, KeyError, TypeError, IndexError) as error:
        return unknown(f"an answer about trails is not shaped as documented: {error}")
    refused = reading.unread(trails.DESCRIBE)
    all_accounts, regions = trails.estate(reading)
    wanted = tuple(accounts) or all_accounts
    if not known and (refused or not wanted):
        code = refused[0].error if refused else "nobody asked"
        return unknown(f"the trails could not be read ({code})")
    recorded_regions = _global_region(known) if kind.source in GLOBAL_SOURCES else regions
    if recorded_regions is None:
        listed = {answer.scope.partition("/")[2] for answer in reading.ok(trails.DESCRIBE)} - {""}
        homes = {trail.home_region for trail in known}
        recorded_regions = (*sorted(listed | homes), _ANY_REGION)
    judge = _Once(known, kind, _unlisted(reading, recorded_regions)).in_region
    read = {answer.account for answer in reading.ok(trails.DESCRIBE)}
    judged = {
        account: _in_account(judge, account, recorded_regions, regions_known=regions is not None)
        for account in wanted
    }
    return _of_accounts(
        {name: own if name in read else _unread(own) for name, own in judged.items()}
    )


def _unlisted(reading: Reading, regions: Sequence[str]) -> frozenset[str]:
    """Return each account and region of which the call that lists trails said nothing.

    A refusal of the regions leaves an account asked in one of them, and a collector that ended
    early leaves any of them out.
    """
    listed = {answer.scope for answer in reading.ok(trails.DESCRIBE)}
    refused = {answer.scope for answer in reading.unread(trails.DESCRIBE)}
    in_part = {answer.account for answer in reading.unread(trails.REGIONS)}
    accounts, known = trails.estate(reading)
    if reading.unread(COLLECTOR) or known is None:
        in_part |= {*accounts, *(scope.partition("/")[0] for scope in listed)}
    places = {f"{account}/{region}" for account in in_part for region in regions}
    return frozenset((refused | places) - listed)


def _unread(judged: Judgment) -> Judgment:
    """Say of a place whose trails were not listed only what those of other places record of it."""
    if judged.verdict not in {Verdict.GAP, Verdict.ELSEWHERE}:
        return judged
    reason = "its own trails were not read, and no trail that was read records it here"
    return unknown(reason, answers=judged.answers)


def _of_accounts(judged: dict[str, Judgment]) -> Judgment:
    """Judge all accounts, naming those with the same judgment together."""
    together: dict[Judgment, list[str]] = {}
    for account, judgment in judged.items():
        together.setdefault(msgspec.structs.replace(judgment, answers=()), []).append(account)
    parts = []
    for judgment, accounts in together.items():
        reasons = judgment.reasons
        if len(together) > 1 or judgment.verdict is not Verdict.CONFIGURED:
            whose = f"account {', '.join(accounts)}"
            if len(together) == 1 and len(accounts) > 1:
                whose = "every account"
            reasons = tuple(f"{whose}: {reason}" for reason in reasons)
        answers = tuple(
            dict.fromkeys(name for account in accounts for name in judged[account].answers)
        )
        parts.append(msgspec.structs.replace(judgment, reasons=reasons, answers=answers))
    return msgspec.structs.replace(all_of(parts), extent=all_accounts(judged).extent)


def account_of_bucket(reading: Reading, bucket: str) -> tuple[str, ...]:
    """Return the account a bucket's lock was read in, which owns it; none if it was not read."""
    answer = reading.single("s3:GetObjectLockConfiguration", Bucket=bucket)
    return () if answer is None else (answer.scope.partition("/")[0],)


class _Once:
    """Judges a kind of events by the trails of an account and region, the same trails once.

    `unread` are the accounts and regions whose trails could not be listed.
    """

    def __init__(self, known: Sequence[Trail], kind: EventKind, unread: Container[str]) -> None:
        self._known = known
        self._kind = kind
        self._unread = unread
        self._judged: dict[tuple[int, ...], Judgment] = {}

    def in_region(self, account: str, region: str) -> Judgment:
        """Judge what the trails that reach a region of an account record together."""
        is_global = self._kind.source in GLOBAL_SOURCES
        places = tuple(
            place
            for place, trail in enumerate(self._known)
            if trail.reaches(account, region) and (trail.has_global_events or not is_global)
        )
        if places not in self._judged:
            self._judged[places] = _by(self._kind, [self._known[place] for place in places])
        judged = self._judged[places]
        return _unread(judged) if f"{account}/{region}" in self._unread else judged


def _in_account(
    judge: Callable[[str, str], Judgment],
    account: str,
    regions: Sequence[str],
    *,
    regions_known: bool,
) -> Judgment:
    judged = [(region, judge(account, region)) for region in regions]
    bad = [(region, one) for region, one in judged if one.verdict is not Verdict.CONFIGURED]
    if not bad:
        return all_of(one for _, one in judged)
    worst = all_of(one for _, one in bad)
    if (
        worst.verdict is Verdict.GAP
        and not regions_known
        and all(region == _ANY_REGION for region, _ in bad)
    ):
        return unknown(
            "no trail covers every region, and the enabled ones could not be read",
            answers=worst.answers,
        )
    there = [region for region, one in bad if one.verdict is worst.verdict]
    where = "" if len(there) == len(judged) else f" in {', '.join(there)}"
    return msgspec.structs.replace(
        worst, reasons=tuple(f"{reason}{where}" for reason in worst.reasons)
    )


def _by(kind: EventKind, own: Sequence[Trail]) -> Judgment:
    """Judge a kind of events by all the trails that could record it."""
    names = tuple(dict.fromkeys(name for trail in own for name in trail.names))
    ready = [trail for trail in own if trail.is_logging and not trail.delivery_error]
    ours = [trail for trail in own if trail.is_ours]
    try:
        here = _missed(kind, ours)
        if not here:
            by = _named(trail for trail in ours if trail.is_logging)
            return Judgment(Verdict.CONFIGURED, (f"recorded by {by}",), answers=names)
        if not _missed(kind, ours, doubtful=True):
            return _doubtful(own, names)
        anywhere = _missed(kind, ready)
        possibly = _missed(kind, own, doubtful=True)
        lost = _missed(kind, [trail for trail in ready if trail.is_ours is not False])
    except TooManyClassesError as error:
        return unknown(f"the selectors cannot be compared: {error}", answers=names)
    if not own:
        return Judgment(Verdict.GAP, ("no trail",), phrases(here), names)
    if not anywhere:
        if any(trail.is_ours is None for trail in ready):
            reason = "recorded, and what this deployment ingests is not known"
            return unknown(reason, answers=names)
        by = _named(trail for trail in ready if not trail.is_ours)
        reason = f"recorded by {by}, which does not come into this evidence"
        return Judgment(Verdict.ELSEWHERE, (reason,), phrases(here), names)
    if not possibly:
        return _doubtful(own, names)
    missing = phrases(lost or here)
    return Judgment(Verdict.GAP, (_why(own, ready, missing),), missing, names)


def _missed(kind: EventKind, of: Sequence[Trail], *, doubtful: bool = False) -> list[Event]:
    """Return a representative of each class that none of these trails records.

    With `doubtful`, a trail whose state could not be read is assumed to record all it might.
    """
    able = [trail for trail in of if trail.is_logging is not False and not trail.delivery_error]
    if doubtful and any(trail.selectors is None for trail in able):
        return []
    if not doubtful:
        able = [trail for trail in able if trail.is_logging]
    chosen = [
        selector
        for trail in able
        for selector in trail.selectors or ()
        if selector.may_record(kind.category)
    ]
    events = representatives(kind, selectors.listed(chosen))
    return [event for event in events if not any(one.records(event) for one in chosen)]


def _doubtful(own: Sequence[Trail], names: tuple[str, ...]) -> Judgment:
    unread = [trail for trail in own if trail.is_logging is None or trail.selectors is None]
    return unknown(f"status or selectors of {_named(unread)} could not be read", answers=names)


def _why(own: Sequence[Trail], ready: Sequence[Trail], missing: Sequence[str]) -> str:
    stopped = [trail for trail in own if trail.is_logging is False]
    failing = [trail for trail in own if trail.delivery_error]
    if ready:
        return f"the selectors of {_named(ready)} leave out {missing[0]}"
    if stopped:
        return f"{_named(stopped)} is stopped"
    if failing:
        return f"{_named(failing)} cannot deliver ({failing[0].delivery_error})"
    return "no trail that is known to log"


def _named(some: Iterable[Trail]) -> str:
    return ", ".join(dict.fromkeys(trail.label for trail in some)) or "no trail"


def partition_of(known: Sequence[Trail]) -> str:
    """Return the partition that the ARNs of an estate's trails name; `aws` if they name none."""
    partitions = {trail.arn.split(":")[1] for trail in known}
    return partitions.pop() if len(partitions) == 1 else "aws"


def _global_region(known: Sequence[Trail]) -> tuple[str, ...]:
    return (trails.GLOBAL_REGIONS.get(partition_of(known), "us-east-1"),)
