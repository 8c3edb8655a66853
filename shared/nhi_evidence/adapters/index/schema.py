"""The schemas of an index's Parquet files, and conversion of rows to them."""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Sequence
from hashlib import sha256

import msgspec
import pyarrow as pa

from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.findings import FindingRow, StatementRows
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.row_reading import Values
from nhi_evidence.investigate.sealed import SealedObject, UnitClaim
from nhi_evidence.investigate.trust import Trust

VERSION = 7
"""Version of these files. An index of another version is rebuilt, as it is only a cache."""

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
"""Rows: the columns, the claim they came in, their index in the unit, and a hash of the record."""

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
"""Findings of statements, and the log each is about; a statement without findings has a row
without a code."""


_ROWS_AT_ONCE = 512
"""Rows converted to columns at once: as many as stay in the processor's cache."""

_TYPES = [_ARROW[column.type] for column in COLUMNS]


class EventRows:
    """Converts rows to columns as they come, so that each is a Python value only briefly."""

    def __init__(self, first_claim: int = 0) -> None:
        """Start empty; `put` counts claims from `first_claim`."""
        self._first = first_claim
        self._waiting: list[tuple[int, int, Values]] = []
        self._batches: list[pa.RecordBatch] = []

    def put(self, claim: int, line: int, values: Values) -> None:
        """Add a row: its claim, its index in the unit, its values."""
        self._waiting.append((self._first + claim, line, values))
        if len(self._waiting) == _ROWS_AT_ONCE:
            self._convert()

    def table(self) -> pa.Table:
        """Return all rows as a table of `EVENTS`."""
        if self._waiting:
            self._convert()
        return pa.Table.from_batches(self._batches, schema=EVENTS)

    def _convert(self) -> None:
        claims, lines, values = zip(*self._waiting, strict=True)
        self._waiting.clear()
        columns = zip(*values, strict=True)
        arrays = [pa.array(each, kind) for each, kind in zip(columns, _TYPES, strict=True)]
        arrays += [
            pa.array(claims, pa.int64()),
            pa.array(lines, pa.int64()),
            record_hashes([row[_RAW] for row in values]),
        ]
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=EVENTS))


def record_hashes(hashes: Sequence[str]) -> pa.Array:
    """Return, for each hash of a raw text, a number that is equal for the same record.

    Different records rarely share one. The same record has the same raw bytes; the query compares
    the other things that make it the same.
    """
    if set(map(len, hashes)) == {_DIGITS} and _HEX.fullmatch("".join(hashes)):
        # The beginning of a hash is as good as a hash of it.
        numbers = array("Q", bytes.fromhex("".join([each[:16] for each in hashes])))
        if sys.byteorder == "little":
            numbers.byteswap()
        return pa.Array.from_buffers(pa.uint64(), len(hashes), [None, pa.py_buffer(numbers)])
    return pa.array([_record_hash(each) for each in hashes], pa.uint64())


def _record_hash(raw: str) -> int:
    if len(raw) == _DIGITS and _HEX.fullmatch(raw):
        return int(raw[:16], 16)
    return int.from_bytes(sha256(raw.encode(errors="surrogatepass")).digest()[:8])


_RAW = Row.__struct_fields__.index("raw_sha256")
_DIGITS = 64
_HEX = re.compile("[0-9a-f]*")


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
    """Return the findings of statements as a table of `FINDINGS`."""
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
