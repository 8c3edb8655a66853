"""Weighing the canaries of past hours by the sealed records of a bucket.

Memory is bounded by one object and the plans, however many records there are: only the result is
kept of records that contain a nonce.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from nhi_evidence.completeness.reconcile import Sealed
from nhi_evidence.completeness.sealed import AT_ONCE, Placed, is_evidence, unit_names
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage import signed
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import hourly, statement
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.hourly import Hour, Locked, Standing
from nhi_evidence.coverage.canary.weigh import BROKEN, HOUR_MS, Seen
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.evidence import counting, flags, keys
from nhi_evidence.evidence.verify import sound
from nhi_evidence.ports import EvidenceVersions

_MOST_NAMED = 50


class Probed(msgspec.Struct, kw_only=True):
    """The result of weighing the canaries that were due."""

    statements: list[str] = []
    """Keys of the statements that were put."""
    results: dict[str, int] = {}
    """Number of probes by result."""
    broken: int = 0
    """How many of these did not arrive, or not as they should."""
    named: list[str] = []
    """The first of them."""
    problems: list[str] = []
    """What could not be read, and why."""


def weigh_due(
    store: EvidenceVersions,
    sealed: Sealed,
    put: Callable[[Operation], str],
    accepted: Sequence[str] = (),
    is_late: Callable[[], bool] = lambda: False,
) -> Probed:
    """Weigh every hour that is due, and put a statement on each.

    `accepted` are digests of releases that count, the latest last. Once `is_late` returns true, no
    further hour of evidence is read. Hours that were not read in full, for this reason or because
    an object is unreadable, are named in `problems` and left to the next run. Raises
    `StoreUnavailableError`.
    """
    done = Probed()
    planned = list(_plans(store, sealed, done))
    standing = _standing(store, {one.plan.hour for one in planned})
    due = list(hourly.hours(planned, standing, sealed.log.at))
    for platform in dict.fromkeys(one.platform for one in due):
        own = [one for one in due if one.platform == platform]
        lacks = _see(store, sealed, own, accepted, done=done, is_late=is_late)
        if lacks:
            # Nothing is claimed about what was not read: neither that records exist nor that not.
            due = [one for one in due if one.platform != platform]
            done.problems.append(f"{platform}: {lacks} the records of {len(own)} hours")
    results: Counter[str] = Counter()
    for hour in due:
        stated = hour.conclude(sealed.log, accepted)
        done.statements.append(put(statement.write(stated)))
        results.update({str(one): count for one, count in stated.header.results.items()})
        done.broken += stated.broken
        done.named += [
            f"{hour.platform} {hour.hour} {one.result} {one.cell}: {one.reason}"
            for one in stated.lines
            if one.result in BROKEN
        ][: _MOST_NAMED - len(done.named)]
    done.results = dict(sorted(results.items()))
    return done


def _plans(store: EvidenceVersions, sealed: Sealed, done: Probed) -> Iterator[Locked]:
    """Yield the plans whose hours may be due."""
    first = sealed.log.at - hourly.WINDOW_MS - 2 * HOUR_MS
    chosen = [
        entry
        for _, entry in sealed.announced
        if entry.key.endswith(plans.ENDING)
        and flags.SHADOW not in entry.flags
        and first <= (keys.hour_start(keys.parse_key(entry.key).hour or "") or 0) <= sealed.log.at
    ]
    bodies = store.bodies((entry.key, entry.vid) for entry in chosen)
    for entry, body in zip(chosen, bodies, strict=True):
        try:
            plan = plans.read(body or b"", entry.key)
        except ReadingError as error:
            done.problems.append(str(error))
            continue
        if plans.write(plan).key == entry.key:
            yield Locked(entry.key, entry.at, plan)
        else:
            done.problems.append(f"{entry.key}: a plan under another key than its own")


def _standing(store: EvidenceVersions, hours: set[str]) -> dict[tuple[str, str], Standing]:
    """Return, by platform and hour, what the newest statement's metadata says."""
    newest: dict[tuple[str, str], Standing] = {}
    for hour in sorted(hours):
        versions = [
            one
            for one in store.versions(f"{statement.PREFIX}h={hour}/")
            if not one.marker and one.key.endswith(statement.ENDING)
        ]
        for description in store.describe(versions):
            metadata = {} if description is None else description.metadata
            at, broken = metadata.get("at", ""), metadata.get("broken", "")
            if not (at.isdecimal() and at.isascii() and broken.isdecimal() and broken.isascii()):
                continue
            place = (metadata.get("platform", ""), hour)
            new = Standing(int(at), int(broken))
            newest[place] = max(newest.get(place, new), new)
    return newest


def _see(
    store: EvidenceVersions,
    sealed: Sealed,
    due: Sequence[Hour],
    accepted: Sequence[str],
    *,
    done: Probed,
    is_late: Callable[[], bool],
) -> str:
    """Show the hours of one platform the records that were locked in time.

    Return why not all records were read; an empty text if all were.
    """
    source = hourly.SOURCES[due[0].platform]
    chosen = [
        each
        for each in sealed.entries
        if is_evidence(each[1])
        and keys.parse_key(each[1].key).source == source
        and any(hour.is_of(each[1].at) for hour in due)
    ]
    accounts = {hourly.account_of(one.plan) for hour in due for one in hour.plans}
    if "" not in accounts:
        chosen = list(_of_accounts(store, chosen, accounts))
    reader = Reader(store, accepted)
    nonces = [hour.sightings.nonces for hour in due]
    by_hour: dict[str, list[signed.Placed]] = {}
    for placed in map(_placed, chosen):
        by_hour.setdefault(placed.hour, []).append(placed)
    for group in by_hour.values():
        if is_late():
            return "no time to read"
        group.sort(key=lambda at: at.order)
        of_hour = reader.opened(group, lambda line: any(each(line) for each in nonces))
        for hour in due:
            # Each hour by what was locked in its own time, so its statement depends only on that.
            for record in reader.counted(of_hour, lambda at, hour=hour: hour.is_of(at.locked_at)):  # type: ignore[misc]
                if record.status is counting.Status.COUNTED:
                    hour.see(Seen(record.head, record.raw, record.at.locked_at, record.at.key))
    done.problems += [
        f"{name}: {why}" for name, why in sorted(reader.unreadable.items())[:_MOST_NAMED]
    ]
    return "not all can be read of" if reader.unreadable else ""


def _of_accounts(
    store: EvidenceVersions, entries: Sequence[Placed], accounts: set[str]
) -> Iterator[Placed]:
    """Yield the objects that may hold a record of one of these accounts, by their tables."""
    for begin in range(0, len(entries), AT_ONCE):
        for placed, names in unit_names(store, entries[begin : begin + AT_ONCE]):
            if names is None or any(hourly.may_be_of(name, accounts) for name in names):
                yield placed


def _placed(placed: Placed) -> signed.Placed:
    order, entry = placed
    named = keys.parse_key(entry.key)
    return signed.Placed(
        shard="",
        index=0,
        order=order,
        key=entry.key,
        vid=entry.vid,
        locked_at=entry.at,
        kind=named.kind,
        source=named.source,
        hour=named.hour or "",
        brief=sound.brief(entry),
    )
