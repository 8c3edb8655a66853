"""Read Log Analytics responses: the tables of a query, and rows of `AzureActivity`.

https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format
https://learn.microsoft.com/azure/azure-monitor/reference/tables/azureactivity
"""

from __future__ import annotations

import msgspec

_OPERATION, _GENERATED, _EVENT_TIME = "OperationNameValue", "TimeGenerated", "eventTimestamp"
_TIMES = frozenset({"time", "eventtimestamp"})


class _Column(msgspec.Struct, frozen=True):
    name: str


class _Table(msgspec.Struct, frozen=True):
    columns: list[_Column]
    rows: list[list[msgspec.Raw]]


_tables = msgspec.json.Decoder(list[_Table]).decode


def rows(tables: msgspec.Raw) -> list[bytes]:
    """Return every row of every table as an object. Raises `msgspec.MsgspecError` if malformed."""
    return [
        msgspec.json.encode(
            {
                column.name: cell
                for column, cell in zip(table.columns, row, strict=False)
                if bytes(cell) != b"null"
            }
        )
        for table in _tables(tables)
        for row in table.rows
    ]


def activity(row: dict[str, msgspec.Raw]) -> bytes | None:
    """Return an `AzureActivity` row with its time under the Activity Log's name.

    In that table, `TimeGenerated` is when the event was generated. None for any other object.
    """
    if _OPERATION not in row or _GENERATED not in row:
        return None
    if any(name.lower() in _TIMES for name in row):
        return None
    return msgspec.json.encode({_EVENT_TIME: row[_GENERATED], **row})
