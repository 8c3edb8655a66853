"""Who acted, as what, in which phases, and when: counted, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from nhi_evidence import plural
from nhi_evidence.event import Result
from nhi_evidence.identity import CAPTIONS, IdentityKind
from nhi_evidence.terminal.safe_text import instant, neutralize, neutralize_json

SCHEMA = "nhi-evidence/summary/1"
"""Names the document's schema; a change of meaning changes the number."""

_REFUSED = frozenset({Result.DENIED, Result.UNAUTHENTICATED})
_PEOPLE = frozenset({CAPTIONS[IdentityKind.HUMAN], CAPTIONS[IdentityKind.HUMAN_PROGRAMMATIC]})


class Actor(Protocol):
    """The parts of a record's `nhi` that are read."""

    @property
    def uid(self) -> str | None:
        """Its ID, as in the record."""

    @property
    def name(self) -> str | None:
        """Its name, as in the record."""

    @property
    def type(self) -> str:
        """The caption of its kind."""


class Metadata(Protocol):
    """The parts of a record's `metadata` that are read."""

    @property
    def uid(self) -> str | None:
        """The source's ID for the record."""


class Record(Protocol):
    """The parts of an OCSF record that are read, normalized now or when it was sealed."""

    @property
    def time(self) -> int:
        """Milliseconds since the epoch, UTC."""

    @property
    def metadata(self) -> Metadata:
        """Holds its ID."""

    @property
    def nhi(self) -> Actor:
        """Who acted."""

    @property
    def nhi_phase(self) -> str:
        """Its effective phase."""

    @property
    def nhi_outcome(self) -> str:
        """Its outcome."""


class Identity(msgspec.Struct):
    """What an identity did, by its records. Times are milliseconds since the epoch, UTC."""

    uid: str
    type: str
    """The kind of most of its records."""
    first: int
    last: int
    first_uid: str | None = None
    """ID of its first record, for `prove`; None where the source gives none."""
    records: int = 0
    refused: int = 0
    """Records whose outcome is denied or unauthenticated."""
    phases: Counter[str] = msgspec.field(default_factory=Counter)
    """Effective phase to number of records."""
    types: Counter[str] = msgspec.field(default_factory=Counter)
    """Kind to number of records: an identity may appear as several, e.g. as a key's owner with and
    without a second factor."""
    is_named: bool = True
    """False for records that name nobody."""


class Report(msgspec.Struct):
    """The identities, those in most phases first, and what became of the input."""

    schema: str = SCHEMA
    input: int = 0
    """Records read, and files or lines that are not records."""
    rejected: int = 0
    """Records that could not be mapped, and files or lines that are not records; not counted."""
    out_of_scope: int = 0
    """Records the evidence counts but leaves out by its scope; not counted below."""
    unread: int = 0
    """Inputs, or objects of the evidence, that could not be read."""
    repeated: int = 0
    """Records already read, from the same or another input; not counted below."""
    is_incomplete: bool = False
    """Whether part of the input is not counted here although it may belong here."""
    identities: list[Identity] = []
    """Those in most phases first, then those with most records."""
    detected: dict[str, int] = {}
    """Documents by detected source, where `--source` was not given; for logs only."""
    notes: list[str] = []
    """What was not read, not mapped or left out, as standard error has it."""

    @property
    def verdict(self) -> str:
        """Whether all of the input is counted: of evidence that it was read, not that it holds."""
        if self.is_incomplete:
            return "INCOMPLETE" if self.input > self.rejected else "NOTHING ACCEPTED"
        return "SUMMARIZED" if self.input else "NO RECORDS"


class Activity:
    """Counts records by who acted."""

    def __init__(self) -> None:
        """Start empty."""
        self._identities: dict[str | None, Identity] = {}

    def add(self, record: Record) -> None:
        """Count a record."""
        who = record.nhi
        uid = who.uid or who.name
        identity = self._identities.get(uid)
        if identity is None:
            identity = Identity(
                uid or "(not named)", who.type, record.time, record.time, record.metadata.uid,
                is_named=uid is not None,
            )  # fmt: skip
            self._identities[uid] = identity
        identity.records += 1
        identity.types[who.type] += 1
        identity.type = identity.types.most_common(1)[0][0]
        identity.refused += record.nhi_outcome in _REFUSED
        if record.time < identity.first:
            identity.first, identity.first_uid = record.time, record.metadata.uid
        identity.last = max(identity.last, record.time)
        identity.phases[record.nhi_phase] += 1

    def identities(self) -> list[Identity]:
        """Return all identities, those in most phases first, then those with most records."""
        return sorted(
            self._identities.values(),
            key=lambda each: (-len(each.phases), -each.records, each.uid),
        )


def as_document(report: Report) -> str:
    """Return the report as one JSON object, inert in a terminal."""
    document = {**msgspec.to_builtins(report), "verdict": report.verdict}
    return neutralize_json(msgspec.json.encode(document)).decode()


def text(report: Report) -> str:
    """Return the report as text, on lines of 80 columns unless ids are longer."""
    people = [each for each in report.identities if _PEOPLE.issuperset(each.types)]
    others = [each for each in report.identities if not _PEOPLE.issuperset(each.types)]
    lines = list(_opening(report, people))
    for title, listed in (("Not people, or not known to be", others), ("People", people)):
        if listed:
            lines += ["", title, *(line for each in listed for line in _identity(each))]
    return "\n".join(lines) + "\n"


def _opening(report: Report, people: Sequence[Identity]) -> Iterator[str]:
    records = sum(each.records for each in report.identities)
    refused = sum(each.refused for each in report.identities)
    named = sum(each.is_named for each in report.identities)
    human = plural.count(sum(each.is_named for each in people), "person", "people")
    yield (
        f"{report.verdict} {plural.count(named, 'identity', 'identities')} ({human}) in "
        f"{plural.count(records, 'record')}, {refused:,} refused"
    )
    if report.is_incomplete:
        yield "part of the input is not counted here"
    if records:
        first = min(each.first for each in report.identities)
        last = max(each.last for each in report.identities)
        yield f"{instant(first)} to {instant(last)}"
        yield "phases: effective, after parameters and outcome (refused: failed attempt)"
    nobody = sum(each.records for each in report.identities if not each.is_named)
    if nobody:
        yield f"{plural.count(nobody, 'record')} without a name or ID"
    if report.repeated:
        yield f"{plural.count(report.repeated, 'record')} already read, and counted once"
    if report.rejected:
        every = plural.count(report.input, "record")
        yield f"{report.rejected:,} of {every} could not be read or mapped; not counted here"
    if report.out_of_scope:
        excluded = plural.count(report.out_of_scope, "record")
        yield f"{excluded} left out of the evidence by its scope"
    if report.unread:
        unread = plural.count(report.unread, "input or object", "inputs or objects")
        yield f"{unread} could not be read; not counted here"


def _identity(each: Identity) -> Iterator[str]:
    refused = f", {each.refused} refused" if each.refused else ""
    phases = ", ".join(f"{name} {count}" for name, count in each.phases.most_common())
    yield f"  {neutralize(each.uid)}"
    types = " and ".join(name for name, _ in each.types.most_common())
    yield f"    {types}; {plural.count(each.records, 'record')}{refused}"
    yield f"    {instant(each.first)} to {instant(each.last)}"
    if each.first_uid:
        uid = neutralize(each.first_uid)
        # Wider than the screen, it has a line of its own, to be selected whole.
        yield from [f"    first uid {uid}"] if len(uid) <= _WIDTH - 4 else ["    first uid", uid]
    yield from (f"    {line}" for line in _wrapped(phases))


def _wrapped(phases: str) -> Iterator[str]:
    line = ""
    for part in phases.split(", "):
        if line and len(line) + len(part) > _WIDTH:
            yield f"{line},"
            line = ""
        line += f", {part}" if line else part
    yield line


_WIDTH = 70
