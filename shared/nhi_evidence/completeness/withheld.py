"""Naming what providers signed that a store lacks, to show that a file was withheld."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.reasons import REASONS
from nhi_evidence.completeness.statement import Named, Statements
from nhi_evidence.evidence import note
from nhi_evidence.evidence.verify.sorting import MemorySorter, Sorter
from nhi_evidence.ports import EvidenceVersions


def statements(
    store: EvidenceVersions,
    name: str,
    pinned: Sequence[note.Key],
    provider_keys: Mapping[str, bytes],
    *,
    now: int,
    sorter: Callable[[], Sorter] = MemorySorter,
) -> list[Statements]:
    """Return the statements on every hour of a small store.

    Raises `LogError` when no checkpoint of the log verifies.
    """
    sealed = reconcile.full(store, name, pinned, sorter, now=now)
    read = reconcile.gather(store, sealed, sorter, now=now)
    return list(reconcile.statements(read, Known(log=read.log, keys=provider_keys)))


def lacking(stated: Sequence[Statements]) -> list[Named]:
    """Return everything known to be missing, by name, oldest hour first."""
    return [
        named
        for held in sorted(stated, key=lambda each: (each.hour, each.source))
        for statement in held.statements
        for named in statement.named
        if REASONS[named.reason].is_incomplete
    ]
