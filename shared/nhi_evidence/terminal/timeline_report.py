"""A timeline, for a reader and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.text import Text

from nhi_evidence.investigate.index import Freshness
from nhi_evidence.investigate.lineage import Credential, Step
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.timeline import Stage, Timeline, Visibility
from nhi_evidence.terminal.safe_text import instant, neutralize, neutralize_json

SCHEMA = "nhi-evidence/timeline/1"
"""Names the form of the document; a change of meaning is another number."""

_NOT_JUDGED = (
    "what was not recorded: no statement on coverage was given (--coverage); "
    "silence below proves nothing"
)


def as_document(timeline: Timeline) -> bytes:
    """Return a timeline as JSON, inert in a terminal."""
    plain = msgspec.to_builtins(timeline)
    plain["schema"] = SCHEMA
    plain["verdict"] = _verdict(timeline)[0]
    plain["providers"] = list(timeline.providers)
    return neutralize_json(msgspec.json.encode(plain))


def show(out: Console, timeline: Timeline) -> None:
    """Print a timeline for a reader: the verdict first, what it cannot say last."""
    verdict, style, text = _verdict(timeline)
    out.print(Text(verdict, style=style), Text(f" {neutralize(text)}"), sep="", soft_wrap=True)
    for line in _lines(timeline):
        out.print(Text(neutralize(line)), soft_wrap=True)


def _verdict(timeline: Timeline) -> tuple[str, str, str]:
    steps = timeline.path.steps
    if not steps:
        return "NONE ON RECORD", "bold yellow", f"nothing of {timeline.subject} in what was read"
    span = duration(steps[-1].row.time - steps[0].row.time)
    providers = ", ".join(timeline.providers)
    text = f"{len(steps)} records of {timeline.subject}, over {span}, in {providers}"
    return (
        ("INCOMPLETE", "bold yellow", text) if timeline.is_incomplete else ("FOUND", "bold", text)
    )


def _lines(timeline: Timeline) -> Iterator[str]:
    yield from freshness_lines(timeline.freshness)
    for workload in timeline.path.workloads:
        yield f"workload  {workload}"
    yield from map(_stage, timeline.stages)
    if timeline.path.steps:
        yield ""
    day = ""
    for step in timeline.path.steps:
        when = instant(step.row.time)
        if when[:10] != day:
            day = when[:10]
            yield day
        yield from _step(step, when[11:19])
    if timeline.path.credentials:
        yield ""
    yield from map(_credential, timeline.path.credentials)
    for finding in timeline.findings:
        unsure = " (uncertain)" if finding.is_uncertain else ""
        yield f"finding   {finding.rule}{unsure} {instant(finding.first)} {finding.actor}"
        yield f"          {finding.text}"
    for each in timeline.witnesses:
        if each.witness is not None:
            yield f"witness   {each.taken.provider} {each.taken.operation}: {each.text}"
            yield f"          {place_text(each.witness.place)}"
    for gap in timeline.gaps:
        yield f"gap       {gap.text}"
    yield from _visibility(timeline)


def freshness_lines(freshness: Freshness) -> Iterator[str]:
    """Yield what an index holds, and what that is worth."""
    if freshness.proven:
        yield f"evidence  {freshness.head}, signed {_when(freshness.head_time)}"
        yield "          its signature and the hash of every object were checked; see verify"
    else:
        yield "evidence  raw log files: nothing of this is proven"
    span = "no records"
    if freshness.first is not None and freshness.last is not None:
        span = f"{instant(freshness.first)} to {instant(freshness.last)}"
    repeated = f", {freshness.duplicates} repeated" if freshness.duplicates else ""
    kind = "objects" if freshness.proven else "files"
    yield f"          {freshness.rows} records in {freshness.objects} {kind}{repeated}; {span}"
    for text in freshness.unreadable[:_SHOWN]:
        yield f"          not read: {text}"
    if len(freshness.unreadable) > _SHOWN:
        yield f"          ... and {len(freshness.unreadable) - _SHOWN} more"


_SHOWN = 5


def _when(milliseconds: int | None) -> str:
    return "at no known time" if milliseconds is None else instant(milliseconds)


def _stage(stage: Stage) -> str:
    refused = f", {stage.refused} refused" if stage.refused else ""
    return (
        f"stage     {stage.phase:<22} +{duration(stage.since_first_touch):<12} "
        f"{_records(stage.records)}{refused}"
    )


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


def _step(step: Step, clock: str) -> Iterator[str]:
    row = step.row
    tried = "" if row.phase == row.base_phase else f" (tried: {row.base_phase})"
    guess = " [a guess]" if is_guess(row) else ""
    yield f"{clock}  {row.provider:<8} {row.operation}  {row.outcome}"
    yield f"          {row.phase}{tried}{guess}; by {step.known_by}"
    if row.targets:
        yield f"          on {', '.join(row.targets[:_SHOWN])}"
    if row.issued:
        yield f"          issued {', '.join(row.issued)}"
    yield f"          {place_text(row.place)}"


def is_guess(row: Row) -> bool:
    """Whether no row of a catalog names the operation."""
    return not row.phase_rules or row.phase_rules[0].startswith("fallback:")


def place_text(place: Place) -> str:
    """Return where a record lies, short enough for a screen; `--json` has all of it."""
    if place.standing is Standing.UNPROVEN:
        return f"{place.object} record {place.line}"
    name = place.object.rpartition("/")[2][:12]
    mark = "" if place.standing is Standing.COUNTED else f" {str(place.standing).upper()}"
    return f"object {name} leaf {place.shard}/{place.leaf} record {place.line}{mark}"


def _credential(each: Credential) -> str:
    uses = {0: "not used here", 1: "1 use"}.get(each.uses, f"{each.uses} uses")
    parent = f", made with {each.parent}" if each.parent else ""
    return f"credential {each.uid}: {uses}; making {each.mint}{parent}"


def _visibility(timeline: Timeline) -> Iterator[str]:
    if timeline.visibility is None:
        yield f"not judged: {_NOT_JUDGED}"
        return
    seen = [each for each in timeline.visibility if each.is_seen]
    unseen = [each for each in timeline.visibility if not each.is_seen]
    for each in unseen:
        yield f"{each.verdict:<11}{each.what}: {each.text}"
        yield f"          {_span(each)}; {each.reason}"
    for each in seen:
        if not each.is_on_record:
            yield f"{each.verdict:<11}{each.what}: {each.text}"
            yield f"          {_span(each)}"
    on_record = sum(each.is_on_record for each in seen)
    if on_record:
        yield f"seen      {on_record} more cells are recorded, and their step is on record"


def _span(each: Visibility) -> str:
    return f"{instant(each.since)} to {instant(each.until)}"


def day(milliseconds: int) -> str:
    """Return the day of an instant, UTC: `2026-03-02`."""
    return instant(milliseconds)[:10]


def duration(milliseconds: int) -> str:
    """Return a span of time in its two largest units: `3 h 12 min`."""
    seconds = milliseconds // 1000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s" if seconds % 60 else f"{minutes} min"
    return f"{seconds} s"
