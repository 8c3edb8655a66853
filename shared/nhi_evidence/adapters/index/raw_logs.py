"""An index of raw log files, for one question: nothing in it is proven."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from msgspec.structs import astuple

from nhi_evidence.adapters.index import schema, weigh
from nhi_evidence.adapters.index import state as states
from nhi_evidence.adapters.index.build import BATCH_ROWS
from nhi_evidence.adapters.index.state import State
from nhi_evidence.investigate.index import Unread
from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.trust import Trust


def build(
    folder: Path, rows: Iterable[tuple[Row, tuple[Trust, ...]]], unread: Unread | None = None
) -> State:
    """Make an index of raw logs in an empty folder; a claim for each file.

    `unread` is what reading `rows` could not read, noted as they are read.
    """
    state = State(log="", accepted=[])
    state.generation = 1
    files: dict[str, int] = {}
    pending: list[tuple[int, Row]] = []
    trusts: list[tuple[int, Trust]] = []
    for row, stated in rows:
        claim = files.setdefault(row.place.object, len(files))
        pending.append((claim, row))
        trusts += ((claim, each) for each in stated)
        if len(pending) >= BATCH_ROWS:
            _put_events(folder, state, pending)
            pending = []
    _put_events(folder, state, pending)
    if unread is not None:
        state.note_unreadable(unread.texts, unread.count)
    claims = [
        {"claim": number, "object": name, "shard": "", "leaf": -1, "unit": ""}
        for name, number in files.items()
    ]
    states.put(folder, state, "claims", 1, pa.Table.from_pylist(claims, schema=schema.CLAIMS))
    states.put(folder, state, "trusts", 1, schema.trusts_table(trusts))
    state.objects = len(files)
    weigh.write(folder, state, dict.fromkeys(files.values(), Standing.UNPROVEN))
    states.save(folder, state)
    return state


def _put_events(folder: Path, state: State, rows: list[tuple[int, Row]]) -> None:
    table = schema.events_table((claim, row.place.line, astuple(row)[:-1]) for claim, row in rows)
    states.put(folder, state, "events", len(state.events) + 1, table)
