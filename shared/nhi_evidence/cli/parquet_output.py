"""Records as a Parquet table: the columns of the CSV, typed, and the whole record as JSON.

https://parquet.apache.org/docs/file-format/
"""

from __future__ import annotations

from typing import Any, BinaryIO

from nhi_evidence.cli import record_output
from nhi_evidence.errors import SettingsError
from nhi_evidence.ocsf.objects import Record

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError as missing:
    raise SettingsError(
        "--format parquet needs pyarrow: install it, or nhi-evidence with the extra `parquet`"
    ) from missing

_GROUP_ROWS = 10_000
_RECORD = "record"


class _Counted:
    """A write-only sink: a pipe cannot report its position."""

    closed = False

    def __init__(self, sink: BinaryIO) -> None:
        self._sink, self._at = sink, 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._sink.flush()

    def close(self) -> None:
        """Leave the sink open; the opener closes it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class ParquetWriter:
    """Writes records in groups of rows; memory holds one group."""

    def __init__(self, sink: BinaryIO) -> None:
        """Write to `sink`, which is not closed."""
        self._schema = pa.schema(
            [
                pa.field(name, pa.timestamp("ms", tz="UTC") if name == "time" else pa.string())
                for name in (*record_output.COLUMNS, _RECORD)
            ]
        )
        self._writer = parquet.ParquetWriter(
            pa.PythonFile(_Counted(sink), mode="w"), self._schema, compression="zstd"
        )
        self._rows: list[dict[str, Any]] = []

    def write(self, record: Record) -> None:
        """See `record_output.Writer`. An empty cell is null."""
        cells: dict[str, Any] = {
            name: value or None for name, value in record_output.cells(record).items()
        }
        cells["time"] = record.time
        cells[_RECORD] = record_output.as_json(record).decode()
        self._rows.append(cells)
        if len(self._rows) == _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """See `record_output.Writer`."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []
