"""V2, V3 and V5 of the objects of a store: read, checked, and counted hour by hour."""

from __future__ import annotations

from collections.abc import Callable

from nhi_evidence.evidence import flags
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify import contents, objects, streams
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.hours import Hour
from nhi_evidence.evidence.verify.natives import Natives
from nhi_evidence.evidence.verify.report import Edges, Options, Policy, Report
from nhi_evidence.ports import EvidenceVersions

AT_ONCE = 128
"""Objects asked for together; the store may read ahead among these alone."""


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
        progress: Callable[[str, int], None],
    ) -> None:
        """Judge by `policy` as of the report's instant."""
        self._store = store
        self._policy = policy
        self._options = options
        self._report = report
        self._natives = natives
        self._progress = progress
        self._hour = Hour(policy.mappers)
        self._chunk: list[tuple[int, ObjectLeaf]] = []
        self.edges = Edges()
        """Runs of streams, and hours that expired in part: weighed over everything."""
        self.unlisted: dict[str, str] = {}
        """Releases the policy does not list, each with the key of something they made."""
        self.unprovable = self.not_split = self.foreign_mapper = 0

    def take(self, index: int, entry: ObjectLeaf) -> None:
        """Take the leaf at a place, of the hour that is being read."""
        self._chunk.append((index, entry))
        if len(self._chunk) >= AT_ONCE:
            self._read()

    def close_hour(self) -> None:
        """Read what was taken, and count the hour."""
        self._read()
        if self._options.sample is None:
            self._hour.weigh(self._report)
            self.unlisted = {**self._hour.unlisted(), **self.unlisted}
        self._hour = Hour(self._policy.mappers)

    def _read(self) -> None:
        chunk, self._chunk = self._chunk, []
        bodies = self._store.bodies((entry.key, entry.vid) for _, entry in chunk)
        for (index, entry), body in zip(chunk, bodies, strict=True):
            if body is None:
                self._gone(entry)
            else:
                self._object(index, entry, body)

    def _object(self, index: int, entry: ObjectLeaf, body: bytes) -> None:
        """V2 and V3 of one object; where all of it holds, its claims are weighed."""
        report = self._report
        report.objects += 1
        report.bytes += len(body)
        self._progress("V2 objects", report.objects)
        findings = list(objects.stored(entry, body))
        report.findings += findings
        is_altered = any(each.code != "no_checksum" for each in findings)
        if is_altered or not entry.key.startswith("ev/") or flags.SHADOW in entry.flags:
            return
        content = objects.read_content(entry, body)
        report.findings += content.findings
        report.findings += objects.hours(entry, content)
        if content.table is None or not content.counts:
            return
        if self._options.deep:
            checked = self._deep(entry, content.table, body)
            report.findings += checked.findings
            if checked.findings:
                return
            for account, uid, raw_sha256, unit_id in checked.natives:
                self._natives.add(content.table.header.source, account, uid, raw_sha256, unit_id)
        self._hour.add(index, entry.key, content)
        for place, unit in enumerate(content.table.units):
            if place in content.void:
                continue
            run = streams.run_of(content.table.header, unit, entry.key, entry.vid)
            if isinstance(run, str):
                report.findings.append(objects.finding("range_invalid", entry, run, unit=unit.unit))
            elif run is not None:
                self.edges.runs.append(run)

    def _deep(self, entry: ObjectLeaf, table: Table, body: bytes) -> contents.Checked:
        again = None
        if self._options.reproduce is not None:
            again = self._options.reproduce(table.header)
            self.foreign_mapper += again is None
        checked = contents.check(entry, table, body, again)
        self._report.records += checked.records
        self._report.reproduced += checked.reproduced
        self.unprovable += checked.unprovable
        self.not_split += checked.not_split
        return checked

    def _gone(self, entry: ObjectLeaf) -> None:
        if entry.until is not None and self._report.now > entry.until + self._policy.grace_ms:
            self._report.expired += 1
            self._hour.expired_in_part = True
            streams.add_expired(self.edges, entry.key)
        elif entry.until is not None and self._report.now > entry.until:
            self._find("gone_early", entry, f"its lock ended at {entry.until}")
        else:
            self._find("object_missing", entry)

    def _find(self, code: str, entry: ObjectLeaf, detail: str = "") -> None:
        self._report.findings.append(
            Finding(code=code, key=entry.key, version=entry.vid, detail=detail)
        )
