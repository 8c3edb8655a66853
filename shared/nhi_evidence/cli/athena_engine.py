"""`query` and `timeline` on Athena instead of an index: `athena://WORKGROUP?...`."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from nhi_evidence import plural
from nhi_evidence.adapters import clock
from nhi_evidence.cli import query_output, screen
from nhi_evidence.cli.query_output import Format
from nhi_evidence.cost.prices import PRICES
from nhi_evidence.errors import SettingsError
from nhi_evidence.investigate.athena import answers, asked_index, views
from nhi_evidence.investigate.athena.asked_index import AskedIndex, Span
from nhi_evidence.terminal import timeline_report

if TYPE_CHECKING:
    from nhi_evidence.adapters.aws.athena import Session
    from nhi_evidence.cli.event_index import Sources

SCHEME = "athena://"
LATE_MS = 24 * 3_600_000
"""A record is stored under the hour of its delivery; deliveries this much later are searched."""
_LEAST_BYTES = 10_000_000
"""Athena bills at least this much for a query, however little it reads."""
_GB = 1 << 30
_NEEDED = ("duckdb", "pyarrow", "sqlglot")


def is_named(inputs: Sequence[str]) -> bool:
    """Whether the input is Athena. Raises `SettingsError` where other inputs stand next to it."""
    named = [each for each in inputs if each.startswith(SCHEME)]
    if named and len(inputs) > 1:
        raise SettingsError(f"{named[0]}: Athena cannot be combined with other inputs")
    return bool(named)


@contextmanager
def index(what: Sources, since: int | None, until: int | None) -> Iterator[AskedIndex]:
    """Open an index that queries Athena for the hours of a window, plus a day for late deliveries.

    What the queries cost goes to standard error. Raises `SettingsError`.
    """
    session, opened = _opened(what, since, until, late=LATE_MS)
    try:
        yield opened
    except answers.AnswerError as error:
        raise SettingsError(str(error)) from error
    finally:
        _say_cost(session)


def _opened(
    what: Sources, since: int | None, until: int | None, *, late: int
) -> tuple[Session, AskedIndex]:
    from nhi_evidence.adapters.aws import athena_uri  # noqa: PLC0415 Amazon's library

    (uri,) = what.inputs
    if what.keys or what.policy_file or what.folder or what.source:
        raise SettingsError(f"{uri}: --key, --policy, --index and --source do not apply to Athena")
    named = athena_uri.parse(uri)
    hours = _hours(uri, since, until, late)
    session, table, s3 = athena_uri.open_session(named, what.access)
    if hours.last < table.first_hour:
        raise SettingsError(
            f"{uri}: the table starts at hour {table.first_hour}; nothing before it can be read"
        )
    text = f"{named.text}: deliveries of the hours {hours.first} to {hours.last} UTC"
    if hours.first < table.first_hour:
        text += f"; the table has none before {table.first_hour}"
    return session, AskedIndex(
        session.ask,
        database=named.database,
        hours=hours,
        name=text,
        kept=lambda: athena_uri.hours_with_evidence(s3, table),
    )


def _hours(uri: str, since: int | None, until: int | None, late: int) -> Span:
    if since is None:
        raise SettingsError(f"{uri}: --from is required; Athena bills by the bytes it reads")
    now = clock.now()
    last = now if until is None else min(until - 1 + late, now)
    if since > last:
        raise SettingsError(f"{uri}: --from is after --to, or in the future")
    try:
        return asked_index.span(since, last)
    except ValueError as error:
        raise SettingsError(f"{uri}: {error}") from error


def _say_cost(session: Session) -> None:
    counts = session.read.byte_counts
    price = PRICES["athena"]
    dollars = price.of(sum(max(each, _LEAST_BYTES) for each in counts) / _GB)
    number = plural.count(len(counts), "query", "queries")
    screen.say(
        f"athena    read {plural.count(sum(counts), 'byte')} in {number}: about ${dollars:.4f} "
        f"(${price.usd:.2f} a TB, by {price.source}; requests and archived hours cost extra)",
        err=True,
    )


def answer(
    what: Sources, sql: str, times: tuple[int | None, int | None], form: Format, sink: BinaryIO
) -> bool:
    """Ask one question and write its answer; return whether all evidence of its hours counted.

    DuckDB binds the question to the existing columns first, and only SQL that both engines read
    alike is sent. Raises `SettingsError`.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise SettingsError(
            "a question needs DuckDB, Arrow and sqlglot: "
            "install nhi-evidence with its extra `investigate`"
        )
    columns, kinds, schema = _bound(sql)
    text = _for_athena(sql, columns, kinds)
    session, events = _opened(what, *times, late=0)
    try:
        freshness = events.freshness()
        if form is not Format.JSON:
            for notice in timeline_report.freshness_lines(freshness):
                screen.say(notice, err=True)
        rows = (
            tuple(answers.read(kind, value) for kind, value in zip(kinds, row, strict=True))
            for row in events.ask(text)
        )
        _write(form, columns, rows, schema, sink, freshness=freshness, sql=sql)
    except answers.AnswerError as error:
        raise SettingsError(str(error)) from error
    finally:
        _say_cost(session)
    return freshness.not_shown_count == 0


def _write(
    form: Format,
    columns: Sequence[str],
    rows: Iterator[tuple[object, ...]],
    schema: Any,
    sink: BinaryIO,
    **context: Any,
) -> None:
    if form is Format.PARQUET:
        query_output.write_parquet(query_output.as_arrow(rows, schema), sink)
    elif form is Format.JSON:
        plain = {name: msgspec.to_builtins(value) for name, value in context.items()}
        sink.write(query_output.as_document(columns, rows, **plain))
    else:
        for line in query_output.lines(form, columns, rows, sink):
            sink.write(line)


def _bound(sql: str) -> tuple[list[str], list[str], Any]:
    """Return names, DuckDB's types and Arrow's schema of an answer, from an index without rows."""
    import duckdb  # noqa: PLC0415 the index needs it alone

    from nhi_evidence.adapters.index import duck, local_index, raw_logs  # noqa: PLC0415
    from nhi_evidence.investigate.index import Unread  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="nhi-evidence-") as folder:
        state = raw_logs.build(Path(folder), iter(()), Unread())
        with local_index.LocalIndex(Path(folder), state) as empty:
            empty.connection.execute(_UNREADABLE)
            duck.one_select(empty.connection, sql)
            try:
                relation = empty.connection.sql(sql)
                kinds = [str(each) for each in relation.types]
                return list(relation.columns), kinds, relation.to_arrow_table().schema
            except duckdb.Error as error:
                raise SettingsError(f"the question cannot be answered: {error}") from error


_UNREADABLE = (
    "CREATE TABLE unreadable "
    "(source VARCHAR, hour VARCHAR, object VARCHAR, unit_id VARCHAR, line BIGINT)"
)


def _for_athena(sql: str, columns: Sequence[str], kinds: Sequence[str]) -> str:
    from nhi_evidence.investigate.athena import subset  # noqa: PLC0415 needs sqlglot

    for name, kind in zip(columns, kinds, strict=True):
        if not answers.is_known(kind):
            raise SettingsError(f"column {name}: type {kind} cannot be read from Athena")
    answered = [
        subset.Answered(name, kind.endswith("[]"))
        for name, kind in zip(columns, kinds, strict=True)
    ]
    try:
        return subset.for_athena(sql, answered, views.NAMES)
    except subset.QuestionError as error:
        raise SettingsError(f"the question was not sent to Athena: {error}") from error
