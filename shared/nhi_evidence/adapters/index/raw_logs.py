"""A temporary index of raw log files: nothing in it is proven."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from msgspec.structs import astuple

from nhi_evidence.adapters.index import schema, weigh
from nhi_evidence.adapters.index import state as states
from nhi_evidence.adapters.index.state import State
from nhi_evidence.investigate.index import Unread
from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.trust import Trust

_FILE_ROWS = 200_000
"""Rows in one file, which are held in memory before they are written."""


def build(
    folder: Path, rows: Iterable[tuple[Row, tuple[Trust, ...]]], unread: Unread | None = None
) -> State:
    """Create an index of raw logs in an empty folder, with one claim per file.

    `unread` collects what could not be read while `rows` are being read.
    """
    state = State(log="", accepted=[])
    state.generation = 1
    files: dict[str, int] = {}
    pending, waiting = schema.EventRows(), 0
    trusts: list[tuple[int, Trust]] = []
    for row, stated in rows:
        claim = files.setdefault(row.place.object, len(files))
        pending.put(claim, row.place.line, astuple(row)[:-1])
        waiting += 1
        trusts += ((claim, each) for each in stated)
        if waiting == _FILE_ROWS:
            states.put(folder, state, "events", pending.table())
            pending, waiting = schema.EventRows(), 0
    states.put(folder, state, "events", pending.table())
    if unread is not None:
        state.note_unreadable(unread.texts, unread.count)
    claims = [
        {"claim": number, "object": name, "shard": "", "leaf": -1, "unit": ""}
        for name, number in files.items()
    ]
    states.put(folder, state, "claims", pa.Table.from_pylist(claims, schema=schema.CLAIMS))
    states.put(folder, state, "trusts", schema.trusts_table(trusts))
    state.objects = len(files)
    weigh.write(folder, state, dict.fromkeys(files.values(), Standing.UNPROVEN))
    states.save(folder, state)
    return state
