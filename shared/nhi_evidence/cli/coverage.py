"""`nhi-evidence coverage`: is a step recorded, and is it in this evidence?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import exit_codes, json_output, output_file, screen
from nhi_evidence.cli.record_output import instant
from nhi_evidence.coverage import answers, evidence, history, operation
from nhi_evidence.coverage.answers import Reading, ReadingError
from nhi_evidence.coverage.canary.weigh import Weighed, stretches
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.controls import support
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.matrix import Matrix, matrix
from nhi_evidence.coverage.page import page
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy
from nhi_evidence.terminal import coverage_report

EXAMPLES = """\b
Examples:
  nhi-evidence coverage --config-dir docs/examples/coverage
  nhi-evidence coverage --evidence s3://evidence --policy policy.toml --html coverage.html
  nhi-evidence coverage --config-dir DIR --operation s3:GetObject --identity ARN --at TIME

Exit codes: 0 everything that can be recorded is recorded here; 2 a gap, or a canary that
did not arrive; 3 no gap, but something is recorded elsewhere or unknown; 4 could not be
done (reason on standard error); 64 wrong usage.
"""

_EXIT = {
    Verdict.GAP: exit_codes.INCOMPLETE,
    Verdict.BROKEN: exit_codes.INCOMPLETE,
    Verdict.ELSEWHERE: exit_codes.POLICY,
    Verdict.UNKNOWN: exit_codes.POLICY,
}


def command(
    *,
    config_dir: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, help="Folder of saved readings of settings (*.json)."
        ),
    ] = None,
    evidence_uri: Annotated[
        str | None,
        typer.Option(
            "--evidence",
            metavar="EVIDENCE",
            help="Also use sealed readings and changes of settings from this evidence: "
            "s3://bucket[?endpoint=URL], or a directory.",
        ),
    ] = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    identity: Annotated[
        str | None,
        typer.Option(help="Only for this identity: an ARN, or a service account e-mail."),
    ] = None,
    operation_name: Annotated[
        str | None,
        typer.Option(
            "--operation", metavar="OPERATION", help="Answer for one operation, e.g. s3:GetObject."
        ),
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="With --operation, only for this resource: an ARN.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As of this time (ISO 8601); default: last reading."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Also write a self-contained HTML page here."),
    ] = None,
    overwrite: output_file.Overwrite = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Show for which controls there is evidence.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show every cell, over time.")] = False,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Show, for each step on each platform, whether it is recorded in this evidence.

    Judges the provider settings that collectors read: all trails, sinks and diagnostic settings
    together, never a single one that passes. What could not be read is unknown, neither a gap nor
    a proof. With --operation it answers for one operation in a sentence.
    """
    if config_dir is None and evidence_uri is None:
        raise typer.BadParameter("give --config-dir, --evidence or both")
    until = instant(at, "--at") if at else None
    readings = list(_saved(config_dir)) if config_dir else []
    changes: list[Change] = []
    canaries: list[Weighed] = []
    if evidence_uri is not None:
        access = Access(role_arn=role_arn, external_id=external_id, profile=profile)
        observed = _observed(evidence_uri, access, options.policy(policy, key))
        readings += [reading for _, reading in observed.readings]
        changes = [change for _, change in observed.changes]
        canaries = list(observed.canaries)
        for name, reason in observed.contradicted.items():
            screen.say(f"warning: a statement does not hold: {name} {reason}", err=True)
        for name, reason in observed.unreadable.items():
            screen.say(f"warning: cannot be read: {name}: {reason}", err=True)
    if operation_name is not None:
        inquiry = _Inquiry(operation_name, identity, resource, until)
        _one_operation(inquiry, readings, changes, as_json=as_json)
        return
    if until is not None:
        readings = [reading for reading in readings if reading.at <= until]
        changes = [change for change in changes if change.at <= until]
    proofs = {
        cell: tuple(one for one in spans if until is None or one.span.start <= until)
        for cell, spans in stretches(canaries).items()
    }
    result = matrix(readings, changes, subject=Subject(identity), proofs=tuple(proofs.items()))
    rows = support(result) if controls or html is not None else ()
    _print(result, rows if controls else (), verbose=verbose, as_json=as_json)
    if html is not None:
        inputs = [
            *(config_dir.glob("*.json") if config_dir else ()),
            *([evidence_uri] if evidence_uri else ()),
        ]
        with output_file.create(html, inputs=inputs, overwrite=overwrite) as file:
            file.write(page(result, rows))
    if result.has_gap:
        raise typer.Exit(exit_codes.INCOMPLETE)
    if result.has_doubt or not result.cells:
        raise typer.Exit(exit_codes.POLICY)


def _saved(folder: Path) -> Iterator[Reading]:
    """Load every reading in a folder. Raises `SettingsError` naming a file that is not one."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise SettingsError(f"{folder}: no readings (*.json)")
    for file in files:
        try:
            if file.stat().st_size > answers.MAX_READING_BYTES:
                raise ReadingError(f"{file}: larger than {answers.MAX_READING_BYTES} bytes")
            yield answers.read(file.read_bytes(), str(file))
        except OSError as error:
            raise SettingsError(f"{file}: {error.strerror}") from error


def _observed(uri: str, access: Access, trust: Policy) -> evidence.Observed:
    store = open_sealed(uri, access)
    return evidence.observed(store, StoredLog(store, trust.name, trust.keys), trust.mappers)


class _Inquiry(msgspec.Struct, frozen=True):
    """The question about one operation."""

    name: str
    identity: str | None
    resource: str | None
    at: int | None


def _one_operation(
    inquiry: _Inquiry, readings: Sequence[Reading], changes: Sequence[Change], *, as_json: bool
) -> None:
    subject, until = Subject(inquiry.identity), inquiry.at
    if until is None:
        standing = tuple(history.newest(readings, changes).values())
        answers = operation.operations(
            inquiry.name, standing, subject=subject, resource=inquiry.resource
        )
    else:
        answers = operation.at_time(
            inquiry.name, readings, changes, until, subject=subject, resource=inquiry.resource
        )
    if as_json:
        json_output.write("coverage --operation", {"at": until, "operations": answers})
    else:
        when = "the last reading" if until is None else _iso(until)
        for answer in answers:
            screen.say(answer.sentence(inquiry.identity or "anyone", when))
            log = (answer.log, answer.log_known)
            facts = [
                f"recorded as: {answer.by} (log {', '.join(filter(None, log))})",
            ]
            facts += [f"because {reason}" for reason in answer.reasons[1:]]
            facts += [f"not recorded: {text}" for text in answer.missing]
            facts.append(f"phase: {answer.phase} ({answer.known})")
            if answer.read_at is not None:
                facts.append(f"settings read at {_iso(answer.read_at)}")
            for fact in facts:
                screen.say(f"  {fact}")
    codes = [_EXIT.get(one.verdict, exit_codes.OK) for one in answers]
    if exit_codes.INCOMPLETE in codes:
        raise typer.Exit(exit_codes.INCOMPLETE)
    if exit_codes.POLICY in codes:
        raise typer.Exit(exit_codes.POLICY)


def _iso(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _print(result: Matrix, controls: Sequence[object], *, verbose: bool, as_json: bool) -> None:
    if as_json:
        value = {**msgspec.to_builtins(result), "verdict": result.verdict}
        json_output.write("coverage", {**value, **({"controls": controls} if controls else {})})
        return
    screen.say(*coverage_report.lines(result, verbose=verbose))
    if controls:
        screen.say(*coverage_report.controls(controls))  # type: ignore[arg-type]
