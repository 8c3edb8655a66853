"""V4: versions without a leaf: not sealed yet, overdue, or sealed before a saved state."""

from __future__ import annotations

from nhi_evidence.evidence import keys, sweep
from nhi_evidence.evidence.leaf import MarkerLeaf, ObjectLeaf
from nhi_evidence.evidence.verify.chain import Chain
from nhi_evidence.evidence.verify.entries import folder
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.evidence.verify.report import Options, Policy, Report
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

MOST_WAITING = 100_000
"""How many versions a state can remember as not sealed yet; with more, no state is made."""

_Identity = tuple[str, str]
"""Key and version id."""


class Unsealed:
    """Weighs versions that the store lists but no leaf that was read describes."""

    def __init__(
        self, store: EvidenceVersions, policy: Policy, options: Options, report: Report
    ) -> None:
        """Judge ages as of the report's instant."""
        self._store = store
        self._policy = policy
        self._since = options.since
        self._report = report
        self._waited = frozenset(self._since.waiting if self._since else ())
        findings = self._since.findings if self._since else ()
        self._found = {(each.key, each.version) for each in findings if each.code == "unsealed"}
        self._before: frozenset[_Identity] | None = None
        self.waiting: list[_Identity] = []
        """Not sealed, and not overdue."""

    def folders(self) -> set[str]:
        """Return the source hours of the versions that the state remembers as waiting."""
        return {folder(key) for key, _ in self._waited}

    def read_before(self, touched: set[str]) -> None:
        """For a copy, read from its log what was sealed in these source hours before the state.

        A store dates its versions itself, so a version older than the state was either sealed
        before it or is waiting in it. The dates of a copy come from whoever made it, so there the
        log decides.
        """
        if self._since is None or self._store.complete:
            return
        policy, since = self._policy, self._since
        chain = Chain(
            self._store,
            policy.name,
            policy.keys,
            now=self._report.now,
            seal_delay_ms=policy.seal_delay_ms,
        )
        self._before = frozenset(
            (entry.key, entry.vid)
            for epoch in chain.walk()
            if (epoch.shard, epoch.number) <= (since.shard, since.epoch)
            for entry in epoch.leaves
            if isinstance(entry, ObjectLeaf | MarkerLeaf) and folder(entry.key) in touched
        )

    def weigh(self, version: Version) -> bool:
        """Weigh a version without a leaf read here; False if it was sealed before the state."""
        identity = (version.key, version.id)
        if identity in self._found:
            return True  # the state's finding is repeated anyway
        is_old = self._since is not None and identity not in self._waited
        if is_old and self._is_before(version):
            return False
        age = self._report.now - version.modified
        period = sweep.period(keys.parse_key(version.key).hour or "", self._report.now)
        if age <= self._policy.seal_delay_ms + period:
            self.waiting.append(identity)
        else:
            self._report.findings.append(
                Finding(
                    code="unsealed",
                    key=version.key,
                    version=version.id,
                    detail=f"{age // 1000} s old",
                )
            )
        return True

    def _is_before(self, version: Version) -> bool:
        if self._before is not None:
            return (version.key, version.id) in self._before
        return self._since is not None and version.modified <= self._since.at
