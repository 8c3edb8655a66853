"""V2, V3 and V5: read, check and count the objects of a store, hour by hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256

import msgspec

from nhi_evidence.evidence import flags
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import MAX_BODY_BYTES
from nhi_evidence.evidence.verify import objects, streams
from nhi_evidence.evidence.verify.contents import Checked
from nhi_evidence.evidence.verify.examining import Examined, examine
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.hours import Hour
from nhi_evidence.evidence.verify.natives import Natives
from nhi_evidence.evidence.verify.report import Edges, Options, Policy, Report, Run
from nhi_evidence.evidence.verify.sorting import Sorter
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

AT_ONCE = 128
"""Maximum number of objects requested together; the store reads ahead only among these."""

BYTES_AT_ONCE = 128 << 20
"""Maximum bytes of such a group, except when a single object is larger."""

_NUMBER_BYTES = 8
_HARMLESS = frozenset({"no_checksum"})
"""Codes about an object's bytes that do not mean the bytes differ."""
_encode_run = msgspec.msgpack.Encoder().encode
_decode_run = msgspec.msgpack.Decoder(Run).decode


class _Waiting(msgspec.Struct, frozen=True):
    """An object being examined, one that is gone, or (without an entry) the end of an hour."""

    entry: ObjectLeaf | None
    index: int = 0
    body: bytes = b""
    examined: Callable[[], Examined] | None = None


class Reader:
    """Reads sealed versions, source hour by source hour, into a report."""

    def __init__(
        self,
        store: EvidenceVersions,
        policy: Policy,
        options: Options,
        report: Report,
        *,
        natives: Natives,
        sorter: Callable[[], Sorter],
        progress: Callable[[str, int], None],
    ) -> None:
        """Judge by `policy` as of the report's instant."""
        self._store = store
        self._policy = policy
        self._options = options
        self._report = report
        self._natives = natives
        self._progress = progress
        self._sorter = sorter
        self._hour = Hour(policy.mappers, sorter())
        self._chunk: list[tuple[int, ObjectLeaf]] = []
        self._chunk_bytes = 0
        self._examine = options.examiner or self._examine_here
        self._waiting: deque[_Waiting] = deque()
        """What is being examined, in the order in which it is counted."""
        self._waiting_bytes = 0
        self._runs = sorter()
        self.edges = Edges()
        """Runs of streams (of a part), and what has expired, to be weighed over everything."""
        self.unlisted: dict[str, str] = {}
        """Releases the policy does not list, each with the key of an object it made."""
        self.unprovable = self.not_split = self.foreign_mapper = self.excused = 0

    def take(self, index: int, entry: ObjectLeaf) -> None:
        """Take the leaf at a place; it is of the hour being read."""
        size = min(entry.size, MAX_BODY_BYTES) + 1
        if len(self._chunk) >= AT_ONCE or self._chunk_bytes + size > BYTES_AT_ONCE:
            self._read()
        self._chunk.append((index, entry))
        self._chunk_bytes += size

    def close_hour(self) -> None:
        """Read what was taken; the hour is counted once all of it has been examined."""
        self._read()
        self._wait_for(_Waiting(None))

    def finish(self) -> None:
        """Close the last hour, and count everything still waiting."""
        self.close_hour()
        while self._waiting:
            self._next()

    def _wait_for(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        self._waiting_bytes += len(waiting.body)
        # What is examined in this process is counted at once, while its bytes are in the cache.
        is_here = self._options.examiner is None
        while self._waiting and (
            is_here or len(self._waiting) > AT_ONCE or self._waiting_bytes > BYTES_AT_ONCE
        ):
            self._next()

    def _next(self) -> None:
        """Count whatever has waited longest."""
        waiting = self._waiting.popleft()
        self._waiting_bytes -= len(waiting.body)
        if waiting.entry is None:
            self._count_hour()
        elif waiting.examined is None:
            self._gone(waiting.entry)
        else:
            self._object(waiting.index, waiting.entry, waiting.body, waiting.examined())

    def _examine_here(self, entry: ObjectLeaf, body: bytes) -> Callable[[], Examined]:
        return partial(
            examine, entry, body, deep=self._options.deep, reproduce=self._options.reproduce
        )

    def _count_hour(self) -> None:
        if self._options.sample is None:
            self._hour.weigh(self._report)
            self.excused += self._hour.excused
            self.unlisted = {**self._hour.unlisted(), **self.unlisted}
        self._hour = Hour(self._policy.mappers, self._sorter())

    def runs(self) -> Iterator[Run]:
        """Yield the runs in order, stream by stream; for a part they are in `edges` instead."""
        for _, value in self._runs:
            yield _decode_run(value)

    def _read(self) -> None:
        chunk, self._chunk, self._chunk_bytes = self._chunk, [], 0
        # At most one byte beyond the sealed size is read, which is enough to show there is more.
        bodies = self._store.beginnings(
            (entry.key, entry.vid, min(entry.size, MAX_BODY_BYTES) + 1) for _, entry in chunk
        )
        self._describe([entry for _, entry in chunk])
        for (index, entry), body in zip(chunk, bodies, strict=True):
            if body is None:
                self._wait_for(_Waiting(entry))
            else:
                self._wait_for(_Waiting(entry, index, body, self._examine(entry, body)))

    def _object(self, index: int, entry: ObjectLeaf, body: bytes, examined: Examined) -> None:
        """Report V2 and V3 for one object; if all of it is valid, take its claims to be weighed."""
        report = self._report
        report.objects += 1
        report.bytes += len(body)
        self._progress("V2 objects", report.objects)
        report.findings += examined.findings
        is_altered = any(each.code not in _HARMLESS for each in examined.findings)
        content = examined.content
        statements = self._options.statements
        if content is None:
            if is_altered:
                self._lost(entry)
            elif flags.SHADOW not in entry.flags and entry.key.startswith("op/"):
                self._operation(index, entry, body)
            return
        if content.table is None or not content.counts:
            self._lost(entry)
            return
        if statements is not None:
            statements.evidence(index, entry, content.table, void=content.void, body=body)
        if examined.checked is not None:
            checked = examined.checked
            self._deep(checked, is_foreign=examined.is_foreign)
            if checked.findings:
                self._lost(entry)
                return
            self._natives.add(checked.natives)
        self._hour.add(index, entry.key, content)
        for place, unit in enumerate(content.table.units):
            if place in content.void:
                continue
            run = streams.run_of(content.table.header.source, unit, entry)
            if isinstance(run, str):
                report.findings.append(objects.finding("range_invalid", entry, run, unit=unit.unit))
            elif run is not None:
                self._take_run(run)

    def _operation(self, index: int, entry: ObjectLeaf, body: bytes) -> None:
        if self._options.statements is not None:
            self._options.statements.operation(index, entry, body)

    def _lost(self, entry: ObjectLeaf) -> None:
        """Tell the statement check that an object can no longer be relied on."""
        if self._options.statements is not None:
            self._options.statements.lost(entry)

    def _take_run(self, run: Run) -> None:
        if self._options.part is not None:
            self.edges.runs.append(run)
            return
        names = sha256(_encode_run((run.source, run.stream))).digest()
        numbers = run.first.to_bytes(_NUMBER_BYTES) + run.last.to_bytes(_NUMBER_BYTES)
        self._runs.add(names + numbers + run.hashes.encode(), _encode_run(run))

    def _describe(self, entries: Sequence[ObjectLeaf]) -> None:
        """With `deep`, compare leaves with how the store itself describes their versions."""
        if not self._options.deep or not self._store.complete:
            return
        versions = [Version(each.key, each.vid, each.at, each.size) for each in entries]
        for entry, description in zip(entries, self._store.describe(versions), strict=True):
            for problem in objects.false_description(entry, description):
                self._find("leaf_false", entry, problem)

    def _deep(self, checked: Checked, *, is_foreign: bool) -> None:
        self._report.findings += checked.findings
        self._report.records += checked.records
        self._report.reproduced += checked.reproduced
        self.unprovable += checked.unprovable
        self.not_split += checked.not_split
        self.foreign_mapper += is_foreign

    def _gone(self, entry: ObjectLeaf) -> None:
        self._lost(entry)
        if entry.until is not None and self._report.now > entry.until + self._policy.grace_ms:
            self._report.expired += 1
            if objects.may_be_of_its_hour(entry):
                self._hour.expired_in_part = True
                if self._options.statements is not None:
                    self._options.statements.expired(entry)
            streams.add_expired(self.edges, entry)
        elif entry.until is not None and self._report.now > entry.until:
            self._find("gone_early", entry, f"its lock ended at {entry.until}")
        else:
            self._find("object_missing", entry)

    def _find(self, code: str, entry: ObjectLeaf, detail: str = "") -> None:
        self._report.findings.append(
            Finding(code=code, key=entry.key, version=entry.vid, detail=detail)
        )
