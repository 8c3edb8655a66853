"""Map evidence again, with the same release, the same settings, and the raw text that was kept.

A falsified normalized record, or one wrongly declared out of scope, shows as a different line.
"""

from __future__ import annotations

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.lines import Header, ParsedLine, Settings, UnitLine
from nhi_evidence.evidence.verify.report import MapAgain
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.release import mapper_identity
from nhi_evidence.pipeline.scope import Scope

_MOST_MAPPERS = 64
"""How many mappers are kept: a writer may state different settings in every object."""


class Reproducer:
    """An `evidence.verify.report.Reproducer` that maps units again; mappers are reused."""

    def __init__(self) -> None:
        """Start without any mapper."""
        self._mappers: dict[tuple[str, bytes], Mapper] = {}

    def __call__(self, header: Header) -> MapAgain | None:
        """Return how to map an object's records; None if this is not its release."""
        if header.mapper.digest != mapper_identity().digest:
            return None
        try:
            mapper = self._mapper(header.source, header.settings)
        except (SettingsError, ValueError):
            return None  # a source or scope that this release does not have, so it cannot be ours

        def again(unit: UnitLine, line: ParsedLine, was: tuple[str, int]) -> bytes | None:
            return mapper.records.again(unit.u, line, was)

        return again

    def _mapper(self, source: str, settings: Settings) -> Mapper:
        known = (source, repr(settings).encode())
        if known not in self._mappers:
            if len(self._mappers) >= _MOST_MAPPERS:
                self._mappers.pop(next(iter(self._mappers)))
            self._mappers[known] = Mapper(
                source,
                scope=Scope(settings.scope),
                keep_out_of_scope_raw=settings.keep_out_of_scope_raw,
                limits=settings.limits,
            )
        return self._mappers[known]
