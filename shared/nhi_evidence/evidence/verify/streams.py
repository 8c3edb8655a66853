"""V5: compare the runs of a stream message by message, wherever its batches begin and end.

A run is remembered by its numbers and one hash. Only when two runs overlap without being equal are
their tables read again, for the hash of each message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import groupby

from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.lines import Header, UnitLine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Edges, Run

HashesOf = Callable[[Run], Sequence[str]]
"""Returns the hash of each message of a run, read again from its table."""


def run_of(header: Header, unit: UnitLine, key: str, version: str) -> Run | str | None:
    """Return the run a unit line states, None if its name claims no range, or what is wrong (str).

    A unit whose name claims a range must hold exactly the messages in it.
    """
    claimed = event_hub.claimed(unit.unit)
    if claimed is None or unit.part != 1:
        return None
    stream, first, last = claimed
    messages = unit.messages
    if messages is None:
        return "its name claims a range, but it states no messages"
    if (messages.first, len(messages.h)) != (first, last - first + 1):
        return f"{len(messages.h)} messages from {messages.first}"
    digest = sha256("".join(messages.h).encode()).hexdigest()
    return Run(header.source, stream, first, last, digest, header.hour, key, version, unit.unit)


Place = tuple[str, str, int, int, str]


def place(run: Run) -> Place:
    """Return the sort key of a run: by stream, with equal runs adjacent."""
    return run.source, run.stream, run.first, run.last, run.hashes


class Weighed:
    """The runs of all streams, weighed in one pass."""

    def __init__(
        self, runs: Iterable[Run], expired: Mapping[str, Sequence[str]], hashes_of: HashesOf
    ) -> None:
        """Weigh the runs of everything that is counted; they come sorted by `place`.

        `expired` lists, by source, the hours that have lost something to lawful expiry.
        """
        self.duplicates = 0
        """Messages that were delivered in more than one run."""
        self.findings: list[Finding] = []
        for (source, stream), same in groupby(runs, key=lambda run: (run.source, run.stream)):
            gone = sorted(expired.get(source, ()))
            self._stream(_Overlaps(f"{source}: {stream}", hashes_of), same, gone)

    def _stream(self, overlaps: _Overlaps, runs: Iterable[Run], gone: Sequence[str]) -> None:
        before: Run | None = None
        reach: Run | None = None
        for run in runs:
            if before is not None and place(run) == place(before):
                self.duplicates += run.last - run.first + 1
                continue
            before = run
            if reach is not None and run.first > reach.last + 1:
                self._gap(overlaps.where, reach, run, gone)
            overlaps.take(run, is_open=reach is not None and run.first <= reach.last)
            if reach is None or run.last > reach.last:
                reach = run
        overlaps.close()
        self.duplicates += overlaps.duplicates
        self.findings += overlaps.findings

    def _gap(self, where: str, before: Run, after: Run, gone: Sequence[str]) -> None:
        """Report numbers that no run holds, unless a run that held them may have expired."""
        low, high = sorted((before.hour, after.hour))
        at = bisect_left(gone, low)
        if at == len(gone) or gone[at] > high:
            detail = _numbers(before.last + 1, after.first - 1)
            self.findings.append(Finding(code="range_gap", key=where, detail=detail))


class _Overlaps:
    """Runs of one stream that hold the same numbers; remembers only those still open."""

    def __init__(self, where: str, hashes_of: HashesOf) -> None:
        self.where = where
        self.duplicates = 0
        self.findings: list[Finding] = []
        self._hashes_of = hashes_of
        self._unread: Run | None = None
        """The last run, until another overlaps it."""
        self._known: dict[int, bytes] = {}
        self._order = deque[int]()
        """The known numbers, ascending: an overlapping run only adds those past the last."""
        self._others: dict[int, set[bytes]] = {}
        """For a number with different messages: the hashes other than the known one."""
        self._contested: list[int] = []

    def take(self, run: Run, *, is_open: bool) -> None:
        """Take the next run; `is_open` means it overlaps an earlier one."""
        if not is_open:
            self.close()
            self._unread = run
            return
        if self._unread is not None:
            self._read(self._unread)
            self._unread = None
        self._drop(run.first)
        self._read(run)

    def close(self) -> None:
        """Weigh whatever is still open."""
        self._drop(None)
        for first, last in _joined((number, number) for number in self._contested):
            self._find("range_contested", self.where, _numbers(first, last))
        self._contested, self._unread = [], None

    def _read(self, run: Run) -> None:
        hashes = self._hashes_of(run)
        try:
            digests = [bytes.fromhex(text) for text in hashes]
        except ValueError:
            digests = []
        if not digests or sha256("".join(hashes).encode()).hexdigest() != run.hashes:
            self._find("object_altered", run.key, "its table differs when read again")
            return
        for number, digest in enumerate(digests, start=run.first):
            if number not in self._known:
                self._known[number] = digest
                self._order.append(number)
            elif self._known[number] != digest:
                self._others.setdefault(number, set()).add(digest)
        self.duplicates += len(hashes)

    def _drop(self, until: int | None) -> None:
        """Weigh the numbers below `until`, which no later run can hold; all of them if None."""
        while self._order and (until is None or self._order[0] < until):
            number = self._order.popleft()
            others = self._others.pop(number, set())
            del self._known[number]
            self.duplicates -= 1 + len(others)
            if others:
                self._contested.append(number)

    def _find(self, code: str, key: str, detail: str) -> None:
        self.findings.append(Finding(code=code, key=key, detail=detail))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap; they come ordered by their start."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _numbers(first: int, last: int) -> str:
    return f"number {first}" if first == last else f"numbers {first} to {last}"


def merged(edges: Iterable[Edges]) -> Edges:
    """Merge the open edges of several parts."""
    runs: list[Run] = []
    expired: defaultdict[str, set[str]] = defaultdict(set)
    for part in edges:
        runs += part.runs
        for source, gone in part.expired.items():
            expired[source] |= set(gone)
    return Edges(runs=runs, expired=_sorted(expired))


def _sorted(expired: Mapping[str, set[str]]) -> dict[str, list[str]]:
    return {source: sorted(found) for source, found in sorted(expired.items())}


def add_expired(edges: Edges, key: str) -> None:
    """Note the hour of a key as one that has lost something to lawful expiry."""
    parsed = keys.parse_key(key)
    if parsed.kind == "ev" and parsed.hour is not None:
        gone = edges.expired.setdefault(parsed.source, [])
        if gone[-1:] != [parsed.hour]:  # keys come in order, so those of an hour are adjacent
            gone.append(parsed.hour)
