"""Mapping evidence again: the release that made it, its settings, and the raw text it kept.

A false normalized record, or one declared out of scope that is not, shows as another line.
"""

from __future__ import annotations

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence.lines import Header, ParsedLine, Settings, UnitLine
from nhi_evidence.evidence.verify.report import MapAgain
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.release import mapper_identity
from nhi_evidence.pipeline.scope import Scope

_MOST_MAPPERS = 64
"""Kept at once: a writer may state other settings in every object."""


class Reproducer:
    """Maps units again, as `evidence.verify.report.Reproducer` asks; mappers are made once."""

    def __init__(self) -> None:
        """Begin without any mapper."""
        self._mappers: dict[tuple[str, bytes], Mapper] = {}

    def __call__(self, header: Header) -> MapAgain | None:
        """Return how the records of an object are mapped; None without its release or source."""
        if header.mapper.digest != mapper_identity().digest:
            return None
        try:
            mapper = self._mapper(header.source, header.settings)
        except (SettingsError, ValueError):
            return None  # a source or scope this release does not have: nothing of it made this

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
