"""V5: what verification hands on to whoever weighs sealed statements.

They are read and weighed above this room (`nhi_evidence.completeness.check`, and of canaries
`nhi_evidence.coverage.canary.check`): here is only what a verification tells of, and is told.
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
    """A beginning of the log a valid checkpoint covers."""

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
    """Verdict to how many source hours and scopes it stands on."""
    without: int
    """Source hours and scopes of evidence no statement speaks of."""
    canaries: Mapping[str, int] = {}
    """Result of a canary's probe, by the statement that stands on its hour, to how many."""
    not_weighed: Mapping[str, int] = {}
    """On what, and why, statements could not be weighed against the log, to how many."""


class StatementCheck(Protocol):
    """Weighs sealed statements against the log they speak of."""

    def sealed(self, place: int, entry: ObjectLeaf) -> None:
        """Take the leaf of an object under `op/`, before anything that is stored is shown."""
        ...

    def evidence(
        self, place: int, entry: ObjectLeaf, table: Table, *, void: frozenset[int], body: bytes
    ) -> None:
        """Take an object of evidence that holds, with its place in the whole log.

        `void` are the places of unit lines that claim nothing.
        """
        ...

    def operation(self, place: int, entry: ObjectLeaf, body: bytes) -> None:
        """Take an object under `op/` whose bytes are the sealed ones."""
        ...

    def expired(self, entry: ObjectLeaf) -> None:
        """Take an object of evidence that is gone as it may be."""
        ...

    def lost(self, entry: ObjectLeaf) -> None:
        """Take an object that is gone, as it may be or not, or does not hold: it shows nothing."""
        ...

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """Weigh everything that was taken; `heads` are all that are signed, the newest last."""
        ...


class Together:
    """Several checks as one: each is shown everything."""

    def __init__(self, *checks: StatementCheck) -> None:
        """Weigh by each of these."""
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
