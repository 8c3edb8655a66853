"""Which hours a scheduled run must judge: those without a statement on a recent enough log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.hours import HOUR_MS, hours
from nhi_evidence.completeness.statement import Scope
from nhi_evidence.evidence import keys
from nhi_evidence.ports import EvidenceVersions
from nhi_evidence.stored import Version

STAGES_MS = (2 * HOUR_MS, 26 * HOUR_MS, 49 * HOUR_MS)
"""Ages at which an hour is judged: when its lists should exist, when late deliveries should have
arrived, and when nothing more may be named."""

WINDOW_MS = 96 * HOUR_MS
"""Older hours are left to `nhi-evidence reconcile`."""


_Stated = tuple[str, str, str]
"""Source, hour, and the id of a scope, or `_ALL`."""

_ALL = ""


class Due:
    """The hours that are due, given the existing statements."""

    def __init__(self, store: EvidenceVersions, now: int) -> None:
        """Read the existing statements, as of `now`, milliseconds since the epoch."""
        self._now = now
        self._stated: dict[_Stated, int] = {}
        first = now - WINDOW_MS
        self._hours = [
            hour for hour in hours(first, now - STAGES_MS[0], most=1000) if self._stage(hour)
        ]
        for hour in self._hours:
            for source, scope, at in _stated(store, hour):
                known = self._stated.get((source, hour, scope), 0)
                self._stated[source, hour, scope] = max(known, at)

    def __call__(self, source: str, hour: str) -> bool:
        """Whether an hour of a source lacks a recent enough statement.

        All its scopes are stated together: it has one as soon as the last of those objects is put.
        """
        return self._lacks(source, hour, _ALL)

    def of_scope(self, source: str, hour: str, scope: Scope) -> bool:
        """Whether a scope that is stated by itself, from a listing, lacks a recent enough one.

        A run that ends between two scopes leaves the second due, whatever it put for the source.
        """
        return self._lacks(source, hour, statement_file.scope_id(scope))

    def _lacks(self, source: str, hour: str, scope: str) -> bool:
        stage = self._stage(hour)
        began = keys.hour_start(hour)
        if stage is None or began is None or began < self._now - WINDOW_MS:
            return False
        return self._stated.get((source, hour, scope), 0) < stage

    @property
    def hours(self) -> list[str]:
        """The hours that may be due, oldest first."""
        return self._hours

    def _stage(self, hour: str) -> int | None:
        """Return the time from which a statement on an hour is recent enough; None if too early."""
        began = keys.hour_start(hour)
        if began is None:
            return None
        passed = [began + HOUR_MS + stage for stage in STAGES_MS]
        return max((instant for instant in passed if instant <= self._now), default=None)


def _stated(store: EvidenceVersions, hour: str) -> Iterator[tuple[str, str, int]]:
    """Yield what is stated on an hour: source, id of a scope or `_ALL`, and the time of its log."""
    versions = [
        version
        for version in store.versions(f"{statement_file.PREFIX}h={hour}/")
        if not version.marker and statement_file.is_statements(version.key)
    ]
    yield from _described(store, versions)


def _described(
    store: EvidenceVersions, versions: Iterable[Version]
) -> Iterator[tuple[str, str, int]]:
    for description in store.describe(versions):
        metadata = {} if description is None else description.metadata
        at = metadata.get("at", "")
        if at.isascii() and at.isdigit():
            source = metadata.get("source", "")
            if "scope" in metadata:
                yield source, metadata["scope"], int(at)
            if "more" not in metadata:  # the last of several objects is put after the others
                yield source, _ALL, int(at)
