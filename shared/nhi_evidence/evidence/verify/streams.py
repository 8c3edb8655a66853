"""V5: what the runs of a stream hold, message by message, whatever the edges of the batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote

import msgspec

from nhi_evidence.azure import event_hub
from nhi_evidence.evidence import batch, counting, keys, ranges
from nhi_evidence.evidence.batch import Header
from nhi_evidence.evidence.counting import Range
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify.findings import Finding

_HASH_BYTES = 32


class _Run(msgspec.Struct, frozen=True):
    """A valid range, its hashes in one piece: a dictionary of each would not fit in memory."""

    first: int
    last: int
    hashes: bytes

    def claim(self, index: int, stream: str) -> Range:
        numbers = range(self.first, self.last + 1)
        pieces = [
            self.hashes[at : at + _HASH_BYTES] for at in range(0, len(self.hashes), _HASH_BYTES)
        ]
        return Range(index, stream, self.first, self.last, dict(zip(numbers, pieces, strict=True)))


class Streams:
    """Takes the evidence objects that are as they should be, in any order.

    Everything of a store has to be given, and what has expired: a part of it has gaps that are
    none.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._parts: dict[tuple[str, str, str, int], dict[int, list[bytes]]] = {}
        self._runs: defaultdict[tuple[str, str], dict[_Run, None]] = defaultdict(dict)
        self._expired: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self._invalid: list[Finding] = []
        self.unnamed: set[str] = set()
        """Sources with expired units whose keys do not spell the unit; their gaps are not told."""
        self.duplicates = 0
        """Messages that were delivered in more than one run, once `findings` has been asked."""

    def add(self, leaf: ObjectLeaf, header: Header, lines: Sequence[bytes]) -> None:
        """Take one object; `lines` are those after its header. A unit is weighed when whole."""
        if event_hub.claimed(header.unit) is None:
            return
        kept = lines if header.rejection else [one for one in lines if not batch.is_record(one)]
        identity = (header.source, header.unit, header.mapper.digest, header.parts)
        parts = self._parts.setdefault(identity, {})
        parts[header.part] = [msgspec.json.encode(header), *kept]
        if len(parts) < header.parts:
            return
        del self._parts[identity]
        held = ranges.held(0, [parts[number] for number in sorted(parts)])
        if held is None:
            return
        claim = held.claim
        if not claim.valid:
            self._invalid.append(
                Finding(
                    code="range_invalid",
                    key=leaf.key,
                    version=leaf.vid,
                    detail=f"{len(claim.hashes)} messages{_of(claim.hashes)}",
                )
            )
            return
        hashes = b"".join(claim.hashes[number] for number in sorted(claim.hashes))
        self._runs[header.source, claim.stream][_Run(claim.first, claim.last, hashes)] = None

    def expired(self, leaf: ObjectLeaf) -> None:
        """Take a leaf whose object is gone as it may be: its numbers are no gap."""
        parsed = keys.parse_key(leaf.key)
        unit = parsed.unit or ""
        if parsed.kind != "ev":
            return
        if unit.startswith("~"):
            self.unnamed.add(parsed.source)
        elif (named := event_hub.claimed(unquote(unit))) is not None:
            stream, first, last = named
            self._expired[parsed.source, stream].append((first, last))

    def findings(self) -> Iterator[Finding]:
        """Yield what is missing, contested and claimed without being held."""
        yield from self._invalid
        for (source, stream), runs in self._runs.items():
            claims = (run.claim(index, stream) for index, run in enumerate(runs))
            weighed = counting.count_ranges(claims)[stream]
            self.duplicates += weighed.duplicates
            where = f"{source}: {stream}"
            for first, last in _joined((n, n) for n in weighed.contested):
                yield Finding(code="range_contested", key=where, detail=_numbers(first, last))
            if source in self.unnamed:
                continue
            for gap in weighed.gaps:
                for first, last in _without(gap, self._expired[source, stream]):
                    yield Finding(code="range_gap", key=where, detail=_numbers(first, last))


def _of(numbers: Iterable[int]) -> str:
    known = sorted(numbers)
    return f", {_numbers(known[0], known[-1])}" if known else ""


def _numbers(first: int, last: int) -> str:
    return f"number {first}" if first == last else f"numbers {first} to {last}"


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap; they come in order of their beginning."""
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _without(gap: tuple[int, int], spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left of a gap outside some spans."""
    at, end = gap
    for first, last in _joined(sorted(spans)):
        if first > end:
            break
        if first > at:
            yield at, first - 1
        at = max(at, last + 1)
    if at <= end:
        yield at, end
