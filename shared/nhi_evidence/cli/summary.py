"""`nhi-evidence summary`: who acted in log files or in evidence, as what, and when."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, progress, screen
from nhi_evidence.cli.input_notes import Notes
from nhi_evidence.cli.normalize import AssumeUtc, SourceName
from nhi_evidence.cli.raw_input import Inputs, Reading
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Rejection
from nhi_evidence.evidence.counted_lines import CountedLines
from nhi_evidence.evidence.lines import ParsedLine
from nhi_evidence.evidence.search import Search, Where
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.pipeline.export import Normalized
from nhi_evidence.pipeline.scope import Scope
from nhi_evidence.terminal import activity_report
from nhi_evidence.terminal.activity_report import Activity, Report

EXAMPLES = """\b
Examples:
  nhi-evidence summary logs/
  aws cloudtrail lookup-events | nhi-evidence summary --json -
  nhi-evidence summary ./evidence-copy --key log.vkey

Exit codes: 0 summarized; 2 summarized, but some could not be read or mapped;
4 nothing could be read, or a source is unknown; 64 wrong usage.
"""

Inputs_ = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Log files, directories or -, as for normalize; or one evidence store: "
        "s3://bucket[?endpoint=URL] or a copy of one, with --key or --policy.",
    ),
]


class _Actor(msgspec.Struct, gc=False):
    type: str
    uid: str | None = None
    name: str | None = None


class _Metadata(msgspec.Struct, gc=False):
    uid: str | None = None


class _Sealed(msgspec.Struct, gc=False):
    """The parts of a sealed record that are read."""

    time: int
    metadata: _Metadata
    nhi: _Actor
    nhi_phase: str
    nhi_outcome: str


_decode = msgspec.json.Decoder(_Sealed).decode


def command(
    inputs: Inputs_,
    *,
    source: SourceName = None,
    assume_utc: AssumeUtc = False,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as one JSON object.")
    ] = False,
) -> None:
    """Summarize log files or evidence: who, what kind, which phases, refusals, first and last.

    For log files everybody is listed, people included. For evidence every unit under a signed
    checkpoint counts once; whether it is complete and unaltered is for verify to say. What could
    not be read or mapped is counted, and reported on standard error.
    """
    notes = Notes(quiet=as_json)
    if any(map(_is_evidence, inputs)):
        if len(inputs) > 1:
            raise SettingsError("give one evidence store, or only log files")
        access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
        report = _of_evidence(inputs[0], options.policy(policy, key), access, source, notes)
    else:
        report = _of_logs(inputs, Inputs(source, scope=Scope.ALL, assume_utc=assume_utc), notes)
    report.notes = notes.texts
    if as_json:
        json_output.put(activity_report.as_document(report).encode())
    else:
        screen.say(*activity_report.text(report).splitlines())
    if report.is_incomplete:
        is_nothing = report.verdict == "NOTHING ACCEPTED"
        raise typer.Exit(exit_codes.FAILED if is_nothing else exit_codes.INCOMPLETE)


def _is_evidence(location: str) -> bool:
    folder = Path(location)
    return "://" in location or ((folder / "log").is_dir() and (folder / "ev").is_dir())


def _of_logs(inputs: Sequence[str], logs: Inputs, notes: Notes) -> Report:
    report, activity = Report(), Activity()
    seen: set[int] = set()
    files = logs.files(map(Path, inputs))
    with progress.Reading(logs.size(files), visible=sys.stderr.isatty()) as bar:
        for path in files:
            for reading in logs.readings(path, bar.say):
                report.input += 1
                if isinstance(reading.mapped, Rejection):
                    report.rejected += 1
                    notes.rejected(reading, reading.mapped)
                elif isinstance(reading.mapped, Normalized):
                    if _is_new(reading, seen):
                        activity.add(reading.mapped.record)
                    else:
                        report.repeated += 1
    notes.close(logs)
    report.unread, report.detected = len(logs.unread), logs.detected
    report.is_incomplete = bool(report.unread or report.rejected)
    report.identities = activity.identities()
    return report


def _is_new(reading: Reading, seen: set[int]) -> bool:
    """Whether no record of the same source and bytes was read before, as for a timeline.

    Eight bytes of each record's SHA-256 are kept: among a billion records, a chance collision has
    a probability of 3 in 100.
    """
    digest = sha256(f"{reading.source}\0".encode() + reading.raw).digest()
    number = int.from_bytes(digest[:8])
    before = len(seen)
    seen.add(number)
    return len(seen) > before


def _of_evidence(
    evidence: str, trusted: Policy, access: Access, source: str | None, notes: Notes
) -> Report:
    report, activity = Report(), Activity()
    store = open_sealed(evidence, access)
    undecoded: set[str] = set()
    with progress.Steps("reading") as steps:
        looking = Search(store, StoredLog(store, trusted.name, trusted.keys))
        counted = CountedLines(looking, accepted=trusted.mappers)
        for counted_line in counted.lines(Where(source=source)):
            line = counted_line.line
            if counted_line.unit.kind == "rejection":
                undecoded.add(counted_line.unit.unit)
            if counted_line.unit.kind != "records" or line.form not in {"kept", "rejected"}:
                continue
            report.input += 1
            record = _sealed(line) if line.form == "kept" else None
            if record is None:
                report.rejected += 1
            else:
                activity.add(record)
            if report.input % 1000 == 0:
                steps.say("records", report.input)
    for name, reason in looking.unreadable.items():
        notes.note(f"not read: {name}: {reason}")
    for what, units in (("contested", counted.contested), ("incomplete", counted.incomplete)):
        if units:
            notes.note(
                f"{plural.count(len(units), 'unit')} {what} and not counted, first {units[0]}; "
                "see verify"
            )
    if undecoded:
        deliveries = plural.count(len(undecoded), "delivery", "deliveries")
        notes.note(f"{deliveries} could not be decoded; kept as delivered")
    notes.note("not verified here: run `nhi-evidence verify` for integrity and completeness")
    report.unread, report.out_of_scope = len(looking.unreadable), counted.out_of_scope
    report.is_incomplete = bool(report.unread or counted.contested or counted.incomplete)
    report.identities = activity.identities()
    return report


def _sealed(line: ParsedLine) -> _Sealed | None:
    """Return the record of a line; None for anything else, whoever wrote it."""
    try:
        return _decode(line.n)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
