"""Tell a timeline in sentences: each says what a record says, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from nhi_evidence import plural
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Timeline, Visibility


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


_RECORDED = {
    "PROVEN": "recorded, and a canary showed it",
    "CONFIGURED": "recorded, as the settings were read",
    "BROKEN": "a test of it did not arrive",
    "GAP": "not recorded, or not all of it",
    "ELSEWHERE": "recorded elsewhere",
    "UNKNOWN": "not known whether recorded",
}


def coverage(about: Sequence[Visibility]) -> Iterator[str]:
    """Yield what a coverage report says of the recording of an act: verdict, cells, interval.

    Of nothing it yields that nothing is known: silence would look like an act that is recorded.
    """
    if not about:
        yield "coverage UNKNOWN: no cell of the report is about such an act"
        return
    alike: dict[tuple[str, int, int], list[Visibility]] = {}
    for each in about:
        alike.setdefault((each.verdict, each.since, each.until), []).append(each)
    for (verdict, since, until), entries in alike.items():
        yield f"coverage {verdict}: {_RECORDED.get(verdict, verdict)}; {interval(since, until)}"
        cells = ", ".join(each.cell for each in entries if each.cell)
        if cells:
            yield f"         cells of such acts: {cells}"
        for reason in dict.fromkeys(each.reason for each in entries if _is_told(each)):
            yield f"         because {reason}"


def _is_told(each: Visibility) -> bool:
    """Whether its reason is told: where it is not seen, or its record names no account."""
    return not each.is_seen or not each.accounts


def instant(milliseconds: int) -> str:
    """Return an instant as ISO 8601 UTC; one outside the calendar as its number."""
    try:
        at = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return f"{milliseconds} ms"
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def interval(since: int, until: int) -> str:
    """Return an interval; of one day the day once."""
    start, end = instant(since), instant(until)
    return f"{start} to {end[11:] if start[:10] == end[:10] else end}"


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
