"""Tell a timeline in sentences: each says what a record says, and no more."""

from __future__ import annotations

from collections.abc import Iterator

from nhi_evidence import plural
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Timeline


def story(timeline: Timeline) -> Iterator[str]:
    """Yield sentences, without a trailing newline."""
    steps = timeline.path.steps
    if not steps:
        yield f"What was read has no record of {timeline.subject}."
        return
    first = steps[0].row
    yield f"The first record is {_did(first)}{_where(first)}."
    for stage in timeline.stages[1:]:
        row = next(step.row for step in steps if step.row.phase == stage.phase)
        refused = f", {stage.refused} of them refused" if stage.refused else ""
        records = plural.count(stage.records, "record")
        if stage.records == stage.refused:
            refused = ""  # a failed attempt is refused by definition
        tried = ", ".join(f"{phase.lower()} {n:,}" for phase, n in stage.base_phases.items())
        tried = f" (base phase: {tried})" if tried else ""
        yield (
            f"{span(stage.since_first_touch)} after it, {stage.phase.lower()}{tried}: "
            f"{records}{refused}; the first is {_did(row)}."
        )
    minted = [each for each in timeline.path.credentials if each.minted_by is not None]
    if minted:
        yield f"It made {plural.count(len(minted), 'credential')}, which this follows."
    if len(timeline.providers) > 1:
        yield f"It crosses {', '.join(timeline.providers)}."
    last = steps[-1].row
    yield f"The last record is {_did(last)}, {span(last.time - first.time)} after the first."


def phase(row: Row) -> str:
    """Return the effective phase and, if it is different, the base phase."""
    if row.phase == row.base_phase:
        return row.phase
    return f"{row.phase} ({'tried' if row.is_refused else 'base phase'}: {row.base_phase})"


def _did(row: Row) -> str:
    outcome = "refused" if row.is_refused else row.outcome
    on = f" on {row.targets[0]}" if row.targets else ""
    return f"{row.operation}{on} ({outcome})"


def _where(row: Row) -> str:
    address = f" from {row.ip}" if row.ip else ""
    account = f" in {row.account}" if row.account else ""
    who = f" by {row.identity}" if row.identity else ""
    return f"{who}{address}{account}"


def span(milliseconds: int) -> str:
    """Format a span of time in its two largest units."""
    seconds = milliseconds // 1000
    if seconds < 60:  # noqa: PLR2004 of a minute
        return f"{seconds} s"
    if seconds < 3600:  # noqa: PLR2004 of an hour
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds // 60 % 60} min"
