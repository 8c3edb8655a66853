"""`nhi-evidence timeline`: what an identity did, and what was derived from its credentials."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nhi_evidence.adapters.store.evidence_uri import Access, open_sealed
from nhi_evidence.cli import athena_engine, exit_codes, output_file, screen, timeline_export
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import selection_options as whose
from nhi_evidence.cli.event_index import IndexFolder, InputsArgument, Sources, opened
from nhi_evidence.cli.normalize import SourceName
from nhi_evidence.cli.timeline_export import Format
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate.report import page as report
from nhi_evidence.investigate.timeline import Timeline, compose
from nhi_evidence.terminal import timeline_report

EXAMPLES = """\b
Examples:
  nhi-evidence timeline ./evidence --policy policy.toml --credential AKIA...
  nhi-evidence timeline s3://evidence --policy policy.toml --identity ARN --json
  nhi-evidence timeline logs/ --ip 203.0.113.77
  nhi-evidence timeline 'athena://NAME?region=eu-central-1&auditor=external' \\
      --from 2026-03-01 --to 2026-03-02 --credential AKIA...

Exit codes: 0 shown, or nothing on record; 2 part of it is contested, could not
be read or is left out; 4 could not be done (reason on standard error);
64 wrong usage.
"""


def command(
    inputs: InputsArgument,
    *,
    identity: whose.Identities = None,
    credential: whose.Credentials = None,
    address: whose.Addresses = None,
    resource: whose.Resources = None,
    since: whose.Since = None,
    until: whose.Until = None,
    source: SourceName = None,
    form: Annotated[
        Format, typer.Option("--format", help="Output format; ocsf needs an evidence store.")
    ] = Format.TEXT,
    every_record: Annotated[
        bool,
        typer.Option("--every-record", help="As text, print every record of a repeated action."),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, help="Also write the report as an HTML page."),
    ] = None,
    overwrite: output_file.Overwrite = False,
    coverage: whose.Coverage = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    index: IndexFolder = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Show what an identity did across all clouds, with everything made from its credentials.

    Follows credentials by ID, and workloads by issuer and subject; shows the stages and the time
    spent in each, what several records show together, and what is missing. From an evidence store
    only what is signed and counted is shown; raw log files prove nothing.
    """
    if every_record and (as_json or form is not Format.TEXT):
        raise SettingsError(
            "--every-record needs --format text; the other formats have every record"
        )
    selection = whose.selection(
        identity=identity,
        credential=credential,
        address=address,
        resource=resource,
        since=since,
        until=until,
    )
    judge = whose.judge(coverage, selection)
    what = Sources(
        inputs=tuple(inputs),
        keys=key,
        policy_file=policy,
        folder=index,
        access=Access(role_arn=role_arn, external_id=external_id, profile=profile),
        source=source,
        quiet=as_json,
    )
    in_athena = athena_engine.is_named(inputs)
    if in_athena and form is Format.OCSF:
        raise SettingsError("--format ocsf needs an evidence store; Athena keeps no records")
    times = selection.since, selection.until
    with athena_engine.index(what, *times) if in_athena else opened(what) as events:
        timeline = compose(events, selection, subject=whose.subject(selection), judge=judge)
    if form is Format.TEXT and not as_json:
        console = Console(highlight=False, markup=False)
        timeline_report.show(console, timeline, every_record=every_record)
        if timeline.freshness.proven:
            screen.say(*(f"next      {line}" for line in _next(what, timeline)))
    else:
        _print(Format.JSON if as_json else form, timeline, what)
    if html is not None:
        verify = _for_others(inputs, timeline) if timeline.freshness.proven else []
        with output_file.create(html, inputs=inputs, overwrite=overwrite) as file:
            file.write(report.page(timeline, verify=verify))
    if timeline.is_incomplete:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _print(form: Format, timeline: Timeline, what: Sources) -> None:
    match form:
        case Format.JSON:
            lines = iter([timeline_report.as_document(timeline) + b"\n"])
        case Format.TIMESKETCH:
            lines = timeline_export.timesketch(timeline)
        case Format.CSV:
            lines = timeline_export.csv(timeline)
        case Format.OCSF:
            if not timeline.freshness.proven:
                raise SettingsError(
                    "--format ocsf needs an evidence store; for raw logs use normalize"
                )
            lines = timeline_export.ocsf(timeline, open_sealed(what.inputs[0], what.access))
    for line in lines:
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _next(what: Sources, timeline: Timeline) -> list[str]:
    """Return commands that check this here: all of the evidence, and the path's first record."""
    same = partial(
        options.again,
        trusted=options.Trusted(what.policy_file, what.keys),
        access=what.access,
    )
    commands = [same("verify", what.inputs[0], "--deep")]
    uid = _first_uid(timeline)
    if uid is not None:
        commands.append(same("prove", what.inputs[0], uid, "-o", "proof.zip"))
    return commands


def _for_others(inputs: list[str], timeline: Timeline) -> list[str]:
    """Return commands for somebody else to check the report, with a key from another channel."""
    commands = [f"nhi-evidence verify {shlex.quote(inputs[0])} --deep --key KEY"]
    uid = _first_uid(timeline)
    if uid is not None:
        record = f"{shlex.quote(inputs[0])} {shlex.quote(uid)}"
        commands.append(f"nhi-evidence prove {record} --key KEY -o proof.zip")
    return commands


def _first_uid(timeline: Timeline) -> str | None:
    return next((step.row.uid for step in timeline.path.steps if step.row.uid), None)
