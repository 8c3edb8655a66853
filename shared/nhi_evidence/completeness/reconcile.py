"""Making statements on hours from a sealed log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby

import msgspec

from nhi_evidence.completeness import promises, records
from nhi_evidence.completeness.gather import Gatherer
from nhi_evidence.completeness.items import Items
from nhi_evidence.completeness.judge import Known, judge
from nhi_evidence.completeness.listing import is_listing
from nhi_evidence.completeness.promises import Times
from nhi_evidence.completeness.saved import SavedHour, by_subject
from nhi_evidence.completeness.sealed import Placed, Reading, is_evidence
from nhi_evidence.completeness.statement import Log, Scope, Statements
from nhi_evidence.errors import LogError
from nhi_evidence.evidence import keys, log, note
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.entries import Entries
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.ports import EvidenceVersions

Progress = Callable[[str, int], None]


def _silent(_what: str, _done: int) -> None:
    """Report no progress."""


class Read(msgspec.Struct, kw_only=True):
    """What was read from a sealed log."""

    log: Log
    items: Items
    expired: frozenset[tuple[str, str]] = frozenset()
    """Source and hour of everything that has expired."""
    unsound: Mapping[str, str] = {}
    """Objects whose claims are void, so that their units are not counted: key to reason."""
    findings: Sequence[Finding] = ()
    """Findings about the log itself."""
    objects: int = 0


class Sealed(msgspec.Struct, frozen=True):
    """A prefix of a signed log and its entries, ordered by key or by index."""

    log: Log
    entries: Iterable[Placed]
    findings: Sequence[Finding] = ()
    listings: tuple[ObjectLeaf, ...] = ()
    """Objects that hold what an API listed; only for a whole log."""
    promised: Sequence[Placed] = ()
    """Promises of heartbeats."""
    times: Times = Times()
    announced: Sequence[Placed] = ()
    """Everything else under `op/v1/coverage/`; empty for a whole log."""


def full(
    store: EvidenceVersions,
    name: str,
    pinned: Sequence[note.Key],
    sorter: Callable[[], Sorter],
    *,
    now: int,
    progress: Progress = _silent,
) -> Sealed:
    """Walk a whole log, checking every signature.

    Raises `LogError` when no checkpoint verifies.
    """
    chain = Chain(store, name, pinned, now=now, seal_delay_ms=_ANY_DELAY_MS)
    entries = Entries(sorter())
    count = 0
    listings: list[ObjectLeaf] = []
    ends: list[tuple[int, int]] = []
    promised: list[Placed] = []
    for epoch in chain.walk():
        opening = epoch.leaves[0]
        if isinstance(opening, EpochLeaf):
            ends.append((log.order(epoch.shard, epoch.first + len(epoch.leaves)), opening.at))
        for index, entry in enumerate(epoch.leaves, start=epoch.first):
            count += 1
            if isinstance(entry, ObjectLeaf) and promises.is_promise(entry.key):
                promised.append((log.order(epoch.shard, index), entry))
            if isinstance(entry, ObjectLeaf) and entry.key.startswith("ev/"):
                entries.add(log.order(epoch.shard, index), entry)
            elif isinstance(entry, ObjectLeaf) and is_listing(entry.key):
                listings.append(entry)
        progress("log", count)
    head = chain.signed_head
    if head is None or chain.signed_at is None:
        raise LogError(f"{name}: no checkpoint verifies under the given keys")
    stated = Log(head.origin, head.size, head.root.hex(), chain.signed_at)
    return Sealed(
        stated,
        _Objects(entries),
        chain.findings,
        tuple(listings),
        promised,
        promises.times(ends),
    )


class _Objects:
    """The objects among entries; can be iterated repeatedly."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Placed]:
        return ((at, each) for at, each in self._entries if isinstance(each, ObjectLeaf))


_ANY_DELAY_MS = 1 << 60
"""How late an epoch is signed is left for `verify` to judge."""

_SET_BACK_MS = 600_000
"""How far a sealer's clock may go backward from one plan to the next."""


def recent(store: EvidenceVersions, name: str, pinned: Sequence[note.Key], *, since: int) -> Sealed:
    """Read a log backward from its newest checkpoint to the plans made at `since`.

    `since` is milliseconds since the epoch, by the sealer's clock, which may have been set back a
    little. Each plan must be the one that the next names by its hash; the tree of the last one is
    signed. Raises `LogError` when that is not so, or nothing is signed.
    """
    stored = StoredLog(store, name, pinned)
    shards = stored.shards()
    if not shards:
        raise LogError(f"{name}: there is no log")
    shard = shards[-1]
    epoch = stored.newest_signed(shard)
    if not epoch and len(shards) > 1:
        shard = shards[-2]
        epoch = stored.newest_signed(shard)
    if not epoch:
        raise LogError(f"{name}: nothing is signed")
    head = stored.position(stored.genesis(shard), epoch)
    entries, ends = _backward(stored, head, since)
    newest = max(ends, default=(0, 0))[1]
    return Sealed(
        Log(head.origin, head.size, head.root.hex(), newest),
        [each for each in entries if each[1].key.startswith("ev/")],
        promised=promises.chosen(entries),
        announced=promises.others(entries),
        times=promises.times(ends),
    )


def _backward(
    stored: StoredLog, head: log.Position, since: int
) -> tuple[list[Placed], list[tuple[int, int]]]:
    """Return the objects in the plans since an instant, and each plan's end and time."""
    entries: list[Placed] = []
    ends: list[tuple[int, int]] = []
    shard, epoch, expected, size = head.shard, head.epoch, head.plan, head.size
    while epoch:
        first, leaves = _plan(stored, shard, epoch, expected)
        # A void plan adds nothing, whatever it says: the next one begins where it did, and it has
        # no checkpoint. If it has one, it is the plan after it that does not follow.
        if first.size + len(leaves) != size:
            if stored.checkpoint(shard, epoch) is not None:
                key = log.plan_key(shard, epoch)
                raise LogError(f"{key} is signed, but the plan after it does not follow it")
        else:
            ends.append((log.order(shard, size), first.at))
            size = first.size
            entries += [
                (log.order(shard, size + offset), leaf)
                for offset, leaf in enumerate(leaves)
                if isinstance(leaf, ObjectLeaf)
            ]
            if first.at < since - _SET_BACK_MS:
                break
        expected, epoch = first.previous, epoch - 1
        if not epoch and first.opens is not None:
            before = first.opens
            shard, epoch, expected, size = before.shard, before.epoch, before.plan, before.size
    return entries, ends


def _plan(
    stored: StoredLog, shard: str, epoch: int, expected: str | None
) -> tuple[EpochLeaf, Sequence[Leaf]]:
    key = log.plan_key(shard, epoch)
    body = stored.plan(shard, epoch)
    if body is None or sha256(body).hexdigest() != expected:
        raise LogError(f"{key} is not the plan the next one names")
    try:
        leaves = [decode(entry) for entry in log.entries_of(body)]
    except ValueError as error:
        raise LogError(f"{key}: {error}") from error
    if not isinstance(leaves[0], EpochLeaf):
        raise LogError(f"{key} does not open with an epoch")
    return leaves[0], leaves


def gather(
    store: EvidenceVersions,
    sealed: Sealed,
    sorter: Callable[[], Sorter],
    *,
    wanted: Callable[[str, str], bool] = lambda _source, _hour: True,
    now: int,
    grace_ms: int = 0,
    progress: Progress = _silent,
) -> Read:
    """Read the objects of the wanted sources and hours.

    What is gone `grace_ms` after the end of its lock may have expired; without a grace, what is
    gone at all after it.
    """
    gatherer = Gatherer(sorter)
    reading = Reading(store, gatherer, progress, grace_ms=grace_ms)
    reading.read((each for each in sealed.entries if _is_wanted(each[1], wanted)), now=now)
    reading.promises(sealed.promised, sealed.times, wanted)
    return Read(
        log=sealed.log,
        items=gatherer.close(),
        expired=frozenset(reading.expired),
        unsound=reading.unsound,
        findings=sealed.findings,
        objects=reading.objects,
    )


def _is_wanted(entry: ObjectLeaf, wanted: Callable[[str, str], bool]) -> bool:
    stated = keys.parse_key(entry.key)
    return wanted(stated.source, stated.hour or "")


def statements(
    read: Read,
    known: Known,
    *,
    inputs: Sequence[str] = (),
    due: Callable[[str, str], bool] = lambda _source, _hour: True,
) -> Iterator[Statements]:
    """Yield the statements on each source and hour that is due, as of the log that was read."""
    subjects = ((subject, items) for subject, items in read.items if due(*subject[:2]))
    for (source, hour), of_hour in groupby(subjects, key=lambda pair: pair[0][:2]):
        own = msgspec.structs.replace(known, log=read.log, expired=(source, hour) in read.expired)
        yield Statements(
            source=source,
            hour=hour,
            log=read.log,
            inputs=tuple(inputs),
            mappers=known.mappers,
            statements=tuple(judge(subject, items, own) for subject, items in of_hour),
        )


def by_listings(
    store: EvidenceVersions,
    sealed: Sealed,
    hours: Mapping[tuple[str, str, Scope], SavedHour],
    known: Known,
) -> Iterator[Statements]:
    """Yield the statements on the hours of saved listings, by the records that are sealed."""
    wanted = [
        (entry, chosen)
        for _, entry in sealed.entries
        if is_evidence(entry) and (chosen := _hours_of(entry, hours.values()))
    ]
    bodies = store.bodies((entry.key, entry.vid) for entry, _ in wanted)
    for (entry, chosen), body in zip(wanted, bodies, strict=True):
        try:
            units = records.read(entry, body)
        except ValueError:
            continue  # its claims are void; `verify` reports it
        for each in chosen:
            each.see(units)
    for source, hour, own in by_subject(hours):
        yield Statements(
            source=source,
            hour=hour,
            log=sealed.log,
            inputs=tuple(sorted(key for each in own for key in each.saved.keys)),
            mappers=known.mappers,
            statements=tuple(each.state() for each in own),
        )


def _hours_of(entry: ObjectLeaf, hours: Iterable[SavedHour]) -> list[SavedHour]:
    stated = keys.parse_key(entry.key)
    return [each for each in hours if each.may_be_in(stated.source, stated.hour or "")]
