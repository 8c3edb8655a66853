"""Brings an index up to the signed head of its store: new objects are read, once."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from nhi_evidence.adapters.index import schema, weigh
from nhi_evidence.adapters.index import state as states
from nhi_evidence.adapters.index.state import State
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.findings import StatementRows
from nhi_evidence.investigate.sealed import Head, SealedObject, UnitClaim
from nhi_evidence.investigate.trust import Trust
from nhi_evidence.ports import EvidenceVersions

BATCH_ROWS = 200_000
"""Rows in one file, about: what is held in memory before it is written."""

_WORTH_PROCESSES = 8
"""Objects from which on other processes help."""

Progress = Callable[[str, int], None]


def refresh(
    folder: Path,
    store: EvidenceVersions,
    stored: StoredLog,
    *,
    log_name: str,
    accepted: Sequence[str] = (),
    progress: Progress = lambda _what, _done: None,
    jobs: int | None = None,
) -> State:
    """Make or extend the index in `folder`, and return its state.

    Raises `LogError` when the log is not what its keys signed, `SettingsError` when the folder
    holds another log's index or something else.
    """
    signed = sealed.heads(stored)
    state = states.load(folder)
    if state is not None and (state.log, state.accepted) != (log_name, list(accepted)):
        state = None  # another log, or another policy of what counts
    if state is not None and not _continues(state.heads, signed):
        state = None  # the store went back: nothing of what was read is believed
    if state is not None and state.heads == signed:
        return state
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what it holds is evidence
    state = state or State(log=log_name, accepted=list(accepted))
    state.generation += 1
    known = {head.shard: head.size for head in state.heads}
    listed = sealed.listed(stored, signed)
    state.head_time = listed.signed_at
    new = [each for each in listed.objects if each.leaf >= known.get(each.shard, 0)]
    hours = _Adding(folder, state, progress).add(store, new, jobs or os.cpu_count() or 1)
    stated = [each for each in listed.statements if each.leaf >= known.get(each.shard, 0)]
    _add_statements(folder, state, store, stated)
    state.heads = signed
    weigh.hours(folder, state, hours)
    states.save(folder, state)
    return state


def _add_statements(
    folder: Path, state: State, store: EvidenceVersions, new: Sequence[SealedObject]
) -> None:
    """Add what sealed statements on completeness say."""
    rows: list[StatementRows] = []
    bodies = store.bodies((each.key, each.vid) for each in new)
    for at, body in zip(new, bodies, strict=True):
        try:
            rows += sealed.read_statements(at, body)
        except (ValueError, RecursionError) as error:
            state.note_unreadable([f"{at.key}: {error}"], 1)
    if rows:
        number = len(state.findings) + 1
        states.put(folder, state, "findings", number, schema.findings_table(rows))


def _continues(old: Sequence[Head], new: Sequence[Head]) -> bool:
    """Whether every head that was read is still there, as large at least."""
    sizes = {head.shard: head for head in new}
    return all(
        head.shard in sizes and (sizes[head.shard].size > head.size or sizes[head.shard] == head)
        for head in old
    )


class _Adding:
    """Reads objects and writes their rows, a file a batch."""

    def __init__(self, folder: Path, state: State, progress: Progress) -> None:
        self._folder = folder
        self._state = state
        self._progress = progress
        self._rows: list[pa.Table] = []
        self._row_count = 0
        self._claims: list[tuple[int, SealedObject, UnitClaim]] = []
        self._trusts: list[tuple[int, Trust]] = []
        self._hours: set[tuple[str, str]] = set()

    def add(
        self, store: EvidenceVersions, new: Sequence[SealedObject], jobs: int
    ) -> set[tuple[str, str]]:
        """Add objects; returns the sources and hours that have to be weighed again."""
        bodies = store.bodies((each.key, each.vid) for each in new)
        for done, (at, result) in enumerate(
            _read_all(zip(new, bodies, strict=True), jobs, len(new))
        ):
            self._progress("objects", done)
            self._hours.add((at.source, at.hour))
            if isinstance(result, str):
                self._state.note_unreadable([f"{at.key}: {result}"], 1)
                continue
            self._take(at, *result)
            if self._row_count >= BATCH_ROWS:
                self._write()
        # An index of objects none of which can be read is one, too: it says so, of no rows.
        if self._rows or self._claims or not self._state.events:
            self._write()
        self._state.objects += len(new)
        return self._hours

    def _take(
        self,
        at: SealedObject,
        rows: pa.Table,
        claims: Sequence[UnitClaim],
        trusts: Sequence[tuple[int, Trust]],
        unreadable: tuple[Sequence[str], int],
    ) -> None:
        first = self._state.next_claim
        shifted = pc.add(rows["claim"], first)
        self._rows.append(rows.set_column(rows.schema.get_field_index("claim"), "claim", shifted))
        self._row_count += rows.num_rows
        self._claims += [(first + number, at, each) for number, each in enumerate(claims)]
        self._trusts += [(first + number, each) for number, each in trusts]
        self._state.next_claim += len(claims)
        self._state.note_unreadable(*unreadable)

    def _write(self) -> None:
        number = len(self._state.events) + 1
        if number == 1 and not self._rows:
            self._rows = [schema.EVENTS.empty_table()]
        for kind, table in (
            ("events", pa.concat_tables(self._rows) if self._rows else None),
            ("claims", schema.claims_table(self._claims)),
            ("trusts", schema.trusts_table(self._trusts)),
        ):
            if table is None:
                continue
            states.put(self._folder, self._state, kind, number, table)
        self._rows, self._row_count, self._claims, self._trusts = [], 0, [], []


_Read = tuple[
    pa.Table, tuple[UnitClaim, ...], tuple[tuple[int, Trust], ...], tuple[tuple[str, ...], int]
]


def _read_all(
    objects: Iterable[tuple[SealedObject, bytes | None]], jobs: int, count: int
) -> Iterator[tuple[SealedObject, _Read | str]]:
    """Yield what each object holds, or why it cannot be read; in order."""
    if jobs == 1 or count < _WORTH_PROCESSES:
        for at, body in objects:
            yield at, _read(at, body)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        # As one is taken the next is begun: no process waits while rows are written here.
        begun: deque[tuple[SealedObject, Future[_Read | str]]] = deque()
        for at, body in objects:
            begun.append((at, pool.submit(_read, at, body)))
            if len(begun) == 2 * jobs:
                first, result = begun.popleft()
                yield first, result.result()
        for at, result in begun:
            yield at, result.result()


def _read(at: SealedObject, body: bytes | None) -> _Read | str:
    with _uncollected():
        try:
            content = sealed.read_values(at, body)
        except (ValueError, RecursionError) as error:
            return str(error)
        named = content.unreadable, content.unreadable_count
        return schema.events_table(content.rows), content.claims, content.trusts, named


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector of cycles away from a hundred thousand tuples, none of which is in one.

    Looking through them again and again is a tenth of the time of an index.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
