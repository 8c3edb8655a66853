"""Timelines for other tools: Timesketch, spreadsheets, anything that reads OCSF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256

import msgspec

from nhi_evidence.cli import query_output
from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import keys, objects
from nhi_evidence.evidence.lines import decode_line
from nhi_evidence.investigate.columns import COLUMNS, Type
from nhi_evidence.investigate.lineage import Step
from nhi_evidence.investigate.row import Place
from nhi_evidence.investigate.timeline import Timeline
from nhi_evidence.ports import EvidenceReader
from nhi_evidence.terminal.safe_text import iso_instant, neutralize_json


class Format(StrEnum):
    """How a timeline is printed."""

    TEXT = "text"
    JSON = "json"
    TIMESKETCH = "timesketch"
    CSV = "csv"
    OCSF = "ocsf"


def timesketch(timeline: Timeline) -> Iterator[bytes]:
    """Yield JSON lines with the attributes Timesketch requires, and the columns besides.

    https://timesketch.org/guides/user/import-from-json-csv/
    """
    for step in timeline.path.steps:
        row = step.row
        target = f" on {row.targets[0]}" if row.targets else ""
        event = {
            "message": f"{row.operation}{target}: {row.outcome}, {row.phase}",
            "datetime": iso_instant(row.time),
            "timestamp_desc": "Event Time",
            "known_by": step.known_by,
            **{name: value for name, value in _plain(step).items() if value not in (None, [], "")},
        }
        yield neutralize_json(msgspec.json.encode(event)) + b"\n"


def csv(timeline: Timeline) -> Iterator[bytes]:
    """Yield lines of CSV in which no cell is a formula."""
    columns = (*(column.name for column in COLUMNS), "known_by", *_PLACE)
    rows = (
        [
            *(
                iso_instant(value) if column.type is Type.TIME else value
                for column, value in zip(COLUMNS, msgspec.structs.astuple(step.row), strict=False)
            ),
            step.known_by,
            *(getattr(step.row.place, name) for name in _PLACE),
        ]
        for step in timeline.path.steps
    )
    return query_output.as_csv(columns, rows)


_PLACE = ("object", "unit", "line", "shard", "leaf", "standing")


def _plain(step: Step) -> Mapping[str, object]:
    row = step.row
    values: dict[str, object] = {
        column.name: list(value) if column.type is Type.TEXTS else value
        for column, value in zip(COLUMNS, msgspec.structs.astuple(row), strict=False)
        if column.type is not Type.TIME
    }
    return values | {f"evidence_{name}": getattr(row.place, name) for name in _PLACE}


def ocsf(timeline: Timeline, store: EvidenceReader) -> Iterator[bytes]:
    """Yield the normalized records themselves, one per line, as they are in the evidence.

    Goes object by object. Raises `SettingsError` naming a record that is no longer there.
    """
    wanted: dict[str, list[Place]] = {}
    for step in timeline.path.steps:
        wanted.setdefault(step.row.place.object, []).append(step.row.place)
    for key, places in wanted.items():
        normalized = _normalized(store, key)
        for place in places:
            record = normalized.get((place.unit, place.line))
            if record is None:
                raise SettingsError(f"{key}: has no record {place.line} of {place.unit}")
            yield neutralize_json(record) + b"\n"


def _normalized(store: EvidenceReader, key: str) -> dict[tuple[str, int], bytes]:
    try:
        body = store.get(key)
        if keys.parse_key(key).body_sha256 != sha256(body).hexdigest():
            raise ValueError("body hash does not match its key")
        table, lines = objects.read_object(body)
        return {
            (unit.unit, line.i or 0): bytes(line.n)
            for unit, own in objects.lines_of(table, lines)
            for line in map(decode_line, own)
            if bytes(line.n)
        }
    except (KeyError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise SettingsError(f"{key}: {error}") from error
