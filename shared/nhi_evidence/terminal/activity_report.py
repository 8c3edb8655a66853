"""Who acted, as what, in which phases, and when: counted, for a reader and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

import msgspec

from nhi_evidence.event import Result
from nhi_evidence.identity import CAPTIONS, IdentityKind
from nhi_evidence.terminal.safe_text import instant, neutralize, neutralize_json

SCHEMA = "nhi-evidence/summary/1"
"""Names the form of the document; a change of meaning is another number."""

_REFUSED = frozenset({Result.DENIED, Result.UNAUTHENTICATED})
_PEOPLE = frozenset({CAPTIONS[IdentityKind.HUMAN], CAPTIONS[IdentityKind.HUMAN_PROGRAMMATIC]})


class Actor(Protocol):
    """What is read of a record's `nhi`."""

    @property
    def uid(self) -> str | None:
        """Its id, as the record has it."""

    @property
    def name(self) -> str | None:
        """Its name, as the record has it."""

    @property
    def type(self) -> str:
        """The caption of its kind."""


class Record(Protocol):
    """What is read of an OCSF record, normalized now or when it was sealed."""

    @property
    def time(self) -> int:
        """Milliseconds since the epoch, UTC."""

    @property
    def nhi(self) -> Actor:
        """Who acted."""

    @property
    def nhi_phase(self) -> str:
        """What it meant."""

    @property
    def nhi_outcome(self) -> str:
        """Its outcome."""


class Identity(msgspec.Struct):
    """What an identity did, as the records say. Times are milliseconds since the epoch, UTC."""

    uid: str
    type: str
    first: int
    last: int
    records: int = 0
    refused: int = 0
    """Records whose outcome is denied or unauthenticated."""
    phases: Counter[str] = msgspec.field(default_factory=Counter)


class Report(msgspec.Struct):
    """The identities, those in most phases first, and what became of the input."""

    schema: str = SCHEMA
    input: int = 0
    rejected: int = 0
    """Records that could not be mapped, and files or lines that are none; not counted below."""
    out_of_scope: int = 0
    """Records that the evidence leaves out by its scope, and counts; not counted below."""
    unread: int = 0
    """Inputs, or objects of the evidence, that could not be read."""
    identities: list[Identity] = []
    detected: dict[str, int] = {}
    notes: list[str] = []


class Activity:
    """Counts records by who acted."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._identities: dict[tuple[str, str], Identity] = {}

    def add(self, record: Record) -> None:
        """Count a record."""
        who = record.nhi
        uid = who.uid or who.name or "(not named)"
        identity = self._identities.get((uid, who.type))
        if identity is None:
            identity = Identity(uid, who.type, record.time, record.time)
            self._identities[uid, who.type] = identity
        identity.records += 1
        identity.refused += record.nhi_outcome in _REFUSED
        identity.first = min(identity.first, record.time)
        identity.last = max(identity.last, record.time)
        identity.phases[record.nhi_phase] += 1

    def identities(self) -> list[Identity]:
        """Return everybody, those in most phases first, then those with most records."""
        return sorted(
            self._identities.values(),
            key=lambda each: (-len(each.phases), -each.records, each.uid),
        )


def as_document(report: Report) -> str:
    """Return the report as one JSON object, inert in a terminal."""
    return neutralize_json(msgspec.json.encode(report)).decode()


def text(report: Report) -> str:
    """Return the report for a reader, on lines of 80 columns wherever ids are that short."""
    people = [each for each in report.identities if each.type in _PEOPLE]
    others = [each for each in report.identities if each.type not in _PEOPLE]
    lines = list(_opening(report, len(others), len(people)))
    for title, listed in (("Not people, or not known to be", others), ("People", people)):
        if listed:
            lines += ["", title, *(line for each in listed for line in _identity(each))]
    return "\n".join(lines) + "\n"


def _opening(report: Report, others: int, people: int) -> Iterator[str]:
    records = sum(each.records for each in report.identities)
    refused = sum(each.refused for each in report.identities)
    yield (
        f"{others + people} {'identity' if others + people == 1 else 'identities'} "
        f"({people} people) in {_records(records)}, {refused} refused"
    )
    if records:
        first = min(each.first for each in report.identities)
        last = max(each.last for each in report.identities)
        yield f"{instant(first)} to {instant(last)}"
    if report.rejected:
        yield f"{report.rejected} of {report.input:,} records could not be mapped; not counted here"
    if report.out_of_scope:
        yield f"{report.out_of_scope:,} records are left out of the evidence by its scope"
    if report.unread:
        yield f"{report.unread} could not be read; not counted here"


def _identity(each: Identity) -> Iterator[str]:
    refused = f", {each.refused} refused" if each.refused else ""
    phases = ", ".join(f"{name} {count}" for name, count in each.phases.most_common())
    yield f"  {neutralize(each.uid)}"
    yield f"    {each.type}; {_records(each.records)}{refused}"
    yield f"    {instant(each.first)} to {instant(each.last)}"
    yield from (f"    {line}" for line in _wrapped(phases))


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


def _wrapped(phases: str) -> Iterator[str]:
    line = ""
    for part in phases.split(", "):
        if line and len(line) + len(part) > _WIDTH:
            yield f"{line},"
            line = ""
        line += f", {part}" if line else part
    yield line


_WIDTH = 70
