"""V5: what verification hands on to whoever weighs sealed statements on completeness.

The statements are read and weighed above this room (`nhi_evidence.completeness.check`): here is
only what a verification tells of, and what it is told.
"""

from __future__ import annotations

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
    not_weighed: Mapping[str, int] = {}
    """Why statements could not be weighed against the log, to how many."""


class StatementCheck(Protocol):
    """Weighs sealed statements against the log they speak of."""

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

    def weigh(self, heads: Iterable[Head]) -> Weighed:
        """Weigh everything that was taken; `heads` are all that are signed, the newest last."""
        ...
