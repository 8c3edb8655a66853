"""`nhi-evidence query`: SQL over an evidence store or raw logs, yours or a saved question's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import msgspec
import typer

from nhi_evidence.adapters.store.evidence_uri import Access
from nhi_evidence.cli import athena_engine, exit_codes, output_file, query_output, screen
from nhi_evidence.cli import evidence_options as options
from nhi_evidence.cli import selection_options as whose
from nhi_evidence.cli.event_index import IndexFolder, Sources, local
from nhi_evidence.cli.normalize import SourceName
from nhi_evidence.cli.query_output import Format
from nhi_evidence.cli.record_output import instant
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate import findings, library
from nhi_evidence.investigate.findings import FindingRow
from nhi_evidence.investigate.library import Question
from nhi_evidence.terminal import timeline_report

if TYPE_CHECKING:
    from nhi_evidence.adapters.index.local_index import LocalIndex

EXAMPLES = """\b
Examples:
  nhi-evidence query --list
  nhi-evidence query ./evidence --policy policy.toml --question cross-account-chains
  nhi-evidence query logs/ --sql "SELECT phase, count(*) FROM events GROUP BY phase"
  nhi-evidence query ./evidence --policy policy.toml --sql "FROM units" --format csv
  nhi-evidence query 'athena://NAME?region=eu-central-1&auditor=external' \\
      --from 2026-03-01 --to 2026-03-02 --question validation-bursts

Exit codes: 0 answered; 2 answered, but some evidence could not be read; 4 could
not be answered (reason on standard error); 64 wrong usage.
"""

_FETCHED = 5_000


def command(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT",
            help="The evidence (s3://bucket[?endpoint=URL], or a directory with a log), raw log "
            "files, directories and -, or athena://NAME?region=REGION&auditor=NAME.",
        ),
    ] = None,
    *,
    sql: Annotated[str | None, typer.Option("--sql", help="One SELECT.")] = None,
    question: Annotated[
        str | None,
        typer.Option("--question", metavar="NAME", help="A saved question; --list shows them."),
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="List the saved questions and the columns.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", dir_okay=False, help="Write to this file.")
    ] = None,
    overwrite: output_file.Overwrite = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(
            "--report",
            exists=True,
            dir_okay=False,
            help="Add the findings of this verify --json or doctor --json report to `findings`.",
        ),
    ] = None,
    since: whose.HoursFrom = None,
    until: whose.HoursTo = None,
    source: SourceName = None,
    key: options.Keys = None,
    policy: options.PolicyFile = None,
    index: IndexFolder = None,
    role_arn: options.RoleArn = None,
    external_id: options.ExternalId = None,
    profile: options.Profile = None,
    as_json: options.Json = False,
) -> None:
    """Query an evidence store, or raw log files, with SQL.

    The views are `events` (records that count, each once), `units`, `identities`, `findings`
    (from sealed statements on completeness) and `all_events` (including records that do not count,
    and why). A query is one SELECT, without access to files or network. How fresh the answer is
    goes to standard error. Athena queries cover only the deliveries of the hours given.
    """
    if list_them:
        screen.say(*_listed())
        return
    statement = _statement(sql, question)
    if not inputs:
        raise typer.BadParameter("name an evidence store or raw log files")
    what = Sources(
        inputs=tuple(inputs),
        keys=key,
        policy_file=policy,
        folder=index,
        access=Access(role_arn=role_arn, external_id=external_id, profile=profile),
        source=source,
        quiet=as_json,
    )
    form = Format.JSON if as_json else form
    hours = instant(since, "--from"), instant(until, "--to")
    if athena_engine.is_named(inputs):
        if report:
            raise SettingsError("--report needs an index; Athena cannot use it")
        with _sink(output, inputs, overwrite=overwrite) as sink:
            is_whole = athena_engine.answer(what, statement, hours, form, sink)
        if not is_whole:
            raise typer.Exit(exit_codes.INCOMPLETE)
        return
    if hours != (None, None):
        raise SettingsError("--from and --to are for Athena; here, filter by the column `time`")
    reported = [row for path in report or () for row in _findings(path)]
    read = (*inputs, *(report or ()))
    with local(what) as events, _sink(output, read, overwrite=overwrite) as sink:
        events.add_findings(reported)
        _answer(events, statement, form, sink)
        is_partial = events.freshness().unreadable_count > 0
    if is_partial:
        raise typer.Exit(exit_codes.INCOMPLETE)


def _statement(sql: str | None, question: str | None) -> str:
    if (sql is None) == (question is None):
        raise typer.BadParameter("give either --sql or --question")
    if sql is not None:
        return sql
    known = library.find(question or "")
    if known is None:
        names = ", ".join(each.name for each in library.questions())
        raise SettingsError(f"--question {question}: unknown; known: {names}")
    return known.sql


def _findings(path: Path) -> tuple[FindingRow, ...]:
    try:
        return findings.of_report(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _answer(index: LocalIndex, sql: str, form: Format, sink: BinaryIO) -> None:
    import duckdb  # noqa: PLC0415 the index needs it alone

    from nhi_evidence.adapters.index import duck  # noqa: PLC0415

    statement = duck.one_select(index.connection, sql)
    freshness = index.freshness()
    if form is not Format.JSON:
        for notice in timeline_report.freshness_lines(freshness):
            screen.say(notice, err=True)
    try:
        if form is Format.PARQUET:
            query_output.write_parquet(index.connection.sql(sql).to_arrow_table(), sink)
            return
        result = index.connection.execute(statement)
        columns = [each[0] for each in result.description or ()]
        if form is Format.JSON:
            context = {"freshness": msgspec.to_builtins(freshness), "sql": sql}
            sink.write(query_output.as_document(columns, _rows(result), **context))
        else:
            for line in query_output.lines(form, columns, _rows(result), sink):
                sink.write(line)
    except duckdb.Error as error:
        raise SettingsError(f"the question cannot be answered: {duck.reason(error)}") from error


def _rows(result: Any) -> Iterator[tuple[object, ...]]:
    while rows := result.fetchmany(_FETCHED):
        yield from rows


@contextmanager
def _sink(
    output: Path | None, inputs: Sequence[str | Path], *, overwrite: bool
) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with output_file.create(output, inputs=inputs, overwrite=overwrite) as file:
        yield file


def _listed() -> list[str]:
    from nhi_evidence.investigate.columns import COLUMNS  # noqa: PLC0415

    lines = ["Saved questions (--question NAME):", ""]
    lines += [line for each in library.questions() for line in _described(each)]
    lines += ["Columns of events:", ""]
    lines += [f"  {each.name:<16} {each.type:<8} {each.text}" for each in COLUMNS]
    return lines


def _described(question: Question) -> list[str]:
    return [f"  {question.name}", f"      {question.title}", f"      {question.note}", ""]
