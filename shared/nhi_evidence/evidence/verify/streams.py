"""V5: what the runs of a stream hold, message by message, whatever the edges of the batches.

A run is remembered by its numbers and one hash; only where two overlap without being equal are
their tables read again, for the hash of each message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import keys
from nhi_evidence.evidence.lines import Header, UnitLine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Edges, Run

HashesOf = Callable[[Run], Sequence[str]]
"""The hash of each message of a run, read from its table again."""


def run_of(header: Header, unit: UnitLine, key: str, version: str) -> Run | str | None:
    """Return the run a unit line states; None of a unit that claims no range, or what is wrong.

    A unit whose name claims numbers must hold exactly these.
    """
    claimed = event_hub.claimed(unit.unit)
    if claimed is None or unit.part != 1:
        return None
    stream, first, last = claimed
    messages = unit.messages
    if messages is None:
        return "its name claims numbers, and it states no messages"
    if (messages.first, len(messages.h)) != (first, last - first + 1):
        return f"{len(messages.h)} messages from {messages.first}"
    digest = sha256("".join(messages.h).encode()).hexdigest()
    return Run(header.source, stream, first, last, digest, header.hour, key, version, unit.unit)


class Weighed:
    """The runs of all streams, weighed."""

    def __init__(self, edges: Edges, hashes_of: HashesOf) -> None:
        """Weigh the runs of everything that is counted."""
        self.duplicates = 0
        """Messages that were delivered in more than one run."""
        self.findings: list[Finding] = []
        by_stream: defaultdict[tuple[str, str], dict[tuple[int, int, str], Run]]
        by_stream = defaultdict(dict)
        for run in edges.runs:
            known = by_stream[run.source, run.stream]
            if (run.first, run.last, run.hashes) in known:
                self.duplicates += run.last - run.first + 1
            else:
                known[run.first, run.last, run.hashes] = run
        for (source, stream), runs in sorted(by_stream.items()):
            ordered = [runs[place] for place in sorted(runs)]
            where = f"{source}: {stream}"
            self._overlaps(where, ordered, hashes_of)
            self._gaps(where, ordered, edges.expired.get(source, ()))

    def _overlaps(self, where: str, ordered: Sequence[Run], hashes_of: HashesOf) -> None:
        for cluster in _clusters(ordered):
            by_number: dict[int, set[str]] = {}
            total = 0
            for run in cluster:
                for number, digest in enumerate(hashes_of(run), start=run.first):
                    by_number.setdefault(number, set()).add(digest)
                    total += 1
            distinct = sum(map(len, by_number.values()))
            self.duplicates += total - distinct
            contested = sorted(number for number, found in by_number.items() if len(found) > 1)
            for first, last in _joined((number, number) for number in contested):
                self._find("range_contested", where, _numbers(first, last))

    def _gaps(self, where: str, ordered: Sequence[Run], expired: Iterable[str]) -> None:
        """Find numbers nobody holds, unless what held them may have expired."""
        gone = sorted(expired)
        reach: Run | None = None
        for run in ordered:
            if reach is not None and run.first > reach.last + 1:
                low, high = sorted((reach.hour, run.hour))
                if not any(low <= hour <= high for hour in gone):
                    self._find("range_gap", where, _numbers(reach.last + 1, run.first - 1))
            if reach is None or run.last > reach.last:
                reach = run

    def _find(self, code: str, where: str, detail: str) -> None:
        self.findings.append(Finding(code=code, key=where, detail=detail))


def _clusters(ordered: Sequence[Run]) -> Iterator[list[Run]]:
    """Yield groups of runs that overlap; runs come in order of their first number."""
    cluster: list[Run] = []
    last = -1
    for run in ordered:
        if cluster and run.first > last:
            if len(cluster) > 1:
                yield cluster
            cluster = []
        cluster.append(run)
        last = max(last, run.last)
    if len(cluster) > 1:
        yield cluster


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap; they come in order of their beginning."""
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
    """Put the open edges of several parts together."""
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
    """Note that something of an hour is gone as it may be."""
    parsed = keys.parse_key(key)
    if parsed.kind == "ev" and parsed.hour is not None:
        gone = edges.expired.setdefault(parsed.source, [])
        if parsed.hour not in gone:
            gone.append(parsed.hour)
