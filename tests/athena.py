"""Athena's SQL over an evidence store in a folder: transpiled by sqlglot, executed by DuckDB.

The objects are read as Athena's text tables read them: zstd by the ending of the name, a line a
row, the path beside it. What DuckDB does otherwise is evened out here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from nhi_evidence.investigate.athena.views import UNDATED

DATABASE = "nhi_evidence_main"
BUCKET = "example-evidence"


class Lake:
    """The tables of one store, and the statements they are asked.

    Its files are those that are there when it is made; a statement that was executed is answered
    from memory when it comes again.
    """

    def __init__(self, folder: Path) -> None:
        self._answers: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        self._connection = duckdb.connect()
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"CREATE SCHEMA {DATABASE}")
        # Athena's array_distinct keeps the order; DuckDB's list_distinct has none.
        self._connection.execute(
            f"CREATE MACRO {_DISTINCT}(l) AS list_filter(l, lambda x, i: list_position(l, x) = i)"
        )
        for table, path, parts in (
            ("evidence", "ev/v1/*", "regexp_extract(file, '/ev/v1/([^/]+)/', 1) AS of_source, "),
            ("statements", "op/v1/recon", ""),
        ):
            for name, hour in ((table, "h=[0-9]*"), (f"{table}{UNDATED}", "h=unknown")):
                self._make(folder, name, f"{path}/{hour}/*.ndjson.zst", parts)

    def _make(self, folder: Path, name: str, pattern: str, parts: str) -> None:
        files = [str(each) for each in folder.glob(pattern)]
        read = (
            f"SELECT filename AS file, line FROM read_csv({files}, columns={{'line': 'VARCHAR'}}, "
            "delim='\x01', quote='', escape='', header=false, auto_detect=false, filename=true, "
            "compression='zstd', max_line_size=200000000, null_padding=false, strict_mode=false)"
            if files
            else "SELECT '' AS file, '' AS line WHERE false"
        )
        # To Trino's json_extract what is no JSON has nothing in it; to DuckDB's it is an error.
        self._connection.execute(
            f"CREATE VIEW {DATABASE}.{name} AS SELECT {parts}"
            "regexp_extract(file, '/h=([^/]+)/', 1) AS hour, "
            f"replace(file, '{folder}/', 's3://{BUCKET}/') AS \"$path\", "
            f"CASE WHEN json_valid(line) THEN line END AS line FROM ({read})"
        )

    def ask(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows of a statement of Athena's."""
        if sql not in self._answers:
            result = self._connection.execute(transpiled(sql))
            columns = [each[0] for each in result.description or ()]
            self._answers[sql] = columns, result.fetchall()
        columns, rows = self._answers[sql]
        return list(columns), list(rows)

    def as_texts(self, sql: str) -> Iterator[tuple[str | None, ...]]:
        """Yield the rows of a statement as Athena answers: each value a text, or none."""
        for row in self.ask(sql)[1]:
            yield texts(row)


def texts(row: tuple[Any, ...]) -> tuple[str | None, ...]:
    """Return a row as Athena answers it."""
    return tuple(map(_text, row))


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(sep=" ", timespec="milliseconds")
        case list():
            # What makes it useless: an element may hold the separator.
            return f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)


def kept_hours(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each source and hour there is evidence of."""
    for path in sorted(folder.glob("ev/v1/*/h=*")):
        yield path.parent.name, path.name.removeprefix("h=")


_DISTINCT = "distinct_in_order"


def transpiled(sql: str) -> str:
    """Return a statement of Athena's as DuckDB reads it; raises where sqlglot cannot read it."""
    tree = sqlglot.parse_one(sql, read="athena")
    for each in list(tree.find_all(exp.ArrayDistinct)):
        each.replace(exp.Anonymous(this=_DISTINCT, expressions=[each.this]))
    return str(tree.sql("duckdb"))
