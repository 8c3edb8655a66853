"""The seven verdicts on a cell, and how the verdicts on its parts combine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What is known about a cell at a time."""

    PROVEN = "PROVEN"
    """A canary's record was seen in the evidence."""
    CONFIGURED = "CONFIGURED"
    """The settings that were read record it and deliver it here; nothing proves it."""
    BROKEN = "BROKEN"
    """Configured, but a canary's record did not arrive, or not as it should."""
    GAP = "GAP"
    """It could be recorded, but is not, or not all of it."""
    IMPOSSIBLE = "IMPOSSIBLE"
    """No setting of the provider records it."""
    ELSEWHERE = "ELSEWHERE"
    """It is recorded, but not in this evidence."""
    UNKNOWN = "UNKNOWN"
    """A setting or a license could not be read, or nothing was collected."""

    @property
    def is_recorded_here(self) -> bool:
        """Whether such an event would be in this evidence, as far as is known."""
        return self in {Verdict.PROVEN, Verdict.CONFIGURED}


_WORST_FIRST = (
    Verdict.GAP,
    Verdict.BROKEN,
    Verdict.ELSEWHERE,
    Verdict.UNKNOWN,
    Verdict.IMPOSSIBLE,
    Verdict.CONFIGURED,
    Verdict.PROVEN,
)


class Share(msgspec.Struct, frozen=True):
    """A verdict of some of the accounts."""

    verdict: Verdict
    reason: str
    accounts: tuple[str, ...]


class Extent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of which accounts a verdict is, where it is not of all that a platform's readings name.

    An account is an AWS account, a project, a subscription or a tenant, as records name it.
    """

    judged: tuple[str, ...] = ()
    """Accounts that were looked at; of another nothing is known. Empty: all that are named."""
    own: tuple[Share, ...] = ()
    """Accounts with a verdict or a reason that is not the others', the worst first; empty: all
    have the same."""
    rest: Verdict | None = None
    """The verdict of the others, where it is not the worst of all."""
    rest_reason: str = ""

    def joined(self, then: Extent, first: WithReason, second: WithReason) -> Extent | None:
        """Return what holds between two instants with these extents: where both state the same.

        `first` and `second` are the verdicts themselves, with their reasons. None where no account
        was looked at both times.
        """
        judged = self.judged or then.judged
        if self.judged and then.judged:
            judged = tuple(name for name in self.judged if name in then.judged)
            if not judged:
                return None
        names = _once(name for share in (*self.own, *then.own) for name in share.accounts)
        of_names = {name: _same(self.of(name, first), then.of(name, second)) for name in names}
        rest = _same(self.of(None, first), then.of(None, second))
        extent = _grouped(judged, of_names, rest, most=len(of_names))
        if not extent.own and rest[0] is not first[0]:
            return Extent(judged, (), *rest)
        return extent

    @property
    def is_of_all(self) -> bool:
        """Whether every account has the same verdict."""
        return all(share.verdict is self.rest for share in self.own)

    def of(self, account: str | None, overall: WithReason) -> WithReason:
        """Return the verdict of an account, None being any without its own, and its reason.

        `overall` is the verdict itself.
        """
        for share in self.own:
            if account is not None and account in share.accounts:
                return share.verdict, share.reason
        return overall if self.rest is None else (self.rest, self.rest_reason)


WithReason = tuple[Verdict, str]
"""A verdict and its reason."""
EVERY = Extent()
"""All accounts that are named."""
_MOST_NAMED = 100
"""Accounts that are named with a verdict of their own; of more the worst is taken of every one."""


def _same(first: WithReason, second: WithReason) -> WithReason:
    if first[0] is second[0]:
        return first
    return Verdict.UNKNOWN, f"{first[0]} before and {second[0]} when read next"


def _grouped(
    judged: tuple[str, ...],
    of_names: Mapping[str, WithReason],
    rest: WithReason,
    *,
    most: int = _MOST_NAMED,
) -> Extent:
    """Return an extent by the verdicts of single accounts and that of the others.

    Where more than `most` have one that is not the others', it leaves all to the verdict itself.
    """
    # Reasons of the same verdict give way first: they are for readers, verdicts decide.
    for alike in (rest, rest[:1]):
        own = {name: stated for name, stated in of_names.items() if stated[: len(alike)] != alike}
        if len(own) <= most:
            break
    else:
        return Extent(judged)
    groups: dict[WithReason, list[str]] = {}
    for name, stated in own.items():
        groups.setdefault(stated, []).append(name)
    if not groups:
        return Extent(judged)
    shares = [Share(verdict, reason, tuple(names)) for (verdict, reason), names in groups.items()]
    shares.sort(key=lambda share: _WORST_FIRST.index(share.verdict))
    return Extent(judged, tuple(shares), *rest)


class Judgment(msgspec.Struct, frozen=True, omit_defaults=True):
    """An evaluator's conclusion: a verdict and what it rests on."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Sentences without a full stop, the most important first; never empty."""
    missing: tuple[str, ...] = ()
    """What is not recorded, each as one phrase: an account, a resource, a kind of event."""
    answers: tuple[str, ...] = ()
    """Names of the answers it rests on (`answers.Answer.name`)."""
    extent: Extent = EVERY

    @property
    def reason(self) -> str:
        """The first reason."""
        return self.reasons[0]


def impossible(reason: str) -> Judgment:
    """Return the judgment that no setting records it."""
    return Judgment(Verdict.IMPOSSIBLE, (reason,))


def unknown(*reasons: str, answers: tuple[str, ...] = ()) -> Judgment:
    """Return the judgment that it could not be read."""
    return Judgment(Verdict.UNKNOWN, reasons, answers=answers)


def all_of(judgments: Iterable[Judgment]) -> Judgment:
    """Return the judgment of a whole whose parts must all be recorded: the worst decides.

    Raises `ValueError` without any part: the caller must say what it means that there is none.
    """
    parts = list(judgments)
    if not parts:
        raise ValueError("no parts to judge")
    if _is_apart(parts):
        parts.append(unknown("no account was looked at for all of it"))
    worst = min((part.verdict for part in parts), key=_WORST_FIRST.index)
    deciding = [part for part in parts if part.verdict is worst]
    return Judgment(
        worst,
        _once(reason for part in deciding for reason in part.reasons),
        _once(name for part in parts for name in part.missing),
        _once(name for part in parts for name in part.answers),
        _extent(parts),
    )


def all_accounts(judged: Mapping[str, Judgment]) -> Judgment:
    """Return the judgment of all accounts: the worst decides, and each keeps its own.

    Raises `ValueError` without any account.
    """
    overall = all_of(judged.values())
    of_names = {name: (one.verdict, one.reason) for name, one in judged.items()}
    counted = Counter(of_names.values())
    best = max(counted, key=lambda stated: (_WORST_FIRST.index(stated[0]), counted[stated]))
    return msgspec.structs.replace(overall, extent=_grouped((), of_names, best))


def of_accounts(judged: Judgment, accounts: Iterable[str]) -> Judgment:
    """Return a judgment that covers only these accounts: nothing is known about others.

    For what lies in some accounts only: clusters, key vaults, rules. Raises `ValueError` without
    any account: to cover none would be written as covering every one.
    """
    names = _once(accounts)
    if not names:
        raise ValueError("no account to judge")
    extent = msgspec.structs.replace(judged.extent, judged=names)
    return msgspec.structs.replace(judged, extent=extent)


def weakened(judged: Judgment, verdict: Verdict, reason: str) -> Judgment:
    """Return a judgment that says this of every account that it said was CONFIGURED."""
    if judged.verdict is Verdict.CONFIGURED:
        extent = Extent(judged.extent.judged)
        reasons = (reason, *judged.reasons)
        return msgspec.structs.replace(judged, verdict=verdict, reasons=reasons, extent=extent)
    extent = judged.extent
    own = tuple(
        msgspec.structs.replace(share, verdict=verdict, reason=reason)
        if share.verdict is Verdict.CONFIGURED
        else share
        for share in extent.own
    )
    if extent.rest is Verdict.CONFIGURED:
        extent = msgspec.structs.replace(extent, rest=verdict, rest_reason=reason)
    return msgspec.structs.replace(judged, extent=msgspec.structs.replace(extent, own=own))


def _in_common(parts: Iterable[Judgment]) -> tuple[str, ...] | None:
    """Return the accounts that every part was judged in; None where each is of all accounts."""
    named = [part.extent.judged for part in parts if part.extent.judged]
    if not named:
        return None
    return tuple(name for name in named[0] if all(name in one for one in named))


def _is_apart(parts: Iterable[Judgment]) -> bool:
    """Whether parts were judged in different accounts: of each account something is not known."""
    return _in_common(parts) == ()


def _extent(parts: Sequence[Judgment]) -> Extent:
    """Return of which accounts the verdicts of several parts are: of each the worst.

    Where no account has all parts, it is of every account that has one.
    """
    common = _in_common(parts)
    names = _once(n for part in parts for share in part.extent.own for n in share.accounts)
    judged = common or ()
    if _is_apart(parts):
        judged = _once(name for part in parts for name in part.extent.judged)
        names = _once((*judged, *names))

    def is_of(part: Judgment, account: str | None) -> bool:
        return bool(common) or account is None or account in (part.extent.judged or (account,))

    def worst(account: str | None) -> WithReason:
        stated = [
            part.extent.of(account, (part.verdict, part.reason))
            for part in parts
            if is_of(part, account)
        ]
        return min(stated, key=lambda each: _WORST_FIRST.index(each[0]))

    return _grouped(judged, {name: worst(name) for name in names}, worst(None))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
