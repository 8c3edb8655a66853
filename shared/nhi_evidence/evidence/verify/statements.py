"""V5: the interface between verification and the checks that weigh sealed statements.

The checks live in higher layers (`nhi_evidence.completeness.check`, and for canaries
`nhi_evidence.coverage.canary.check`); this module only defines what is passed to and from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.objects import Table
from nhi_evidence.evidence.verify.findings import Finding


class Head(msgspec.Struct, frozen=True):
    """A prefix of the log that a valid checkpoint covers."""

    origin: str
    size: int
    root: str
    """Hex."""
    at: int
    """The sealer's clock, milliseconds since the epoch."""


class Weighed(msgspec.Struct, kw_only=True):
    """Result of checking the statements."""

    findings: list[Finding]
    verdicts: Mapping[str, int]
    """By verdict, the number of source hours and scopes it is in force for."""
    without: int
    """Source hours and scopes of evidence that no statement covers."""
    canaries: Mapping[str, int] = {}
    """By result in the statement in force for their hour, the number of canary probes."""
    not_weighed: Mapping[str, int] = {}
    """By subject and reason, the number of statements not weighed against the log."""


class StatementCheck(Protocol):
    """Weighs sealed statements against the log they describe."""

    def sealed(self, place: int, entry: ObjectLeaf) -> None:
        """Take the leaf of an object under `op/`; called before any stored object is passed."""
        ...

    def evidence(
        self, place: int, entry: ObjectLeaf, table: Table, *, void: frozenset[int], body: bytes
    ) -> None:
        """Take an evidence object whose table verified, with its place in the whole log.

        `void` are the places in the table of unit lines whose claims do not count. If its contents
        turn out not to verify, `lost` follows.
        """
        ...

    def operation(self, place: int, entry: ObjectLeaf, body: bytes) -> None:
        """Take an object under `op/` whose bytes are the sealed ones."""
        ...

    def expired(self, entry: ObjectLeaf) -> None:
        """Take an evidence object that is gone after the end of its lock and grace."""
        ...

    def lost(self, entry: ObjectLeaf) -> None:
        """Take an object that is gone for any reason or did not verify: it proves nothing."""
        ...

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """Weigh everything taken so far; `heads` are all that are signed, newest last."""
        ...


class Together:
    """Several checks combined into one; each sees everything."""

    def __init__(self, *checks: StatementCheck) -> None:
        """Combine `checks`."""
        self._checks = checks

    def sealed(self, place: int, entry: ObjectLeaf) -> None:
        """See `StatementCheck.sealed`."""
        for check in self._checks:
            check.sealed(place, entry)

    def evidence(
        self, place: int, entry: ObjectLeaf, table: Table, *, void: frozenset[int], body: bytes
    ) -> None:
        """See `StatementCheck.evidence`."""
        for check in self._checks:
            check.evidence(place, entry, table, void=void, body=body)

    def operation(self, place: int, entry: ObjectLeaf, body: bytes) -> None:
        """See `StatementCheck.operation`."""
        for check in self._checks:
            check.operation(place, entry, body)

    def expired(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.expired`."""
        for check in self._checks:
            check.expired(entry)

    def lost(self, entry: ObjectLeaf) -> None:
        """See `StatementCheck.lost`."""
        for check in self._checks:
            check.lost(entry)

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """See `StatementCheck.weigh`."""
        ordered = list(heads)
        results = [check.weigh(ordered) for check in self._checks]
        return Weighed(
            findings=[each for result in results for each in result.findings],
            verdicts=_added(result.verdicts for result in results),
            without=sum(result.without for result in results),
            canaries=_added(result.canaries for result in results),
            not_weighed=_added(result.not_weighed for result in results),
        )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
