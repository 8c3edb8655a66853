"""Tell from a coverage report which acts on a path's platforms would have been recorded.

A report of `nhi-evidence coverage --json` says for each cell, over spans of time, what the settings
record. Nothing is known about a time that no reading covers, and this says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence import sources
from nhi_evidence.coverage import intervals
from nhi_evidence.coverage.cells import PHASES, Step
from nhi_evidence.coverage.intervals import Span
from nhi_evidence.coverage.matrix import SCHEMA, CellState, Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.investigate.lineage import Path
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Visibility

_PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "AWS": ("aws", "aws_agent"),
    "GCP": ("gcp", "gcp_agent"),
    "Azure": ("azure", "entra", "azure_agent"),
}
"""Cloud to the platforms of cells; a source with platforms of its own declares them itself."""


def read(document: bytes) -> Matrix:
    """Decode a report. Raises `ValueError` saying what is wrong with it."""
    try:
        report = msgspec.json.decode(document, type=Matrix)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a report of coverage --json: {error}") from error
    if report.schema != SCHEMA:
        raise ValueError(f"a report with schema {report.schema!r}, not {SCHEMA!r}")
    return report


def of_path(
    path: Path, report: Matrix, since: int | None = None, until: int | None = None
) -> list[Visibility]:
    """Return what could be seen on a path's platforms while it lasted, or in the given time."""
    times = [step.row.time for step in path.steps]
    start = since if since is not None else min(times, default=None)
    end = until if until is not None else max(times, default=0) + 1
    if start is None or start >= end:
        return []
    rows = [step.row for step in path.steps]
    platforms = {name for row in rows for name in _platforms(row)}
    window = Span(start, end)
    return [
        each
        for cell in report.cells
        if cell.platform in platforms
        for each in _of_cell(cell, rows, window)
    ]


def of_row(row: Row, every: Iterable[Visibility]) -> list[Visibility]:
    """Return what applies to a record's own step, at its time.

    Leaves out what no setting records: that tells nothing about an act that is on record.
    """
    platforms, phases = _platforms(row), {row.phase, row.base_phase}
    return [
        each
        for each in every
        if each.platform in platforms
        and each.since <= row.time < each.until
        and each.verdict != Verdict.IMPOSSIBLE
        and phases & _phases(Step(each.step))
    ]


def _phases(step: Step) -> set[str]:
    return {phase.name.replace("_", " ").title() for phase in PHASES[step]}


def _platforms(row: Row) -> tuple[str, ...]:
    return sources.platforms(row.source) or _PLATFORMS.get(row.provider, ())


def _of_cell(cell: CellState, rows: Sequence[Row], window: Span) -> Iterator[Visibility]:
    phases = _phases(cell.step)
    is_on_record = any(
        cell.platform in _platforms(row) and {row.phase, row.base_phase} & phases for row in rows
    )
    known: list[tuple[Span, Verdict, str]] = []
    for stretch in cell.stretches:
        common = stretch.span.common(window)
        if common is not None:
            known.append((common, stretch.verdict, stretch.reason))
    if cell.verdict is Verdict.IMPOSSIBLE:
        known = [(window, cell.verdict, cell.reasons[0] if cell.reasons else "")]
    rest = intervals.difference([window], [span for span, _, _ in known])
    known += [(span, Verdict.UNKNOWN, "no reading of settings covers this time") for span in rest]
    for span, verdict, reason in sorted(known):
        yield Visibility(
            what=f"{cell.platform}: {cell.case}",
            platform=cell.platform,
            step=cell.step,
            verdict=verdict,
            since=span.start,
            until=span.end,
            reason=reason,
            is_seen=verdict.is_recorded_here,
            is_on_record=is_on_record,
        )
