"""Verification of a sealed store, step by step (docs/verification.md has the same numbers).

Offline but for the store itself: only the pinned public keys decide. It never stops at the first
finding, and says what it did not look at.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

from nhi_evidence.evidence import counting, flags, keys, log, sweep
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify import cosigned, objects
from nhi_evidence.evidence.verify.anchors import Anchors
from nhi_evidence.evidence.verify.chain import Chain, State
from nhi_evidence.evidence.verify.findings import CODES, Finding, Meaning, Severity
from nhi_evidence.evidence.verify.report import Options, Policy, Report
from nhi_evidence.evidence.verify.streams import Streams
from nhi_evidence.ports import EvidenceVersions

__all__ = [
    "CODES",
    "Finding",
    "Meaning",
    "Options",
    "Policy",
    "Report",
    "Severity",
    "State",
    "Verifier",
]

Progress = Callable[[str, int], None]
"""Told what is being done, and how far it came."""

_NO_STATEMENT = (
    "V5: no completeness statement of a source is sealed; units are weighed against each "
    "other, not against what the source says it delivered"
)

PASS_LEAVES = 500_000
"""Leaves held at once; a larger log is read once more for each further so many."""


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
    ) -> None:
        """Judge ages as of `now`, milliseconds since the epoch."""
        self._store = store
        self._policy = policy
        self._now = now
        self._options = options or Options()
        self._progress = progress
        self._waiting = 0
        self._report = Report(name=policy.name)
        self._chain = Chain(store, policy.name, policy.keys)
        self._streams = Streams()

    def run(self) -> Report:
        """Run all steps. Raises `StoreUnavailableError` when the store cannot be asked."""
        report, options = self._report, self._options
        chain = self._chain
        leaves = self._log()
        report.findings += chain.findings
        report.findings += cosigned.check(self._store, self._policy, chain)
        report.state = chain.state()
        outside = Anchors(self._store, self._policy, chain)
        outside.run()
        report.findings += outside.findings
        report.anchors = outside.held
        report.not_checked += outside.not_checked
        if chain.head is not None:
            report.size, report.root = chain.head.size, chain.head.root.hex()
        chosen = self._sampled() if options.sample is not None else None
        self._objects(chosen)
        if options.everything_inside:
            report.findings += self._streams.findings()
        passes = max(1, -(-leaves // PASS_LEAVES))
        for number in range(passes):
            self._reverse(number, passes)
        self._progress("done", leaves)
        report.not_checked += self._not_checked()
        report.findings.sort(key=lambda one: (one.meaning.step, one.key, one.record or 0))
        return report

    def _log(self) -> int:
        """V0, V1 and what the leaves say of themselves; return how many leaves there are."""
        for epoch in self._chain.walk(self._options.since):
            self._report.epochs += 1
            self._report.leaves += len(epoch.leaves)
            self._progress("V0-V1 log", self._report.leaves)
            for leaf in epoch.leaves:
                for code in objects.policy_deviations(leaf, self._policy.retention_ms):
                    self._find(code, leaf)
        return self._report.leaves

    def _leaves(self) -> Iterator[tuple[int, ObjectLeaf | MarkerLeaf]]:
        """Read the log's leaves again; what is wrong with it was found the first time."""
        for index, leaf in self._chain.leaves():
            if not isinstance(leaf, EpochLeaf):
                yield index, leaf

    def _sampled(self) -> frozenset[tuple[str, str]]:
        """Draw objects by the order of their hashes under the seed."""
        wanted = self._options.sample or 0
        seed = self._options.seed.encode()
        total = 0
        drawn: list[tuple[int, str, str]] = []
        for _, leaf in self._leaves():
            if isinstance(leaf, ObjectLeaf):
                total += 1
                drawn.append((-_order(seed, leaf.key, leaf.vid), leaf.key, leaf.vid))
                if len(drawn) > 2 * wanted:
                    drawn = heapq.nlargest(wanted, drawn)
        drawn = heapq.nlargest(wanted, drawn)
        share = len(drawn) / total if total else 1.0
        chances = ", ".join(
            f"{altered} altered: {1 - (1 - share) ** altered:.1%}" for altered in (1, 10, 100)
        )
        self._report.sample = (
            f"{len(drawn)} of {total} objects (seed {self._options.seed}); "
            f"chance to meet one of {chances}"
        )
        return frozenset((key, vid) for _, key, vid in drawn)

    def _objects(self, chosen: frozenset[tuple[str, str]] | None) -> None:
        wanted = (
            leaf
            for _, leaf in self._leaves()
            if isinstance(leaf, ObjectLeaf) and (chosen is None or (leaf.key, leaf.vid) in chosen)
        )
        if not self._store.complete:
            wanted = (leaf for leaf in wanted if flags.SHADOW not in leaf.flags)
        ahead: list[ObjectLeaf] = []

        def asked() -> Iterator[tuple[str, str]]:
            for leaf in wanted:
                ahead.append(leaf)
                yield leaf.key, leaf.vid

        for body in self._store.bodies(asked()):
            leaf = ahead.pop(0)
            if body is None:
                self._gone(leaf)
                continue
            self._report.objects += 1
            self._report.bytes += len(body)
            self._progress("V2 objects", self._report.objects)
            found = list(objects.stored(leaf, body))
            self._report.findings += found
            if self._options.deep and not found and leaf.key.startswith("ev/"):
                self._deep(leaf, body)

    def _deep(self, leaf: ObjectLeaf, body: bytes) -> None:
        header, lines, found = objects.records(leaf, body)
        if header is None:
            self._report.findings += found
            return
        self._report.records += header.n
        try:
            source = self._store.get(objects.source_key(leaf, header))
        except KeyError:
            source = None
        found += objects.raw(leaf, header, lines, source)
        self._report.findings += found
        if all(one.code == "source_mismatch" for one in found):
            self._streams.add(leaf, header, lines)

    def _gone(self, leaf: ObjectLeaf) -> None:
        if leaf.until is not None and self._now > leaf.until + self._policy.grace_ms:
            self._report.expired += 1
            self._streams.expired(leaf)
        elif leaf.until is not None and self._now > leaf.until:
            self._find("gone_early", leaf, f"its lock ended at {leaf.until}")
        else:
            self._find("object_missing", leaf)

    def _reverse(self, number: int, passes: int) -> None:
        """V4 and V5 over the leaves of one partition of the keys."""
        held: set[tuple[str, str]] = set()
        claims: list[counting.Claim] = []
        for index, leaf in self._leaves():
            if not _in_pass(leaf.key, number, passes):
                continue
            if (leaf.key, leaf.vid) in held:
                self._find("sealed_twice", leaf)
            held.add((leaf.key, leaf.vid))
            if isinstance(leaf, ObjectLeaf) and leaf.key.startswith("ev/"):
                claim = counting.claim(index, leaf)
                if isinstance(claim, str):
                    self._find("not_countable", leaf, claim)
                else:
                    claims.append(claim)
        self._count(claims)
        self._list(held, number, passes)

    def _list(self, held: set[tuple[str, str]], number: int, passes: int) -> None:
        since = self._options.since
        for version in self._store.versions(""):
            if not _in_pass(version.key, number, passes):
                continue
            if version.key.startswith(log.PREFIX):
                continue
            if since is not None and version.modified <= since.at:
                continue
            if version.key.split("/")[0] not in keys.KINDS:
                self._report.findings.append(
                    Finding(code="stray_key", key=version.key, version=version.id)
                )
            if (version.key, version.id) in held:
                continue
            age = self._now - version.modified
            listed = sweep.period(keys.parse_key(version.key).hour or "", self._now)
            if age <= self._policy.seal_delay_ms + listed:
                self._waiting += 1
            else:
                self._report.findings.append(
                    Finding(
                        code="unsealed",
                        key=version.key,
                        version=version.id,
                        detail=f"{age // 1000} s old",
                    )
                )

    def _count(self, claims: Sequence[counting.Claim]) -> None:
        units = counting.count(claims)
        tally = Counter(self._report.units)
        tally["duplicate messages"] = self._streams.duplicates
        records = Counter(self._report.records_counted)
        for unit in units.values():
            tally[unit.status] += 1
            tally["duplicate objects"] += len(unit.duplicates)
            for claim in unit.counted:
                records[unit.source] += claim.records
            if unit.status is not counting.Status.COUNTED:
                where = f"{unit.source}: {unit.unit}"
                indexes = ", ".join(str(one.index) for one in unit.disputed)
                self._report.findings.append(
                    Finding(code=f"unit_{unit.status}", key=where, detail=f"leaves {indexes}")
                )
        self._report.units = {name: n for name, n in sorted(tally.items()) if n}
        self._report.records_counted = dict(sorted(records.items()))

    def _not_checked(self) -> list[str]:
        options = self._options
        left = [_NO_STATEMENT]
        if not options.deep:
            left.append("V3: what is inside the objects (--deep)")
        if not options.everything_inside:
            left.append("V5: the messages of a stream (--deep, over everything)")
        left += (
            f"V5: gaps in streams of {source}; keys of what expired name no numbers"
            for source in sorted(self._streams.unnamed)
        )
        if options.since is not None:
            left.append(f"what was verified before, to epoch {options.since.epoch}")
            left.append("V4: what the store took before then and was not sealed by then")
        if not self._policy.retention_ms:
            left.append("V6: locks; the policy asks for no retention")
        if self._waiting:
            left.append(f"V4: {self._waiting} versions not sealed yet, none of them overdue")
        if not self._store.complete:
            left.append("V4: delete markers and later versions, which a copy does not hold")
        return left

    def _find(self, code: str, leaf: Leaf, detail: str = "") -> None:
        key, vid = ("", "") if isinstance(leaf, EpochLeaf) else (leaf.key, leaf.vid)
        self._report.findings.append(Finding(code=code, key=key, version=vid, detail=detail))


def _in_pass(key: str, number: int, passes: int) -> bool:
    """Whether a key belongs to a pass. All parts of a unit do to the same one."""
    if passes == 1:
        return True
    parsed = keys.parse_key(key)
    return _order(b"", parsed.source, parsed.unit or key) % passes == number


def _order(seed: bytes, *names: str) -> int:
    digest = blake2b("\0".join(names).encode(), key=seed[:64], digest_size=8)
    return int.from_bytes(digest.digest(), "big")
