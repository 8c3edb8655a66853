"""An `EventIndex` that asks Athena: the rows that sealed statements count, in a span of hours.

`freshness` says what it cannot know: no signature or hash is checked, and evidence of an hour
without a statement is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.investigate import row_reading, trust
from nhi_evidence.investigate.athena import answers, selecting, views
from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.index import Freshness, Selection, order
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.row_reading import Values
from nhi_evidence.investigate.trust import Trust

Ask = Callable[[str], Iterator[tuple[str | None, ...]]]
"""Runs one statement and yields its rows; each value is a text or None."""

_KINDS = {
    Type.TEXT: "VARCHAR",
    Type.TEXTS: "VARCHAR[]",
    Type.INTEGER: "BIGINT",
    Type.BOOLEAN: "BOOLEAN",
    Type.TIME: "BIGINT",
}
_EPOCH = "TIMESTAMP '1970-01-01 00:00:00.000'"
_MAX_NAMED = 100


class Span(msgspec.Struct, frozen=True):
    """The hours to read, `YYYYMMDDHH`, both inclusive."""

    first: str
    last: str

    @property
    def bounds(self) -> views.Hours:
        """The hours as bounds of the views."""
        return views.between(self.first, self.last)

    def holds(self, hour: str) -> bool:
        """Whether evidence under this hour is read; evidence without an hour always is."""
        return hour == "unknown" or self.first <= hour <= self.last

    @property
    def begin(self) -> int:
        """The first millisecond of the first hour."""
        return _millisecond(self.first)

    @property
    def end(self) -> int:
        """The last millisecond of the last hour."""
        return _millisecond(self.last) + 3_600_000 - 1


def span(since: int, until: int) -> Span:
    """Return the hours of two instants, in milliseconds since the epoch, and those between.

    Raises `ValueError` for an instant outside the calendar.
    """
    return Span(_hour(since), _hour(until))


_START = datetime(1970, 1, 1, tzinfo=UTC)


def _hour(milliseconds: int) -> str:
    try:
        return f"{_START + timedelta(milliseconds=milliseconds):%Y%m%d%H}"
    except OverflowError as error:
        raise ValueError(f"{milliseconds} ms is outside the calendar") from error


def _millisecond(hour: str) -> int:
    at = datetime.strptime(hour + "+0000", "%Y%m%d%H%z")
    return int(at.timestamp()) * 1000


class AskedIndex:
    """See `EventIndex`. Every call of `rows` and `trusts` reads the evidence of its hours."""

    def __init__(
        self,
        ask: Ask,
        *,
        database: str,
        hours: Span,
        name: str,
        kept: Callable[[], Iterator[tuple[str, str]]],
    ) -> None:
        """Ask about a span of hours in one database.

        `name` says in words who answers; `kept` yields each source and hour that has evidence.
        """
        self._ask = ask
        self._database = database
        self._hours = hours
        self._name = name
        self._kept = kept
        self._trusts: Sequence[Trust] | None = None

    def rows(self, selection: Selection) -> Iterator[Row]:
        """See `EventIndex.rows`; raises `AnswerError` for a malformed answer."""
        rows: dict[tuple[str, str, int], Row] = {}
        for batch in selecting.batches(selection):
            for values in self.ask(_rows(batch)):
                row = _row(values)
                rows[row.place.object, row.place.unit, row.place.line] = row
        yield from sorted(rows.values(), key=order)

    def trusts(self) -> Sequence[Trust]:
        """See `EventIndex.trusts`; read once."""
        if self._trusts is None:
            stated = {
                each
                for source, line in self.ask(_TRUSTS)
                for each in _trusts(source or "", line or "")
            }
            self._trusts = sorted(stated, key=lambda each: (each.time, each.name))
        return self._trusts

    def freshness(self) -> Freshness:
        """See `EventIndex.freshness`: which hours are read, and what in them is not shown."""
        stated = {(source, hour): marks for source, hour, *marks in self.ask(_STATED)}
        kept = sorted({each for each in self._kept() if self._hours.holds(each[1])})
        without = [
            f"{source} {hour}: {text}"
            for source, hour in kept
            if (text := _not_shown(stated.get((source, hour))))
        ]
        return Freshness(
            proven=False,
            rows=None,
            objects=None,
            first=self._hours.begin,
            last=self._hours.end,
            head="",
            head_time=None,
            engine=self._name,
            not_shown=tuple(without[:_MAX_NAMED]),
            not_shown_count=len(without),
        )

    def ask(self, sql: str) -> Iterator[tuple[str | None, ...]]:
        """Ask the views a question in Athena's SQL."""
        return self._ask(self._statement(sql))

    def _statement(self, sql: str) -> str:
        return views.statement(sql, self._database, self._hours.bounds)


def _rows(selection: Selection) -> str:
    columns = ", ".join(_text_of(column.name, column.type) for column in COLUMNS)
    condition = selecting.condition(selection)
    return f"SELECT {columns}, object, unit_id, line FROM events WHERE {condition}"


def _text_of(name: str, kind: Type) -> str:
    match kind:
        case Type.TEXTS:
            return f"json_format(CAST({name} AS JSON)) AS {name}"
        case Type.TIME:
            return f"date_diff('millisecond', {_EPOCH}, {name}) AS {name}"
        case _:
            return name


def _row(values: Sequence[str | None]) -> Row:
    if len(values) != len(COLUMNS) + 3:
        raise answers.AnswerError(f"Athena answered {len(values)} columns of a record")
    key, unit, line = values[len(COLUMNS) :]
    place = Place(key or "", unit or "", int(line or 0), standing=Standing.COUNTED)
    read = [
        answers.read(_KINDS[column.type], value)
        for column, value in zip(COLUMNS, values, strict=False)
    ]
    own: Values = tuple(
        () if value is None and column.type is Type.TEXTS else value
        for column, value in zip(COLUMNS, read, strict=True)
    )
    return Row(*(*own, place))


_STATED = """\
SELECT source, hour, max(CASE WHEN counts > 0 THEN 1 ELSE 0 END) AS does_count,
  max(CASE WHEN contains(reasons, 'contested') THEN 1 ELSE 0 END) AS is_contested
FROM standing_statements GROUP BY source, hour"""


def _not_shown(marks: Sequence[str | None] | None) -> str | None:
    """Return why evidence of an hour is not shown, or not all of it; None if all is."""
    if marks is None or marks[0] != "1":
        return "no statement counts it yet"
    return "some of it is contested" if marks[1] == "1" else None


_TRUSTS = f"""\
SELECT l.of_source, l.line FROM evidence_lines AS l
JOIN counted AS c ON c.object = l.object AND c.unit_id = json_extract_scalar(l.line, '$.u')
WHERE l.of_source IN ({", ".join(selecting.literal(each) for each in trust.SOURCES)})
  AND ({" OR ".join(f"l.line LIKE '%{mark.decode()}%'" for mark in trust.TEXTS)})
  AND json_extract(l.line, '$.n') IS NOT NULL"""


def _trusts(source: str, line: str) -> Iterator[Trust]:
    """Yield the acts of trust in one line; none if it cannot be read, as in the other indexes."""
    text = line.encode()
    try:
        read = row_reading.read_line(text, source, lambda index: Place("", "", index))
        raw = decode_line(text).raw
    except ValueError:  # whoever wrote the object chose the bytes
        return
    if read is not None:
        yield from trust.trusts(read, raw or b"")
