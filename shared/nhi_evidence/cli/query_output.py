"""Output of `query`: for people, spreadsheets, programs or databases."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Any, BinaryIO

import msgspec

from nhi_evidence.terminal import fitting
from nhi_evidence.terminal.safe_text import FORMULA, neutralize, neutralize_json

SCHEMA = "nhi-evidence/query/1"
"""Names the document's schema; a change of meaning changes the number."""

_WEIGHED_ROWS = 200
"""Number of rows that a table's widths are taken from."""


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def text(value: object) -> str:
    """Return a value as one inert line; empty where absent."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return (
                value.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            )
        case list() | tuple():
            return " ".join(map(text, value))
        case _:
            return neutralize(str(value))


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield lines of CSV in which no cell is a formula."""
    yield _csv_line(columns)
    for row in rows:
        yield _csv_line([_inert(text(value)) for value in row])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _csv_line(cells: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def lines(
    form: Format, columns: Sequence[str], rows: Iterable[Sequence[object]], sink: BinaryIO
) -> Iterator[bytes]:
    """Yield CSV or a table; where the sink is a terminal, a table that fits it."""
    if form is Format.CSV:
        return as_csv(columns, rows)
    width = fitting.width(sys.stdout) if sink is sys.stdout.buffer else None
    return as_table(columns, rows, width=width)


def as_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, width: int | None = None
) -> Iterator[bytes]:
    """Yield aligned lines; widths are those of the first rows.

    Nothing is cut off: in a terminal of a `width` too small for a line, each row is printed as a
    block, one column per line; a width of None fits any line.
    """
    waiting = iter(rows)
    first = [
        [text(value) for value in row]
        for _, row in zip(range(_WEIGHED_ROWS), waiting, strict=False)
    ]
    widths = [
        max(len(name), *(len(row[at]) for row in first), 0) for at, name in enumerate(columns)
    ]
    every = chain(first, ([text(value) for value in row] for row in waiting))
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        yield from _blocks(columns, every, width)
        return
    yield _aligned(list(columns), widths)
    for cells in every:
        yield _aligned(cells, widths)


def _blocks(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Iterator[bytes]:
    label = max(map(len, columns)) + 2
    for number, cells in enumerate(rows, start=1):
        yield f"row {number}\n".encode()
        for name, cell in zip(columns, cells, strict=True):
            if cell:
                wrapped = fitting.rows(f"  {name:<{label}}{cell}", width)
                yield "".join(f"{row}\n" for row in wrapped).encode()


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> bytes:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip().encode() + b"\n"


def as_document(
    columns: Sequence[str], rows: Iterable[Sequence[object]], **context: object
) -> bytes:
    """Return the whole answer as one JSON object, inert in a terminal."""
    document = {
        "schema": SCHEMA,
        **context,
        "columns": list(columns),
        "rows": [[_json(value) for value in row] for row in rows],
    }
    return neutralize_json(msgspec.json.encode(document)) + b"\n"


def _json(value: object) -> object:
    return text(value) if isinstance(value, datetime) else value


def as_arrow(rows: Iterable[Sequence[object]], schema: Any) -> Any:
    """Return rows as an Arrow table of a schema."""
    import pyarrow as pa  # noqa: PLC0415 with the index alone

    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array([list(each) if isinstance(each, tuple) else each for each in column], field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_parquet(table: Any, sink: BinaryIO) -> None:
    """Write an Arrow table as Parquet."""
    import pyarrow.parquet as pq  # noqa: PLC0415 with the index alone

    pq.write_table(table, sink, compression="zstd")
