"""Deciding, whenever an index changes, what counts in it and which records repeat others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nhi_evidence.adapters.index import duck, schema
from nhi_evidence.adapters.index.state import State
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.row import Standing
from nhi_evidence.investigate.sealed import UnitClaim

_FETCHED = 10_000


def hours(folder: Path, state: State, changed: Iterable[tuple[str, str]]) -> None:
    """Weigh the claims of the changed sources and hours again, and find repeated records anew."""
    weighed: dict[int, Standing] = {}
    with duck.connect(folder) as connection:
        for claims in _by_hour(connection, folder, state, changed):
            weighed.update(sealed.standings(claims, state.accepted))
    write(folder, state, weighed)


def write(folder: Path, state: State, weighed: Mapping[int, Standing]) -> None:
    """Update the standing of claims, and write which records repeat others."""
    table = pa.table(
        [pa.array(list(weighed), pa.int64()), pa.array(list(weighed.values()), pa.string())],
        schema=schema.STANDING,
    )
    if state.standing is not None:
        old = pq.read_table(folder / state.standing)
        unchanged = pc.invert(pc.is_in(old["claim"], value_set=table["claim"].combine_chunks()))
        table = pa.concat_tables([old.filter(unchanged), table])
    state.standing = f"standing-{state.generation:06d}.parquet"
    pq.write_table(table, folder / state.standing, compression="zstd")
    with duck.connect(folder) as connection:
        repeated = _repeated(connection, folder, state)
    state.repeated = f"repeated-{state.generation:06d}.parquet"
    pq.write_table(repeated, folder / state.repeated, compression="zstd")


def _by_hour(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    state: State,
    changed: Iterable[tuple[str, str]],
) -> Iterator[list[tuple[int, UnitClaim]]]:
    """Yield all claims of each changed source and hour, in a single query."""
    if not state.claims:
        return
    result = connection.execute(
        "SELECT of_source, hour, claim, body FROM read_parquet($files) "
        "WHERE of_source || chr(0) || hour IN (SELECT unnest($changed)) "
        "ORDER BY of_source, hour, claim",
        {
            "files": [str(folder / name) for name in state.claims],
            "changed": [f"{source}\0{hour}" for source, hour in changed],
        },
    )
    decode = msgspec.msgpack.Decoder(UnitClaim).decode
    for _, rows in groupby(_fetched(result), key=lambda row: row[:2]):
        yield [(number, decode(body)) for _, _, number, body in rows]


def _fetched(result: Any) -> Iterator[tuple[Any, ...]]:
    while rows := result.fetchmany(_FETCHED):
        yield from rows


_REPEATED = """
WITH shown AS (
  SELECT e.record, e.claim, e.line, e.provider, e.account, e.uid, e.raw_sha256,
         s.standing, c.shard, c.leaf, c.unit, c.object
  FROM read_parquet($events) e
  JOIN read_parquet($standing) s USING (claim)
  JOIN read_parquet($claims) c USING (claim)
  WHERE s.standing IN ('counted', 'contested', 'unproven')
    AND e.record IN (
      SELECT record FROM read_parquet($events) JOIN read_parquet($standing) USING (claim)
      WHERE standing IN ('counted', 'contested', 'unproven')
      GROUP BY record HAVING count(*) > 1)
)
SELECT claim, line FROM shown
QUALIFY row_number() OVER (
  PARTITION BY provider, account, uid, raw_sha256
  ORDER BY standing = 'contested', shard, leaf, object, unit, line) > 1
"""


def _repeated(connection: duckdb.DuckDBPyConnection, folder: Path, state: State) -> pa.Table:
    """Return the rows that repeat another shown one, as in `investigate.index.distinct`."""
    empty = pa.schema([pa.field("claim", pa.int64()), pa.field("line", pa.int64())])
    if not state.events:
        return empty.empty_table()
    parameters = {
        "events": [str(folder / name) for name in state.events],
        "claims": [str(folder / name) for name in state.claims],
        "standing": str(folder / str(state.standing)),
    }
    return connection.sql(_REPEATED, params=parameters).to_arrow_table().cast(empty)
