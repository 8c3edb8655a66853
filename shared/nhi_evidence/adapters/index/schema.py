"""The Parquet files of an index, and the views `query` sees."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pyarrow as pa

from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.findings import FindingRow, StatementRows
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.sealed import SealedObject, UnitClaim
from nhi_evidence.investigate.trust import Trust

VERSION = 3
"""Of these files. An index of another version is made anew; it holds nothing of its own."""

_ARROW = {
    Type.TEXT: pa.string(),
    Type.TEXTS: pa.list_(pa.string()),
    Type.INTEGER: pa.int64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIME: pa.timestamp("ms"),
}

EVENTS = pa.schema(
    [
        *(pa.field(column.name, _ARROW[column.type]) for column in COLUMNS),
        pa.field("claim", pa.int64()),
        pa.field("line", pa.int64()),
        pa.field("record", pa.uint64()),
    ]
)
"""Rows: the columns, which claim they came in, their index in the unit, and a hash of record."""

CLAIMS = pa.schema(
    [
        pa.field("claim", pa.int64()),
        pa.field("object", pa.string()),
        pa.field("shard", pa.string()),
        pa.field("leaf", pa.int64()),
        pa.field("sealed_order", pa.int64()),
        pa.field("of_source", pa.string()),
        pa.field("hour", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("part", pa.int64()),
        pa.field("records", pa.int64()),
        pa.field("is_rejection", pa.bool_()),
        pa.field("is_void", pa.bool_()),
        pa.field("body", pa.binary()),
    ]
)
"""Unit lines; `body` is what `counting` weighs."""

STANDING = pa.schema([pa.field("claim", pa.int64()), pa.field("standing", pa.string())])

TRUSTS = pa.schema(
    [
        pa.field("claim", pa.int64()),
        pa.field("name", pa.string()),
        pa.field("issuer", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("time", pa.int64()),
    ]
)

FINDINGS = pa.schema(
    [
        *(
            pa.field(name, pa.int64() if name == "things" else pa.string())
            for name in FindingRow.__struct_fields__
        ),
        pa.field("origin", pa.string()),
        pa.field("size", pa.int64()),
    ]
)
"""Findings of statements, and the log each is of; a statement that finds nothing has no code."""


def events_table(rows: Sequence[tuple[int, Row]]) -> pa.Table:
    """Return rows as a table of `EVENTS`; each with the number of its claim."""
    if not rows:
        return EVENTS.empty_table()
    fields = [msgspec.structs.astuple(row) for _, row in rows]
    values: list[Sequence[Any]] = list(zip(*fields, strict=True))
    arrays = [pa.array(values[at], _ARROW[column.type]) for at, column in enumerate(COLUMNS)]
    arrays += [
        pa.array([claim for claim, _ in rows], pa.int64()),
        pa.array([row.place.line for _, row in rows], pa.int64()),
        pa.array([record_hash(row) for _, row in rows], pa.uint64()),
    ]
    return pa.Table.from_arrays(arrays, schema=EVENTS)


def record_hash(row: Row) -> int:
    """Return a number that rows of the same record share; others rarely do."""
    text = f"{row.provider}\0{row.account}\0{row.uid}\0{row.raw_sha256}"
    return int.from_bytes(sha256(text.encode(errors="surrogatepass")).digest()[:8])


def claims_table(claims: Sequence[tuple[int, SealedObject, UnitClaim]]) -> pa.Table:
    """Return claims as a table of `CLAIMS`."""
    encode = msgspec.msgpack.Encoder().encode
    rows = [
        {
            "claim": number,
            "object": at.key,
            "shard": at.shard,
            "leaf": at.leaf,
            "sealed_order": at.order,
            "of_source": at.source,
            "hour": at.hour,
            "unit": each.claim.unit,
            "part": each.claim.part,
            "records": each.claim.records,
            "is_rejection": each.claim.is_rejection,
            "is_void": each.is_void,
            "body": encode(each),
        }
        for number, at, each in claims
    ]
    return pa.Table.from_pylist(rows, schema=CLAIMS)


def findings_table(statements: Sequence[StatementRows]) -> pa.Table:
    """Return what statements say as a table of `FINDINGS`."""
    rows = []
    for each in statements:
        account, region, stream = each.scope
        stands = {"made_by": "completeness", "source": each.source, "hour": each.hour,
                  "account": account, "region": region, "stream": stream,
                  "object": each.key, "origin": each.origin, "size": each.size}  # fmt: skip
        rows.append(stands)
        rows += (stands | msgspec.structs.asdict(row) for row in each.rows)
    return pa.Table.from_pylist(rows, schema=FINDINGS)


def trusts_table(trusts: Sequence[tuple[int, Trust]]) -> pa.Table:
    """Return acts of trust as a table of `TRUSTS`."""
    rows = [{"claim": claim, **msgspec.structs.asdict(each)} for claim, each in trusts]
    return pa.Table.from_pylist(rows, schema=TRUSTS)
