"""`nhi-evidence normalize`: read log files, print one OCSF record per accepted record."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from nhi_evidence import plural
from nhi_evidence.cli import exit_codes, json_output, output_file, progress, record_output, screen
from nhi_evidence.cli.input_notes import Notes
from nhi_evidence.cli.raw_input import Inputs, Reading
from nhi_evidence.cli.record_output import Filter, Format
from nhi_evidence.errors import SettingsError
from nhi_evidence.event import Rejection
from nhi_evidence.pipeline.export import Normalized
from nhi_evidence.pipeline.scope import Scope

EXAMPLES = """\b
Examples:
  nhi-evidence normalize trail.json.gz | jq .nhi_phase
  aws logs filter-log-events --log-group-name trail | nhi-evidence normalize -
  nhi-evidence normalize --source aws_cloudtrail --scope all --rejects bad.ndjson logs/
  nhi-evidence normalize --format parquet -o march.parquet --from 2026-03-01 logs/

Exit codes: 0 every record accepted; 2 some could not be read or mapped;
4 nothing was accepted, or a source is unknown; 64 wrong usage.
"""

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="INPUT",
        help="Log files, directories of them, or - for standard input; plain, gzip, zip or tar, "
        "detected by content. docs/local-files.md lists the forms.",
    ),
]
SourceName = Annotated[
    str | None,
    typer.Option(
        help="Source of the records; an unknown name lists them. By default detected from the "
        "attributes of each record, and reported."
    ),
]


AssumeUtc = Annotated[
    bool,
    typer.Option(
        "--assume-utc",
        help="Read times without a zone (SQL exports) as UTC; every such record is labeled.",
    ),
]


class _Reject(msgspec.Struct, omit_defaults=True):
    index: int
    reason: str
    detail: str
    input: str
    raw_sha256: str | None = None
    """None where nothing was read: the hash of no bytes would look like the file's."""
    line: int = 0


class Summary(msgspec.Struct):
    """What became of the input; `accepted + rejected == input`, always."""

    verdict: str = ""
    """The words of the first line."""
    input: int = 0
    """Records read, and files or lines that are not records."""
    accepted: int = 0
    """Records that were mapped, or are out of scope."""
    rejected: int = 0
    """Records that could not be mapped, and files or lines that are not records."""
    printed: int = 0
    """Records that were written."""
    filtered: int = 0
    """Accepted and in scope, but filtered out."""
    out_of_scope: Counter[str] = msgspec.field(default_factory=Counter)
    """Accepted but outside `--scope`: reason to number."""
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    """Why records were rejected: reason to number."""
    detected: dict[str, int] = {}
    """Documents by detected source, where --source was not given."""
    unread: int = 0
    """Inputs that could not be opened."""
    notes: list[str] = []
    """What was not read or not mapped, and where, as standard error has it."""


def command(
    inputs: Files,
    *,
    source: SourceName = None,
    scope: Annotated[
        Scope,
        typer.Option(help="nhi: records that concern non-human identities; all: every record."),
    ] = Scope.NHI,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.NDJSON,
    identity: Annotated[
        str | None,
        typer.Option(help="Only identities whose name or one of whose ids contains this text."),
    ] = None,
    phase: Annotated[list[str] | None, typer.Option(help="Only this phase, by name.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Only from this date (UTC), or time with zone.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Only before this date (UTC), or time with zone.")
    ] = None,
    assume_utc: AssumeUtc = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", dir_okay=False, help="Write records to this file."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Write rejected records here, one JSON object per line."),
    ] = None,
    overwrite: output_file.Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the closing summary as one JSON object.")
    ] = False,
) -> None:
    """Normalize raw log files into OCSF records, one per line, in input order.

    Records go to standard output or a file, the summary to standard error. Every input record is
    accepted or rejected; a file that holds no readable records counts as one rejected record.
    """
    wanted = Filter(
        identity.lower() if identity else None,
        record_output.phases(phase),
        *record_output.window(start, end),
    )
    record_output.ensure(form)
    logs = Inputs(source, scope=scope, assume_utc=assume_utc)
    files = logs.files(inputs)
    summary, notes = Summary(), Notes(quiet=as_json)
    with ExitStack() as stack:
        records, refused = (
            stack.enter_context(output_file.create(path, inputs=files, overwrite=overwrite))
            if path
            else None
            for path in (output, rejects)
        )
        sink = _sink(form, records)
        writer = record_output.writer(form, sink)
        bar = stack.enter_context(progress.Reading(logs.size(files), visible=_is_apart(sink)))
        for path in files:
            for reading in logs.readings(path, bar.say):
                _count(reading, summary, notes, refused)
                if isinstance(reading.mapped, Normalized):
                    if wanted.takes(reading.mapped.record):
                        summary.printed += 1
                        writer.write(reading.mapped.record)
                    else:
                        summary.filtered += 1
        writer.close()
        sink.flush()
    notes.close(logs)
    summary.detected, summary.unread = logs.detected, len(logs.unread)
    summary.notes, summary.verdict = notes.texts, _verdict(summary)
    _say(summary, as_json=as_json)
    if summary.unread or summary.rejected:
        raise typer.Exit(exit_codes.INCOMPLETE if summary.accepted else exit_codes.FAILED)


def _sink(form: Format, file: BinaryIO | None) -> BinaryIO:
    if file is not None:
        return file
    if form is Format.PARQUET and sys.stdout.isatty():
        raise SettingsError("Parquet is binary: name a file with --output")
    return sys.stdout.buffer


def _is_apart(sink: BinaryIO) -> bool:
    """Whether progress and records go to different places, not to one terminal."""
    return sys.stderr.isatty() and not (sink is sys.stdout.buffer and sys.stdout.isatty())


def _count(reading: Reading, summary: Summary, notes: Notes, sink: BinaryIO | None) -> None:
    index = summary.input
    summary.input += 1
    mapped = reading.mapped
    if isinstance(mapped, Rejection):
        summary.rejected += 1
        summary.reasons[mapped.reason] += 1
        notes.rejected(reading, mapped)
        if sink is not None:
            digest = sha256(reading.raw).hexdigest() if reading.raw else None
            reject = _Reject(
                index, mapped.reason, mapped.detail, reading.name, digest, reading.line
            )
            sink.write(msgspec.json.encode(reject) + b"\n")
        return
    summary.accepted += 1
    if not isinstance(mapped, Normalized):
        summary.out_of_scope[mapped.reason] += 1


def _verdict(summary: Summary) -> str:
    if summary.unread or summary.rejected:
        return "INCOMPLETE" if summary.accepted else "NOTHING ACCEPTED"
    return "COMPLETE" if summary.input else "NO RECORDS"


def _say(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        sys.stderr.flush()
        sys.stderr.buffer.write(json_output.document("normalize", summary) + b"\n")
        return
    accepted = f"{summary.accepted:,} of {plural.count(summary.input, 'record')} accepted"
    if summary.unread:
        inputs = plural.count(summary.unread, "input")
        accepted += f"; {inputs} could not be read"
    lines = [
        f"{summary.verdict} {accepted}",
        f"input {summary.input} = accepted {summary.accepted} + rejected {summary.rejected}",
        f"accepted {summary.accepted} = printed {summary.printed}"
        + (f" + filtered out {summary.filtered}" if summary.filtered else "")
        + "".join(f" + out of scope ({why}) {n}" for why, n in summary.out_of_scope.items()),
    ]
    lines += [f"rejected: {why} {n}" for why, n in sorted(summary.reasons.items())]
    screen.say(*lines, err=True)
