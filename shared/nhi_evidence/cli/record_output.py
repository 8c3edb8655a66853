"""Which records `normalize` prints, and how: JSON lines, CSV for spreadsheets, lines for people."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from enum import StrEnum

import msgspec
import typer

from nhi_evidence.ocsf.objects import Record
from nhi_evidence.phases import Phase
from nhi_evidence.terminal import safe_text

_COLUMNS = (
    *("time", "phase", "outcome", "identity_type", "identity", "operation", "service"),
    *("target", "source_ip", "account", "region", "uid", "raw_sha256"),
)
_SHOWN = (("time", 21), ("phase", 21), ("outcome", 11), ("operation", 32), ("identity", 0))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet may take for a formula.

https://owasp.org/www-community/attacks/CSV_Injection
"""


class Format(StrEnum):
    """How records are printed."""

    NDJSON = "ndjson"
    CSV = "csv"
    TABLE = "table"


class Filter(msgspec.Struct, frozen=True):
    """What a record has to be to be printed; what is None asks nothing."""

    identity: str | None = None
    """Text that the name or an id of the identity holds, lower case."""
    phases: frozenset[str] = frozenset()
    """Phases, lower case; none asks for none."""
    start: int | None = None
    """First instant, milliseconds since the epoch."""
    end: int | None = None
    """The instant after the last."""

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
    """Return an ISO 8601 date (its begin, UTC) or a time with its zone, in milliseconds.

    Raises `typer.BadParameter` for anything else: no zone is assumed.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from error
    if parsed.tzinfo is None:
        if len(text) > len("2026-03-01"):
            raise typer.BadParameter(f"{option}: a time without a zone; for UTC, add Z")
        parsed = parsed.replace(tzinfo=UTC)
    return int(parsed.timestamp() * 1000)


def phases(names: list[str] | None) -> frozenset[str]:
    """Return phases by their names, lower case. Raises `typer.BadParameter` for an unknown name."""
    known = {phase.name.replace("_", " ").lower() for phase in Phase}
    asked = {name.replace("_", " ").lower() for name in names or ()}
    if unknown := asked - known:
        listed = ", ".join(sorted(known))
        raise typer.BadParameter(f"--phase: unknown {sorted(unknown)}; known: {listed}")
    return frozenset(asked)


def heading(form: Format) -> bytes:
    """Return what stands before the first record."""
    if form is Format.CSV:
        return ",".join(_COLUMNS).encode() + b"\r\n"
    if form is Format.TABLE:
        return _aligned({name: name.upper() for name, _ in _SHOWN})
    return b""


def line(record: Record, form: Format) -> bytes:
    """Return a record as a line, with nothing in it that a terminal or spreadsheet acts on."""
    if form is Format.NDJSON:
        return safe_text.neutralize_json(msgspec.json.encode(record)) + b"\n"
    cells = {name: safe_text.neutralize(cell) for name, cell in _cells(record).items()}
    if form is Format.TABLE:
        return _aligned(cells)
    text = io.StringIO()
    csv.writer(text).writerow(
        f"'{cells[name]}" if cells[name].startswith(_FORMULA) else cells[name] for name in _COLUMNS
    )
    return text.getvalue().encode()


def _cells(record: Record) -> dict[str, str]:
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
    }
    return {name: value or "" for name, value in values.items()}


def _aligned(cells: dict[str, str]) -> bytes:
    return "".join(cells[name].ljust(width) for name, width in _SHOWN).rstrip().encode() + b"\n"
