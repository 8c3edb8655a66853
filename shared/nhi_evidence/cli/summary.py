"""`nhi-evidence summary`: who acted in raw log files, as what, in which phases, and when."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import msgspec
import typer

from nhi_evidence.cli import exit_codes
from nhi_evidence.cli.input_notes import Notes
from nhi_evidence.cli.normalize import Files, SourceName
from nhi_evidence.cli.raw_input import Inputs
from nhi_evidence.event import Rejection, Result
from nhi_evidence.ocsf.objects import Record
from nhi_evidence.pipeline.export import Normalized
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.terminal import safe_text

EXAMPLES = """\b
Examples:
  nhi-evidence summary logs/
  aws cloudtrail lookup-events | nhi-evidence summary --json -

\b
Exit codes: 0 summarized;
4 an input cannot be read, a source is unknown, or nothing was accepted; 64 wrong usage.
"""

_REFUSED = frozenset({Result.DENIED, Result.UNAUTHENTICATED})


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
    """The identities, those with most records first, and what became of the input."""

    input: int = 0
    rejected: int = 0
    """Records that could not be mapped, and files or lines that are none; not counted below."""
    unread: int = 0
    identities: list[Identity] = []
    detected: dict[str, int] = {}
    notes: list[str] = []


def command(
    inputs: Files,
    *,
    source: SourceName = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object.")
    ] = False,
) -> None:
    """Summarize raw log files: who, what kind, which phases, refused, first and last.

    Everybody is listed, people too. What could not be read or mapped is counted, and said on
    standard error.
    """
    logs, notes, report = Inputs(source, scope=Scope.ALL), Notes(quiet=as_json), Report()
    identities: dict[tuple[str, str], Identity] = {}
    for path in logs.files(inputs):
        for reading in logs.readings(path):
            report.input += 1
            if isinstance(reading.mapped, Rejection):
                report.rejected += 1
                notes.rejected(reading, reading.mapped)
            elif isinstance(reading.mapped, Normalized):
                _count(identities, reading.mapped.record)
    notes.close(logs)
    report.unread, report.detected, report.notes = len(logs.unread), logs.detected, notes.texts
    report.identities = sorted(identities.values(), key=lambda each: (-each.records, each.uid))
    if as_json:
        document = safe_text.neutralize_json(msgspec.json.encode(report))
        sys.stdout.write(document.decode() + "\n")
    else:
        sys.stdout.write(_text(report))
    if report.unread or (report.rejected and not report.identities):
        raise typer.Exit(exit_codes.FAILED)


def _count(identities: dict[tuple[str, str], Identity], record: Record) -> None:
    who = record.nhi
    uid = who.uid or who.name or "(not named)"
    identity = identities.get((uid, who.type))
    if identity is None:
        identity = identities[uid, who.type] = Identity(uid, who.type, record.time, record.time)
    identity.records += 1
    identity.refused += record.nhi_outcome in _REFUSED
    identity.first = min(identity.first, record.time)
    identity.last = max(identity.last, record.time)
    identity.phases[record.nhi_phase] += 1


def _text(report: Report) -> str:
    lines = []
    for each in report.identities:
        phases = ", ".join(f"{name} {count}" for name, count in each.phases.most_common())
        first, last = safe_text.instant(each.first), safe_text.instant(each.last)
        lines += [
            f"{safe_text.neutralize(each.uid)}  ({each.type})",
            f"  {each.records} records, {each.refused} refused, {first} to {last}",
            f"  {phases}",
        ]
    accepted = report.input - report.rejected
    lines.append(
        f"{len(report.identities)} identities in {accepted} records; "
        f"{report.rejected} of {report.input} rejected, {report.unread} inputs not opened"
    )
    return "\n".join(lines) + "\n"
