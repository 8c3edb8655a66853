"""Gather the sealed ingredients of a statement from a store, and run the search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.statement import Statements
from nhi_evidence.coverage import changes as changed
from nhi_evidence.coverage import evidence, reading_file, signed
from nhi_evidence.coverage.absence.conclude import HOUR_MS, SOURCES, Ingredients, decided
from nhi_evidence.coverage.absence.document import Question, Range, Search
from nhi_evidence.coverage.answers import Reading, ReadingError
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.nonces import Nonces
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.weigh import Seen, Sightings, Weighed, weigh
from nhi_evidence.coverage.cells import PHASES
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.counted import Reader, Record
from nhi_evidence.coverage.history import APART_MS
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.signed import Placed, SignedLog
from nhi_evidence.evidence import counting, keys
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceVersions

LATE_HOURS = 48
"""How many source hours after an instant its records are searched for; one hour before, too."""


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """Ingredients, and where each was found."""

    log: SignedLog
    readings: tuple[tuple[Placed, Reading], ...]
    changes: tuple[tuple[Record, Change], ...]
    plans: tuple[tuple[Placed, Plan], ...]
    canaries: tuple[tuple[Record, Seen], ...]
    statements: tuple[tuple[Placed, Statements], ...]
    search: Search
    matching: tuple[Record, ...]
    """Records of the step by the identity that are on record after all."""
    problems: dict[str, str]
    """Key of each ingredient that could not be read, to what is wrong with it."""

    def ingredients(self) -> Ingredients:
        """Return what the conclusion is drawn from."""
        return Ingredients(
            readings=tuple(reading for _, reading in self.readings),
            changes=tuple(change for _, change in self.changes),
            canaries=weighed(
                [(at.locked_at, made) for at, made in self.plans],
                [seen for _, seen in self.canaries],
                self.log.at or 0,
            ),
            statements=tuple((at.key, held) for at, held in self.statements),
            search=self.search,
            sealed_until=self.log.at or 0,
        )


def gather(
    store: EvidenceVersions, stored: StoredLog, question: Question, accepted: Sequence[str] = ()
) -> Gathered:
    """Gather everything a statement on `question` rests on. Raises `LogError`."""
    log = signed.read(stored)
    problems: dict[str, str] = {}
    readings = tuple(
        (at, reading)
        for at, reading in reading_file.sealed(store, log.of("op", reading_file.KIND), problems)
        if reading.platform == question.platform
        and question.start - APART_MS <= reading.at <= question.end + APART_MS
    )
    planned = tuple(_plans(store, log, question, problems))
    nonces = Nonces(one.nonce for _, each in planned for one in each.probes)
    source = SOURCES[question.platform]
    reader = Reader(store, accepted)
    changes: list[tuple[Record, Change]] = []
    canaries: list[tuple[Record, Seen]] = []

    def is_marked(line: bytes) -> bool:
        return evidence.is_change(line) or nonces(line)

    for record in reader.records_of(log.of("ev", source), is_marked):
        if record.status is not counting.Status.COUNTED:
            continue
        changes += ((record, change) for change in _changes(record, question))
        if nonces(record.raw):
            seen = Seen(record.head, record.raw, record.at.locked_at, record.at.key)
            canaries.append((record, seen))
    search, matching = _search(store, log, question, accepted)
    return Gathered(
        log=log,
        readings=readings,
        changes=tuple(changes),
        plans=planned,
        canaries=tuple(canaries),
        statements=tuple(_statements(store, log, question, problems)),
        search=search,
        matching=matching,
        problems=problems,
    )


def weighed(
    locked: Iterable[tuple[int, Plan]], seen: Sequence[Seen], sealed_until: int
) -> tuple[Weighed, ...]:
    """Weigh plans, each with the time it was locked, against the records that arrived."""
    planned = list(locked)
    sightings = Sightings(each for _, each in planned)
    for record in seen:
        sightings.add(record)
    return tuple(
        one
        for locked_at, each in planned
        for one in weigh(each, locked_at, sightings, sealed_until)
    )


def changes_of(record: Record, question: Question) -> Iterator[Change]:
    """Yield the changes a record states on the platform in question."""
    yield from _changes(record, question)


def _changes(record: Record, question: Question) -> Iterator[Change]:
    stated = changed.of_record(
        record.pack,
        record.raw,
        at=record.head.time,
        uid=record.head.metadata.uid or "",
        outcome=record.head.nhi_outcome,
    )
    for change in stated:
        if (
            change.platform == question.platform
            and question.start - APART_MS <= change.at < question.end
        ):
            yield change


def _plans(
    store: EvidenceVersions, log: SignedLog, question: Question, problems: dict[str, str]
) -> Iterator[tuple[Placed, Plan]]:
    cells = {cell.id for cell in decided(question)}
    for at, body in _bodies(store, log.of("op", plans.KIND), plans.ENDING, question, problems):
        try:
            plan = plans.read(body, at.key)
        except ReadingError as error:
            problems[at.key] = str(error)
            continue
        if plan.hour == at.hour and any(one.cell in cells for one in plan.probes):
            yield at, plan


def _statements(
    store: EvidenceVersions, log: SignedLog, question: Question, problems: dict[str, str]
) -> Iterator[tuple[Placed, Statements]]:
    placed = log.of("op", "recon")
    for at, body in _bodies(store, placed, statement_file.ENDING, question, problems):
        try:
            statements = statement_file.read(body)
        except ValueError as error:
            problems[at.key] = str(error)
            continue
        if statements.source == SOURCES[question.platform] and statements.hour == at.hour:
            yield at, statements


def _bodies(
    store: EvidenceVersions,
    placed: Iterable[Placed],
    ending: str,
    question: Question,
    problems: dict[str, str],
) -> Iterator[tuple[Placed, bytes]]:
    """Yield the intact objects with this ending in the relevant hours."""
    first, last = question.start - HOUR_MS, question.end + HOUR_MS
    chosen = [
        one
        for one in placed
        if one.key.endswith(ending)
        and (start := keys.hour_start(one.hour)) is not None
        and first < start < last
    ]
    bodies = store.bodies((one.key, one.vid) for one in chosen)
    for at, body in zip(chosen, bodies, strict=True):
        if body is None or sha256(body).hexdigest() != keys.parse_key(at.key).body_sha256:
            problems[at.key] = "gone, or not the bytes that were sealed"
        else:
            yield at, body


def _search(
    store: EvidenceVersions, log: SignedLog, question: Question, accepted: Sequence[str]
) -> tuple[Search, tuple[Record, ...]]:
    source = SOURCES[question.platform]
    first = keys.hour_of(question.start - HOUR_MS)
    last = keys.hour_of(question.end + LATE_HOURS * HOUR_MS)
    chosen = [
        one
        for one in log.of("ev", source)
        if one.hour == keys.UNKNOWN_HOUR or first <= one.hour <= last
    ]
    reader = Reader(store, accepted)
    matching: list[Record] = []
    other_steps = mentions = 0
    for record in reader.records_of(chosen):
        if not question.start <= record.head.time < question.end:
            continue
        if is_by(record, question.identity):
            if record.head.is_of(PHASES[question.step]):
                matching.append(record)
            else:
                other_steps += 1
        elif question.identity.encode() in record.raw:
            mentions += 1
    ranges = tuple(Range(head.shard, 0, head.size, head.root) for head in log.heads)
    search = Search(
        ranges=ranges,
        source=source,
        first_hour=first,
        last_hour=last,
        objects=reader.objects,
        records=reader.records,
        rejected=reader.rejected,
        matching=len(matching),
        other_steps=other_steps,
        mentions=mentions,
        unreadable=tuple(sorted(reader.unreadable)),
    )
    return search, tuple(matching)


def is_by(record: Record, identity: str) -> bool:
    """Whether an identity acted, itself or through others, under any name the record gives it.

    A role is also recognized by the sessions it acts through. The case of a name does not matter:
    no cloud distinguishes identities by it.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
    """
    names = {name.lower() for name in record.head.actors}
    caller = (Subject(identity).caller or identity).lower()
    if identity.lower() in names or caller in names:
        return True
    return caller.endswith("*") and any(name.startswith(caller[:-1]) for name in names)
