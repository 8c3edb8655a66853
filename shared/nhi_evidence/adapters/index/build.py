"""Bringing an index up to the signed head of its store; every object is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nhi_evidence.adapters.index import groups, schema, weigh
from nhi_evidence.adapters.index import state as states
from nhi_evidence.adapters.index.groups import Group, Numbered, Read, Unread
from nhi_evidence.adapters.index.state import State
from nhi_evidence.adapters.processes import cores
from nhi_evidence.evidence.objects import MAX_UNITS
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.findings import StatementRows
from nhi_evidence.investigate.sealed import Head, SealedObject, UnitClaim
from nhi_evidence.investigate.trust import Trust
from nhi_evidence.ports import EvidenceVersions

_FILE_CLAIMS = 50_000
"""Claims held in memory before they are written."""

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
    """Create or extend the index in `folder`, and return its state.

    An index of another log, or of other accepted releases, is replaced. Raises `LogError` when the
    log is not what its keys signed, `SettingsError` when the folder holds something other than an
    index, and `ProcessEndedError` when a worker process dies.
    """
    signed = sealed.heads(stored)
    state = states.load(folder)
    if state is not None and (state.log, state.accepted) != (log_name, list(accepted)):
        state = None  # another log, or another policy of what counts
    if state is not None and not _continues(state.heads, signed):
        state = None  # the store was rolled back: nothing read from it before is trusted
    if state is not None and state.heads == signed:
        return state
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds evidence
    if state is None:
        state = State(log=log_name, accepted=list(accepted))
        states.save(folder, state)  # so that an interrupted one is still known to be an index
    state.generation += 1
    known = {head.shard: head.size for head in state.heads}
    listed = sealed.listed(stored, signed)
    state.head_time = listed.signed_at
    new = [each for each in listed.objects if each.leaf >= known.get(each.shard, 0)]
    hours = _Adding(folder, state, progress).add(store, new, jobs or cores())
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
        states.put(folder, state, "findings", schema.findings_table(rows))


def _continues(old: Sequence[Head], new: Sequence[Head]) -> bool:
    """Whether every head that was read is still there, unchanged or grown."""
    sizes = {head.shard: head for head in new}
    return all(
        head.shard in sizes and (sizes[head.shard].size > head.size or sizes[head.shard] == head)
        for head in old
    )


class _Adding:
    """Reads objects in groups, each of which writes its rows to a file."""

    def __init__(self, folder: Path, state: State, progress: Progress) -> None:
        self._folder = folder
        self._state = state
        self._progress = progress
        self._claims: list[tuple[int, SealedObject, UnitClaim]] = []
        self._trusts: list[tuple[int, Trust]] = []
        self._hours: set[tuple[str, str]] = set()

    def add(
        self, store: EvidenceVersions, new: Sequence[SealedObject], jobs: int
    ) -> set[tuple[str, str]]:
        """Add objects; return the sources and hours that have to be weighed again."""
        done = 0
        for result in groups.read_all(self._groups(store, new), jobs):
            if result.file is not None:
                self._state.events.append(result.file)
            for each in result.objects:
                self._progress("objects", done)
                done += 1
                self._take(each)
            if len(self._claims) >= _FILE_CLAIMS:
                self._write()
        if not self._state.events:
            # If no object can be read there is still an index: it has no rows, and says why.
            states.put(self._folder, self._state, "events", schema.EVENTS.empty_table())
        if self._claims or not self._state.claims:
            self._write()
        self._state.objects += len(new)
        return self._hours

    def _groups(self, store: EvidenceVersions, new: Sequence[SealedObject]) -> Iterator[Group]:
        first = self._state.next_claim
        self._state.next_claim += len(new) * MAX_UNITS
        bodies = store.bodies((each.key, each.vid) for each in new)
        numbered = (
            Numbered(first + number * MAX_UNITS, at, body)
            for number, (at, body) in enumerate(zip(new, bodies, strict=True))
        )
        for number, objects in enumerate(groups.grouped(numbered)):
            yield Group(self._folder, self._state.new_name("events", number), objects)

    def _take(self, each: Read | Unread) -> None:
        self._hours.add((each.at.source, each.at.hour))
        if isinstance(each, Unread):
            self._state.note_unreadable([f"{each.at.key}: {each.reason}"], 1)
            return
        content, first = each.content, each.first_claim
        self._claims += [
            (first + number, each.at, own) for number, own in enumerate(content.claims)
        ]
        self._trusts += [(first + number, own) for number, own in content.trusts]
        self._state.note_unreadable(content.unreadable, content.unreadable_count)

    def _write(self) -> None:
        states.put(self._folder, self._state, "claims", schema.claims_table(self._claims))
        states.put(self._folder, self._state, "trusts", schema.trusts_table(self._trusts))
        self._claims, self._trusts = [], []
