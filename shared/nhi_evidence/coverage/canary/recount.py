"""Weigh many statements on canaries again, in bounded memory, against the evidence.

Three passes over sorted entries: by hour, what plans announce and statements say; by unit, which
records with a nonce count for which statement; by nonce, the result of each probe.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

import msgspec

from nhi_evidence.coverage.canary import hourly
from nhi_evidence.coverage.canary.plan import Plan
from nhi_evidence.coverage.canary.weigh import HOUR_MS, Result, Seen, Sightings, weigh
from nhi_evidence.evidence import counting
from nhi_evidence.evidence.counting import Claim
from nhi_evidence.evidence.verify.sorting import Sorter

_NAME_BYTES = 32


class Weighable(msgspec.Struct, frozen=True):
    """The parts of a statement that decide which records belong to it."""

    source: str
    begins: int
    until: int
    limit: int
    """Place in the whole log at which the statement's log ends, exclusive."""
    mappers: tuple[str, ...]
    at: int
    """The sealer's clock at that log, milliseconds since the epoch."""

    def takes(self, place: int, locked_at: int) -> bool:
        """Whether it covers the object at this place of the log, locked at this instant."""
        return place < self.limit and self.begins <= locked_at <= self.until


class Probe(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A probe of a plan, and what a statement says about it."""

    statement: int
    """Index of the statement."""
    plan: Plan
    """The plan, with this probe alone."""
    planned_at: int
    result: Result
    where: str


class _Record(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A record that contains a nonce, and the statements it counts for."""

    statements: tuple[int, ...]
    seen: Seen


class _Marked(msgspec.Struct, frozen=True, array_like=True):
    """A line that may contain a nonce, as stored in an object."""

    place: int
    part: int
    locked_at: int
    key: str
    line: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode_claim = msgspec.msgpack.Decoder(tuple[Claim, int]).decode
_decode_marked = msgspec.msgpack.Decoder(_Marked).decode
_decode_entry = msgspec.msgpack.Decoder(Probe | _Record).decode

ReadLine = Callable[[int, str, bytes], tuple[Seen, set[str]] | None]
"""From the time of locking, the object's key and a line to the record and the nonces in it."""


class Recount:
    """Collects claims and marked lines, and weighs probes by those that count."""

    def __init__(self, sorter: Callable[[], Sorter]) -> None:
        """Take a factory of sorters."""
        self._units = sorter()
        self._entries = sorter()
        self.statements: list[Weighable] = []

    def claim(self, claim: Claim, hour: str, locked_at: int) -> None:
        """Add the claim of an object, locked at this instant, to a unit of an hour."""
        self._units.add(_name(claim.source, hour, claim.unit, 0), _encode((claim, locked_at)))

    def marked(self, claim: Claim, hour: str, locked_at: int, line: bytes) -> None:
        """Add a line of that unit that may contain a nonce."""
        value = _Marked(claim.index, claim.part, locked_at, claim.key, line)
        self._units.add(_name(claim.source, hour, claim.unit, 1), _encode(value))

    def probe(self, probe: Probe) -> None:
        """Add a probe that a statement is about; its `plan` must have exactly that probe."""
        (announced,) = probe.plan.probes
        self._entries.add(announced.nonce.encode() + b"\0\0", _encode(probe))

    def contradictions(self, read: ReadLine) -> Iterator[tuple[int, str]]:
        """Yield the index of each statement that contradicts the records, and how it does."""
        for record, nonces in self._counted(read):
            for nonce in nonces:
                self._entries.add(nonce.encode() + b"\0\1", _encode(record))
        by_nonce = groupby(self._entries, key=lambda entry: entry[0][:-2])
        for nonce, entries in by_nonce:
            probes: list[tuple[Probe, Sightings]] = []
            for _, value in entries:
                entry = _decode_entry(value)
                if isinstance(entry, Probe):
                    probes.append((entry, Sightings([entry.plan])))
                    continue
                for probe, sightings in probes:
                    if probe.statement in entry.statements:
                        sightings.add(msgspec.structs.replace(entry.seen, raw=nonce))
            yield from self._differing(probes)

    def _differing(self, probes: Iterable[tuple[Probe, Sightings]]) -> Iterator[tuple[int, str]]:
        for probe, sightings in probes:
            at = self.statements[probe.statement].at
            (again,) = weigh(probe.plan, probe.planned_at, sightings, at)
            place = f"{again.cell} ({again.nonce})"
            if again.result is not probe.result:
                text = f"states {probe.result} of {place}; the records give {again.result}"
                yield probe.statement, text
            elif again.where != probe.where:
                text = (
                    f"names {probe.where or 'no object'} for {place}, not {again.where or 'none'}"
                )
                yield probe.statement, text

    def _counted(self, read: ReadLine) -> Iterator[tuple[_Record, set[str]]]:
        by_source = {
            source: sorted(
                (one.begins, number)
                for number, one in enumerate(self.statements)
                if one.source == source
            )
            for source in hourly.SOURCES.values()
        }
        for _, group in groupby(self._units, key=lambda entry: entry[0][:_NAME_BYTES]):
            claims: list[tuple[Claim, int]] = []
            counted: dict[int, set[tuple[int, int]]] | None = None
            for name, value in group:
                if not name[-1]:
                    claims.append(_decode_claim(value))
                    continue
                if counted is None:
                    counted = self._counted_for(claims, by_source.get(claims[0][0].source, []))
                marked = _decode_marked(value)
                own = (marked.place, marked.part)
                of = tuple(number for number, parts in counted.items() if own in parts)
                record = read(marked.locked_at, marked.key, marked.line)
                if of and record is not None:
                    yield _Record(of, record[0]), record[1]

    def _counted_for(
        self, claims: list[tuple[Claim, int]], statements: list[tuple[int, int]]
    ) -> dict[int, set[tuple[int, int]]]:
        """Return, by statement, the place and part of each claim of a unit that counts."""
        instants = sorted(map(itemgetter(1), claims))
        longest = hourly.WINDOW_MS + HOUR_MS
        first = bisect_left(statements, (instants[0] - longest, -1))
        last = bisect_right(statements, (instants[-1], len(self.statements)))
        result: dict[int, set[tuple[int, int]]] = {}
        for _, number in statements[first:last]:
            stated = self.statements[number]
            own = [claim for claim, at in claims if stated.takes(claim.index, at)]
            unit = counting.weigh(own, stated.mappers) if own else None
            if unit is not None and unit.status is counting.Status.COUNTED:
                result[number] = {(claim.index, claim.part) for claim in unit.counted}
        return result


def _name(source: str, hour: str, unit: str, tag: int) -> bytes:
    text = "\0".join((source, hour, unit)).encode(errors="surrogatepass")
    return sha256(text).digest() + bytes([tag])
