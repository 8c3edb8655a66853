"""Judging one statement: what the items of a source, hour and scope show in a prefix of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from nhi_evidence import sources
from nhi_evidence.completeness import promises, signed_files, streams
from nhi_evidence.completeness.gather import file_name
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.items import ClaimItem, Item, ListItem, PromiseItem
from nhi_evidence.completeness.reasons import REASONS, Verdict
from nhi_evidence.completeness.statement import (
    Announced,
    Counts,
    Log,
    Named,
    Statement,
    Subject,
)
from nhi_evidence.evidence import counting, keys, log
from nhi_evidence.evidence.counting import Status
from nhi_evidence.evidence.lines import unit_id


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known besides the sealed objects of an hour."""

    log: Log
    """The prefix of the log as of which to judge."""
    keys: Mapping[str, bytes] = {}
    """The provider's public keys: DER by fingerprint."""
    mappers: tuple[str, ...] = ()
    expired: bool = False
    """Whether part of the hour has expired."""


def limit(of: Log) -> int:
    """Return the index in the whole log just after a prefix of it."""
    return log.order(of.origin.rpartition("/")[2], of.size)


def judge(subject: Subject, items: Sequence[Item], known: Known) -> Statement:
    """Judge one hour of one scope."""
    source, hour, scope = subject
    end = limit(known.log)
    sealed = [item for item in items if item.order < end]
    claims = [item.claim for item in sealed if isinstance(item, ClaimItem)]
    units = sorted(counting.count(claims, known.mappers).values(), key=lambda unit: unit.unit)
    started = keys.hour_start(hour)
    expected: int | None = None
    open_until: int | None = None
    best = Verdict.UNPROVABLE
    if sources.signing_source(source) is not None:
        best = Verdict.PROVEN
        files = signed_files.judge(sealed, units, known.keys, hour_start=started, now=known.log.at)
        named, expected, counted_files = files.named, files.expected, files.found
        if started is not None:
            open_until = started + HOUR_MS + signed_files.NAMED_WITHIN_MS
    elif scope.stream:
        best = Verdict.CONTIGUOUS
        counted = frozenset(unit.unit for unit in units if unit.status is Status.COUNTED)
        named, counted_files = streams.judge(sealed, counted)
        named += _uncounted(units)
        if not sealed:
            # An hour between runs far apart: nothing is filed there, which shows nothing.
            named.append(Named("uncovered", "", "no run of the stream is of this hour"))
    else:
        named = [Named("no_list", ""), *_uncounted(units)]
        counted_files = sum(unit.status is Status.COUNTED for unit in units)
    heartbeats = _heartbeats(sealed, units, hour)
    named += _announced(heartbeats)
    return conclude(
        Statement(
            scope=scope,
            verdict=best,
            expected=expected,
            found=counted_files,
            open_until=open_until,
            heartbeats=heartbeats,
            counts=tuple(_counts(units, sealed)),
        ),
        named,
        expired=known.expired,
    )


def conclude(best: Statement, named: Sequence[Named], *, expired: bool = False) -> Statement:
    """Return a statement with everything that keeps it from its best verdict.

    If part of the hour may have expired, what is gone is not missing. An item of `named` with an
    empty name gives a reason but names nothing.
    """
    if expired:
        named = [each for each in named if not REASONS[each.reason].is_incomplete]
        named = [*named, Named("expired", "")]
    unique = list(dict.fromkeys(named))
    reasons = tuple(sorted({each.reason for each in unique}))
    return msgspec.structs.replace(
        best,
        verdict=Verdict.UNPROVABLE if reasons else best.verdict,
        reasons=reasons,
        totals=dict(Counter(each.reason for each in unique if each.name)),
        named=tuple(each for each in unique if each.name),
    )


def _uncounted(units: Sequence[counting.Unit]) -> Iterator[Named]:
    for unit in units:
        if unit.status is not Status.COUNTED:
            yield Named(str(unit.status), unit.unit)


def _heartbeats(
    sealed: Sequence[Item], units: Sequence[counting.Unit], hour: str
) -> Announced | None:
    """Return whether a promised heartbeat arrived: a counted list for that very hour.

    A list that merely touches the hour is another hour's heartbeat.
    """
    promised = (item for item in sealed if isinstance(item, PromiseItem))
    if not any(promises.is_early(item.at, item.sealed, hour) for item in promised):
        return None
    counted = {file_name(unit.unit) for unit in units if unit.status is Status.COUNTED}
    lists = (item for item in sealed if isinstance(item, ListItem))
    return Announced(1, int(any(item.unit_place in counted for item in lists)))


def _announced(heartbeats: Announced | None) -> Iterator[Named]:
    if heartbeats is not None and heartbeats.found < heartbeats.expected:
        yield Named("heartbeat_missing", f"{heartbeats.found} of {heartbeats.expected}")


def _counts(units: Sequence[counting.Unit], items: Sequence[Item]) -> Iterator[Counts]:
    """Yield the parts of every counted unit, with the version they are in."""
    versions = {item.order: item.vid for item in items if isinstance(item, ClaimItem)}
    for unit in units:
        for claim in unit.counted:
            yield Counts(
                u=unit_id(claim.unit),
                key=claim.key,
                vid=versions[claim.index],
                part=claim.part,
            )
