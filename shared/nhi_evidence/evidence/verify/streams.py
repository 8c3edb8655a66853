"""V5: compare the runs of a stream message by message, wherever its batches begin and end.

A run is remembered by its numbers and one hash. Only when two runs overlap without being equal are
their tables read again, for the hash of each message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

from nhi_evidence import plural
from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import flags, keys, sweep
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Edges, Run

HashesOf = Callable[[Run], Sequence[str]]
"""Returns the hash of each message of a run, read again from its table."""


def run_of(source: str, unit: UnitLine, entry: ObjectLeaf) -> Run | str | None:
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
    return Run(source, stream, first, last, digest, entry.at, entry.key, entry.vid, unit.unit)


Place = tuple[str, str, int, int, str]


def place(run: Run) -> Place:
    """Return the sort key of a run: by stream, with equal runs adjacent."""
    return run.source, run.stream, run.first, run.last, run.hashes


class _Received(NamedTuple):
    """The highest number of the runs so far, and when the store first received it."""

    number: int
    at: int


class _Gap(NamedTuple):
    """Numbers that no run holds, and when the store first received those on either side."""

    first: int
    last: int
    before: int
    after: int


class Weighed:
    """The runs of all streams, weighed in one pass."""

    def __init__(
        self, runs: Iterable[Run], expired: Mapping[str, Sequence[int]], hashes_of: HashesOf
    ) -> None:
        """Weigh the runs of everything that is counted; they come sorted by `place`.

        `expired` lists, by source, the hours in which the store received what has expired
        since, as `Edges.expired` does.
        """
        self.duplicates = 0
        """Messages that were delivered in more than one run."""
        self.excused = 0
        """Messages that no run holds, since what held them may have expired."""
        self.findings: list[Finding] = []
        for (source, stream), same in groupby(runs, key=lambda run: (run.source, run.stream)):
            gone = sorted(expired.get(source, ()))
            self._stream(_Overlaps(f"{source}: {stream}", hashes_of), same, gone)

    def _stream(self, overlaps: _Overlaps, runs: Iterable[Run], gone: Sequence[int]) -> None:
        before: Run | None = None
        reach = _Received(-1, 0)
        gap: _Gap | None = None
        for run in runs:
            if gap is not None and run.first > gap.last + 1:
                self._gap(overlaps.where, gap, gone)
                gap = None
            if before is not None and run.first > reach.number + 1:
                gap = _Gap(reach.number + 1, run.first - 1, reach.at, run.at)
            elif gap is not None:
                gap = gap._replace(after=min(gap.after, run.at))
            is_open = before is not None and run.first <= reach.number
            if run.last > reach.number:
                reach = _Received(run.last, run.at)
            elif run.last == reach.number:
                reach = _Received(run.last, min(reach.at, run.at))
            if before is not None and place(run) == place(before):
                self.duplicates += run.last - run.first + 1
                continue
            before = run
            overlaps.take(run, is_open=is_open)
        if gap is not None:
            self._gap(overlaps.where, gap, gone)
        overlaps.close()
        self.duplicates += overlaps.duplicates
        self.findings += overlaps.findings

    def _gap(self, where: str, gap: _Gap, gone: Sequence[int]) -> None:
        """Report numbers that no run holds, unless a run that held them may have expired.

        A hub delivers a partition in order, so what held them came when the store received the
        runs on either side, or between. Their hours are not asked: a writer chooses these.
        """
        low, high = sorted((_hour(gap.before), _hour(gap.after)))
        at = bisect_left(gone, low)
        if at < len(gone) and gone[at] <= high:
            self.excused += gap.last - gap.first + 1
            return
        detail = _numbers(gap.first, gap.last)
        self.findings.append(Finding(code="range_gap", key=where, detail=detail))

    def not_checked(self) -> Iterator[str]:
        """Yield what could not be said of gaps."""
        if self.excused:
            yield (
                f"V5: whether {plural.count(self.excused, 'message')} that no run holds were ever "
                "received, since what was received then has expired"
            )


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


def _hour(at: int) -> int:
    return at - at % sweep.HOUR_MS


def merged(edges: Iterable[Edges]) -> Edges:
    """Merge the open edges of several parts."""
    runs: list[Run] = []
    expired: defaultdict[str, set[int]] = defaultdict(set)
    for part in edges:
        runs += part.runs
        for source, gone in part.expired.items():
            expired[source] |= set(gone)
    return Edges(runs=runs, expired=_sorted(expired))


def _sorted(expired: Mapping[str, set[int]]) -> dict[str, list[int]]:
    return {source: sorted(found) for source, found in sorted(expired.items())}


def add_expired(edges: Edges, entry: ObjectLeaf) -> None:
    """Note when the store received an object that lawful expiry has taken, if it can have counted.

    Only its leaf is left, and of that only the store's own time: hour and name are the writer's.
    """
    parsed = keys.parse_key(entry.key)
    if parsed.kind != "ev" or parsed.hour is None or flags.never_counts(entry.flags):
        return
    gone = edges.expired.setdefault(parsed.source, [])
    received = _hour(entry.at)
    at = bisect_left(gone, received)
    if gone[at : at + 1] != [received]:
        gone.insert(at, received)
