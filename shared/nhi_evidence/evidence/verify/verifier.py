"""All steps of a verification: list the store, read the log, then pass over both by key."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.evidence import flags, keys, log, sweep
from nhi_evidence.evidence.leaf import Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify import asking, cosigned, objects, sealed_statements, streams
from nhi_evidence.evidence.verify.anchors import Anchors
from nhi_evidence.evidence.verify.chain import Chain, State
from nhi_evidence.evidence.verify.entries import Entries, OfKey, folder, is_in, merge, order
from nhi_evidence.evidence.verify.findings import MOMENTARY, Finding
from nhi_evidence.evidence.verify.listing import Listing, list_once
from nhi_evidence.evidence.verify.natives import Natives
from nhi_evidence.evidence.verify.not_checked import not_checked
from nhi_evidence.evidence.verify.reader import Reader
from nhi_evidence.evidence.verify.report import (
    Judged,
    Options,
    Policy,
    Report,
    Run,
    policy_sha256,
)
from nhi_evidence.evidence.verify.sorting import MemorySorter, Sorter
from nhi_evidence.evidence.verify.unsealed import MOST_WAITING, Unsealed
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

Progress = Callable[[str, int], None]
"""Called with the current step and how far it has got."""

RECENT_MS = 48 * sweep.HOUR_MS
"""Hours younger than this are listed by every incremental verification, with new leaves or not."""

_LOG = log.PREFIX.partition("/")[0] + "/"

_BEFORE = -1
"""Place of versions that an earlier verification saw sealed."""


class Verifier:
    """Verifies one store against one policy at one instant."""

    def __init__(
        self,
        store: EvidenceVersions,
        policy: Policy,
        *,
        now: int,
        options: Options | None = None,
        progress: Progress = lambda _what, _done: None,
        sorter: Callable[[], Sorter] = MemorySorter,
    ) -> None:
        """Judge ages as of `now`, milliseconds since the epoch; `sorter` makes new sorters."""
        self._store = store
        self._policy = policy
        self._now = now
        self._options = options or Options()
        self._progress = progress
        self._sorter = sorter
        self._report = Report(
            name=policy.name,
            now=now,
            part=self._options.part,
            judged=Judged(
                policy_sha256(policy),
                self._options.deep,
                self._options.reproduce is not None,
            ),
        )
        self._flags: Counter[str] = Counter()
        self._natives = Natives(sorter())
        self._hashes = asking.RunHashes(store)
        self._unsealed = Unsealed(store, policy, self._options, self._report)
        self._reader = Reader(
            store,
            policy,
            self._options,
            self._report,
            natives=self._natives,
            sorter=sorter,
            progress=progress,
        )

    def run(self) -> Report:
        """Run all steps. Raises `StoreUnavailableError` when the store cannot be reached."""
        report, since = self._report, self._options.since
        listing = Listing(self._sorter())
        log_store: EvidenceVersions = self._store
        if since is None:
            log_store, listing = list_once(
                self._store, self._sorter(), lambda count: self._progress("listing", count)
            )
        chain = Chain(
            log_store,
            self._policy.name,
            self._policy.keys,
            now=self._now,
            seal_delay_ms=self._policy.seal_delay_ms,
        )
        entries, touched = self._read_log(log_store, chain)
        if since is not None:
            self._list_some(listing, touched)
        self._outside(log_store, chain)
        self._pass(entries, listing)
        self._finish(chain)
        return report

    # V0, V1

    def _read_log(self, log_store: EvidenceVersions, chain: Chain) -> tuple[Entries, set[str]]:
        """V0, V1, and what leaves state about their versions; return the leaves and their hours."""
        entries = Entries(self._sorter())
        touched: set[str] = set()
        for epoch in chain.walk(self._options.since):
            self._report.epochs += 1
            self._report.leaves += len(epoch.leaves)
            self._progress("V0-V1 log", self._report.leaves)
            for index, entry in enumerate(epoch.leaves, log.order(epoch.shard, epoch.first)):
                if isinstance(entry, ObjectLeaf | MarkerLeaf) and is_in(
                    self._options.part, entry.key
                ):
                    entries.add(index, entry)
                    touched.add(folder(entry.key))
                    sealed_statements.announce(self._options, index, entry)
                    self._of_leaf(entry)
            del epoch  # release its leaves before the next epoch's are read
        self._report.findings += chain.findings
        self._report.findings += (
            Finding(code="stray_key", key=key)
            for key in log_store.keys(_LOG)
            if self._options.since is None and not log.is_key(key)
        )
        self._report.findings += cosigned.check(log_store, self._policy, chain)
        return entries, touched

    def _of_leaf(self, entry: ObjectLeaf | MarkerLeaf) -> None:
        self._flags.update(entry.flags)
        for code in objects.policy_deviations(entry, self._policy.retention_ms):
            self._find(code, entry)

    def _list_some(self, listing: Listing, touched: set[str]) -> None:
        """List the hours that may have changed since the last verification."""
        prefixes = {f"{name}/" for name in touched | self._unsealed.folders()}
        for kind in keys.KINDS:
            for source in self._store.folders(f"{kind}/v1/"):
                for name in self._store.folders(source):
                    begins = keys.hour_start(name[len(source) :].strip("/").removeprefix("h="))
                    if begins is None or self._now - begins <= RECENT_MS:
                        prefixes.add(name)
        self._unsealed.read_before({prefix.rstrip("/") for prefix in prefixes})
        for prefix in sorted(prefixes):
            for version in self._store.versions(prefix):
                listing.add(version)

    def _outside(self, log_store: EvidenceVersions, chain: Chain) -> None:
        report = self._report
        outside = Anchors(log_store, self._policy, chain, now=self._now)
        outside.run()
        report.findings += outside.findings
        report.anchors = outside.held
        report.not_checked += outside.not_checked
        if chain.signed_head is not None:
            head = chain.signed_head
            report.size, report.root = head.size, head.root.hex()
            report.head = log.checkpoint_key(head.shard, head.epoch)
        report.head_at = chain.signed_at
        if chain.signed_at is not None:
            report.head_age_ms = self._now - chain.signed_at
            if self._store.complete and report.head_age_ms > self._policy.head_age_ms:
                age = f"{report.head_age_ms // 1000} s old"
                report.findings.append(
                    Finding(code="head_stale", key=self._policy.name, detail=age)
                )

    # V2 to V5, by key

    def _pass(self, entries: Entries, listing: Listing) -> None:
        chosen = self._drawn(entries) if self._options.sample is not None else None
        current = ""
        for group in merge(entries, listing):
            if not is_in(self._options.part, group.key):
                continue
            if folder(group.key) != current:
                self._reader.close_hour()
                current = folder(group.key)
            self._report.listed += len(group.listed)
            for index, entry in self._sealed(group):
                if chosen is None or (entry.key, entry.vid) in chosen:
                    self._reader.take(index, entry)
        self._reader.finish()

    def _sealed(self, group: OfKey) -> Iterator[tuple[int, ObjectLeaf]]:
        """Check V4 for one key; yield the versions to be read."""
        listed = {version.id: version for version in group.listed}
        gone, expires = self._earliest_gone(group, listed), group.expires_at(self._policy.grace_ms)
        sealed: set[str] = set()
        for index, entry in group.sealed:
            if entry.vid in sealed:
                self._find("sealed_twice", entry)
                continue
            sealed.add(entry.vid)
            is_first = gone is None or entry.at < gone
            for problem in objects.false_flags(entry, listed.get(entry.vid), is_first=is_first):
                self._find("leaf_false", entry, problem[:300])
            if flags.EXPIRED in entry.flags and entry.at < expires:
                self._find("leaf_false", entry, "flagged as left by expiry, before it was due")
            is_readable = self._store.complete or flags.SHADOW not in entry.flags
            if isinstance(entry, ObjectLeaf) and is_readable:
                yield index, entry
        if group.key.split("/")[0] not in keys.KINDS:
            self._report.findings += [
                Finding(code="stray_key", key=version.key, version=version.id)
                for version in group.listed
            ]
        before = [version for version in group.listed if version.id not in sealed]
        before = [version for version in before if not self._unsealed.weigh(version)]
        if before:
            yield from self._sealed_before(before)

    def _earliest_gone(self, group: OfKey, listed: Mapping[str, Version]) -> int | None:
        """Return when the first sealed version of a key that is gone came; None if all are there.

        Of an incremental verification, which reads only new leaves, any may be gone: 0.
        """
        if self._options.since is not None:
            return 0
        times = (
            entry.at
            for _, entry in group.sealed
            if isinstance(entry, ObjectLeaf) and entry.vid not in listed
        )
        return min(times, default=None)

    def _sealed_before(self, versions: Sequence[Version]) -> Iterator[tuple[int, ObjectLeaf]]:
        """Yield versions that an earlier verification saw sealed, as the store describes them."""
        wanted = [
            version
            for version in versions
            if not version.marker and not version.shadow and version.key.startswith("ev/")
        ]
        for version, description in zip(wanted, self._store.describe(wanted), strict=True):
            if description is not None:
                yield (
                    _BEFORE,
                    ObjectLeaf(
                        key=version.key,
                        vid=version.id,
                        at=version.modified,
                        size=description.size,
                        sha256=description.sha256,
                        until=description.retain_until,
                        md=description.metadata,
                    ),
                )

    def _drawn(self, entries: Entries) -> frozenset[tuple[str, str]]:
        """Draw the sample: the objects that rank first under the seed."""
        wanted = self._options.sample or 0
        seed = self._options.seed.encode()
        total = 0
        drawn: list[tuple[int, str, str]] = []
        for _, entry in entries:
            if isinstance(entry, ObjectLeaf):
                total += 1
                drawn.append((-order(seed, entry.key, entry.vid), entry.key, entry.vid))
                if len(drawn) > 2 * wanted:
                    drawn = heapq.nlargest(wanted, drawn)
        drawn = heapq.nlargest(wanted, drawn)
        share = len(drawn) / total if total else 1.0
        chances = ", ".join(
            f"{altered} altered: {1 - (1 - share) ** altered:.1%}"
            for altered in (1, 10, 100)
            if altered <= total
        )
        self._report.sample = (
            f"{len(drawn)} of {total} objects (seed {self._options.seed}); "
            f"chance of including one of {chances}"
        )
        return frozenset((key, version) for _, key, version in drawn)

    # The end

    def _finish(self, chain: Chain) -> None:
        report, options = self._report, self._options
        report.flags = dict(sorted(self._flags.items()))
        for digest, key in sorted(self._reader.unlisted.items()):
            report.findings.append(Finding(code="mapper_unlisted", key=key, detail=digest))
        self._natives.weigh(report)
        if options.part is not None:
            report.edges = self._reader.edges
        elif options.sample is None:
            expired = self._reader.edges.expired
            weighed = streams.Weighed(self._reader.runs(), expired, self.hashes_of)
            report.findings += weighed.findings
            report.not_checked += weighed.not_checked()
            if weighed.duplicates:
                report.units["duplicate messages"] = weighed.duplicates
        sealed_statements.weigh(self._options, chain, report)
        if options.since is not None:
            known = set(report.findings)
            report.findings += [each for each in options.since.findings if each not in known]
        report.findings.sort(key=_place)
        report.not_checked += not_checked(
            report,
            self._policy,
            options,
            is_copy=not self._store.complete,
            waiting=len(self._unsealed.waiting),
            unprovable=self._reader.unprovable,
            not_split=self._reader.not_split,
            foreign_mapper=self._reader.foreign_mapper,
            excused=self._reader.excused,
        )
        if options.sample is None and options.part is None:
            report.state = self._state(chain)
        self._progress("done", report.leaves)

    def _state(self, chain: Chain) -> State | None:
        state = chain.state()
        if state is None or len(self._unsealed.waiting) > MOST_WAITING:
            return None
        findings = (one for one in self._report.findings if one.code not in MOMENTARY)
        return msgspec.structs.replace(
            state, findings=tuple(findings), waiting=tuple(self._unsealed.waiting)
        )

    def hashes_of(self, run: Run) -> Sequence[str]:
        """See `asking.RunHashes.of`."""
        return self._hashes.of(run)

    def signs(self, report: Report) -> bool:
        """See `asking.signs`."""
        return asking.signs(self._store, self._policy, report)

    def _find(self, code: str, entry: Leaf, detail: str = "") -> None:
        if isinstance(entry, ObjectLeaf | MarkerLeaf):
            self._report.findings.append(
                Finding(code=code, key=entry.key, version=entry.vid, detail=detail)
            )


def _place(finding: Finding) -> tuple[str, str, str, int]:
    return finding.meaning.step, finding.key, finding.code, finding.record or 0
