"""Which records `normalize` prints, and how: for programs, spreadsheets, databases or people."""

from __future__ import annotations

import csv
import importlib
import io
from datetime import UTC, datetime
from enum import StrEnum
from typing import BinaryIO, Protocol

import msgspec
import typer

from nhi_evidence.ocsf.objects import Record
from nhi_evidence.phases import Phase
from nhi_evidence.terminal import safe_text

COLUMNS = (
    *("time", "phase", "outcome", "identity_type", "identity", "operation", "service"),
    *("target", "source_ip", "account", "region", "uid", "raw_sha256", "labels"),
)
_COLUMNS = (("time", 21), ("phase", 21), ("outcome", 15), ("operation", 28), ("identity", 0))
_ASSUMED = "*"
"""Follows a time whose zone is assumed."""


class Format(StrEnum):
    """How records are printed."""

    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    TABLE = "table"


class Filter(msgspec.Struct, frozen=True):
    """Conditions for a record to be printed; None is no condition."""

    identity: str | None = None
    """Text contained in the identity's name or one of its ids, lower case."""
    phases: frozenset[str] = frozenset()
    """Phases, lower case; empty is no condition."""
    start: int | None = None
    """Start, milliseconds since the epoch."""
    end: int | None = None
    """End, exclusive."""

    def takes(self, record: Record) -> bool:
        """Whether a record is to be printed."""
        who = record.nhi
        names = (who.name, who.uid, who.canonical_uid, who.credential_uid)
        return (
            (self.identity is None or any(self.identity in (name or "").lower() for name in names))
            and (not self.phases or record.nhi_phase.lower() in self.phases)
            and (self.start is None or record.time >= self.start)
            and (self.end is None or record.time < self.end)
        )


def instant(text: str | None, option: str) -> int | None:
    """Return an ISO 8601 date (its start, UTC) or a time with its zone, in milliseconds.

    Raises `typer.BadParameter` for anything else: no zone is assumed.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        text = f"{text!r} is no time; write 2026-03-01, or 2026-03-01T12:00:00Z"
        raise typer.BadParameter(f"{option}: {text}") from error
    if parsed.tzinfo is None:
        if len(text) > len("2026-03-01"):
            raise typer.BadParameter(f"{option}: a time without a zone; for UTC, add Z")
        parsed = parsed.replace(tzinfo=UTC)
    return int(parsed.timestamp() * 1000)


def window(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """Return `--from` and `--to` as instants. Raises `typer.BadParameter` if nothing is between."""
    start, end = instant(since, "--from"), instant(until, "--to")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--from must be before --to")
    return start, end


def phases(names: list[str] | None) -> frozenset[str]:
    """Return phases by their names, lower case. Raises `typer.BadParameter` for an unknown name."""
    known = {phase.name.replace("_", " ").lower() for phase in Phase}
    wanted = {name.replace("_", " ").lower() for name in names or ()}
    if unknown := wanted - known:
        listed = ", ".join(sorted(known))
        raise typer.BadParameter(f"--phase: unknown {sorted(unknown)}; known: {listed}")
    return frozenset(wanted)


class Writer(Protocol):
    """Prints records, each at once or all when it is closed."""

    def write(self, record: Record) -> None:
        """Take a record. Nothing that a terminal or a spreadsheet acts on is printed."""

    def close(self) -> None:
        """Write what remains, and the format's ending."""


def ensure(form: Format) -> None:
    """Raise `SettingsError` where a format needs a library that is not installed."""
    if form is Format.PARQUET:
        importlib.import_module("nhi_evidence.cli.parquet_output")


def writer(form: Format, sink: BinaryIO) -> Writer:
    """Return what prints to `sink`, after writing its heading.

    Raises `SettingsError` where the library for Parquet is not installed.
    """
    if form is Format.PARQUET:
        from nhi_evidence.cli.parquet_output import ParquetWriter  # noqa: PLC0415 optional

        return ParquetWriter(sink)
    return _Lines(form, sink)


class _Lines:
    """Writes a line for each record."""

    def __init__(self, form: Format, sink: BinaryIO) -> None:
        self._form, self._sink = form, sink
        sink.write(_heading(form))

    def write(self, record: Record) -> None:
        self._sink.write(_line(record, self._form))

    def close(self) -> None:
        self._sink.flush()


def _heading(form: Format) -> bytes:
    if form is Format.CSV:
        return ",".join(COLUMNS).encode() + b"\r\n"
    if form is Format.TABLE:
        return _aligned({name: name.upper() for name, _ in _COLUMNS})
    return b""


def as_json(record: Record) -> bytes:
    """Return a record as JSON that is safe to show in a terminal."""
    return safe_text.neutralize_json(msgspec.json.encode(record))


def _line(record: Record, form: Format) -> bytes:
    if form is Format.NDJSON:
        return as_json(record) + b"\n"
    row = {name: safe_text.neutralize(cell) for name, cell in cells(record).items()}
    if form is Format.TABLE:
        if row["labels"]:
            row["time"] += _ASSUMED
        return _aligned(row)
    text = io.StringIO()
    csv.writer(text).writerow(
        f"'{row[name]}" if row[name].startswith(safe_text.FORMULA) else row[name]
        for name in COLUMNS
    )
    return text.getvalue().encode()


def cells(record: Record) -> dict[str, str]:
    """Return a record's columns; what it does not state is empty."""
    target = record.resources[0] if record.resources else None
    values = {
        "time": safe_text.instant(record.time),
        "phase": record.nhi_phase,
        "outcome": record.nhi_outcome,
        "identity_type": record.nhi.type,
        "identity": record.nhi.uid or record.nhi.name,
        "operation": record.api.operation,
        "service": record.api.service.name,
        "target": (target.uid or target.name) if target else None,
        "source_ip": record.src_endpoint.ip if record.src_endpoint else None,
        "account": record.cloud.account.uid if record.cloud.account else None,
        "region": record.cloud.region,
        "uid": record.metadata.uid,
        "raw_sha256": record.raw_data_hash.value,
        "labels": " ".join(record.metadata.labels),
    }
    return {name: value or "" for name, value in values.items()}


def _aligned(row: dict[str, str]) -> bytes:
    text = " ".join(row[name].ljust(width) for name, width in _COLUMNS)
    return text.rstrip().encode() + b"\n"
