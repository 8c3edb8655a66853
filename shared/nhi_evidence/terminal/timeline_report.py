"""A timeline, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from rich.console import Console

from nhi_evidence import plural
from nhi_evidence.investigate.index import Freshness
from nhi_evidence.investigate.lineage import Credential, Mint
from nhi_evidence.investigate.timeline import TITLES, Gap, Stage, Timeline, Visibility
from nhi_evidence.terminal import timeline_steps
from nhi_evidence.terminal.safe_text import instant, neutralize_json
from nhi_evidence.terminal.verdict import show as show_verdict

SCHEMA = "nhi-evidence/timeline/2"
"""Names the document's schema; a change of meaning changes the number."""

_NOT_JUDGED = (
    "what was not recorded: no coverage report was given (--coverage); absence here proves nothing"
)


def as_document(timeline: Timeline) -> bytes:
    """Return a timeline as JSON, safe to show in a terminal."""
    plain = msgspec.to_builtins(timeline)
    plain["schema"] = SCHEMA
    plain["verdict"] = timeline.verdict
    plain["providers"] = list(timeline.providers)
    return neutralize_json(msgspec.json.encode(plain))


def show(out: Console, timeline: Timeline, *, every_record: bool = False) -> None:
    """Print a timeline: the verdict first, what it cannot say last.

    Repetitions of the same action are one entry, unless `every_record`.
    """
    show_verdict(out, *_verdict(timeline), _lines(timeline, every_record=every_record))


def _verdict(timeline: Timeline) -> tuple[str, str, str]:
    """Return the verdict, its style, and what it is about."""
    style = "bold" if timeline.verdict == "FOUND" else "bold yellow"
    return timeline.verdict, style, _about(timeline)


def _about(timeline: Timeline) -> str:
    steps, unread = timeline.path.steps, timeline.freshness.unreadable_count
    if not steps and unread:
        return f"nothing for {timeline.subject} in what could be read; {_unread(unread)}"
    if not steps:
        where = "is shown" if timeline.freshness.not_shown_count else "was read"
        return f"nothing for {timeline.subject} in what {where}"
    span = duration(steps[-1].row.time - steps[0].row.time)
    records, providers = plural.count(len(steps), "record"), ", ".join(timeline.providers)
    return f"{records} of {timeline.subject}, over {span}, in {providers}"


def _lines(timeline: Timeline, *, every_record: bool) -> Iterator[str]:
    yield from freshness_lines(timeline.freshness)
    for workload in timeline.path.workloads:
        yield f"workload  {workload}"
    if timeline.stages:
        yield "phases    effective, as in summary and query: after parameters and outcome;"
        yield "          base, where it differs: what the operation alone means;"
        yield "          + is after the first record"
    yield from map(_stage, timeline.stages)
    if timeline.path.steps:
        yield ""
    yield from timeline_steps.entries(
        timeline.path.steps, every_record=every_record, visible=timeline.visibility
    )
    if timeline.path.credentials:
        yield ""
    yield from _credentials(timeline.path.credentials)
    for finding in timeline.findings:
        unsure = " (uncertain)" if finding.is_uncertain else ""
        yield f"finding   {finding.rule}{unsure} {instant(finding.first)} {finding.actor}"
        yield f"          {finding.text}"
    for each in timeline.witnesses:
        if each.witness is not None:
            yield f"witness   {each.taken.provider} {each.taken.operation}: {each.text}"
            yield f"          {timeline_steps.place_text(each.witness.place)}"
    yield from _gaps(timeline.gaps)
    yield from _visibility(timeline)


def freshness_lines(freshness: Freshness) -> Iterator[str]:
    """Yield what an index holds, and how far that can be trusted."""
    if freshness.engine:
        yield from _athena(freshness)
        return
    if freshness.proven:
        yield f"evidence  {freshness.head}, signed {_when(freshness.head_time)}"
        if freshness.unreadable_count:
            yield "          its signature was checked, and the hash of every object that was read;"
            yield f"          {_unread(freshness.unreadable_count)}, or do not match; see verify"
        else:
            yield "          its signature and the hash of every object were checked; see verify"
    else:
        yield "evidence  raw log files: none of this is proven"
    span = "no records"
    if freshness.first is not None and freshness.last is not None:
        span = f"{instant(freshness.first)} to {instant(freshness.last)}"
    repeated = f", {freshness.duplicates:,} repeated" if freshness.duplicates else ""
    where = plural.count(freshness.objects or 0, "object" if freshness.proven else "file")
    yield f"          {plural.count(freshness.rows or 0, 'record')} in {where}{repeated}; {span}"
    for text in freshness.unread(_MOST_LINES):
        yield f"          {text}"


_MOST_LINES = 5


def _athena(freshness: Freshness) -> Iterator[str]:
    yield f"evidence  {freshness.engine}"
    yield "          records named by sealed statements count; no signature or hash was checked;"
    yield "          only the newest version of a key is seen: verify finds shadowed ones;"
    yield "          unreadable lines are in the view unreadable"
    for text in freshness.not_shown[:_MOST_LINES]:
        yield f"          not shown: {text}"
    more = freshness.not_shown_count - min(len(freshness.not_shown), _MOST_LINES)
    if more:
        yield f"          ... and {more} more"


def _unread(number: int) -> str:
    return f"{plural.count(number, 'object or line', 'objects or lines')} could not be read"


def _when(milliseconds: int | None) -> str:
    return "at an unknown time" if milliseconds is None else instant(milliseconds)


def _stage(stage: Stage) -> str:
    refused = f", {stage.refused:,} refused" if stage.refused else ""
    base = ", ".join(f"{phase} {number:,}" for phase, number in stage.base_phases.items())
    dwelt = f" over {duration(stage.last - stage.first)}" if stage.records > 1 else ""
    records = plural.count(stage.records, "record")
    return (
        f"stage     {stage.phase:<22} +{duration(stage.since_first_touch):<12} "
        f"{records}{dwelt}{refused}{f'; base: {base}' if base else ''}"
    )


def _credentials(credentials: Iterable[Credential]) -> Iterator[str]:
    """Yield each credential; only the first few of those a platform issues by itself."""
    handed_out = 0
    for each in credentials:
        handed_out += each.mint is Mint.NOT_EXPECTED
        if each.mint is not Mint.NOT_EXPECTED or handed_out <= _MOST_LINES:
            yield _credential(each)
    if handed_out > _MOST_LINES:
        more = handed_out - _MOST_LINES
        yield f"          ... and {more} more that the platform issued; --json has all"


def _gaps(gaps: Iterable[Gap]) -> Iterator[str]:
    kinds: dict[str, list[Gap]] = {}
    for gap in gaps:
        kinds.setdefault(gap.kind, []).append(gap)
    for kind, alike in kinds.items():
        for gap in alike[:_MOST_LINES]:
            yield f"gap       {gap.text}"
        if len(alike) > _MOST_LINES:
            more = len(alike) - _MOST_LINES
            yield f"          ... and {more} more: {TITLES[kind]}; --json has all"


def _credential(each: Credential) -> str:
    uses = plural.count(each.uses, "use") if each.uses else "not used here"
    parent = f", created with {each.parent}" if each.parent else ""
    return f"credential {each.uid}: {uses}; its making is {each.mint}{parent}"


def _visibility(timeline: Timeline) -> Iterator[str]:
    if timeline.visibility is None:
        yield f"not judged: {_NOT_JUDGED}"
        return
    seen = [each for each in timeline.visibility if each.is_seen]
    unseen = [each for each in timeline.visibility if not each.is_seen]
    for alike in _alike(unseen):
        yield from _together(alike, _CELLS)
        yield f"           {_span(alike[0])}; {alike[0].reason}"
    # What would have been recorded, whatever records it: each is named, for its absence counts.
    absent = [msgspec.structs.replace(each, reason="") for each in seen if not each.is_on_record]
    for alike in _alike(absent):
        yield from _together(alike, len(alike))
        yield f"           {_span(alike[0])}"
    on_record = sum(each.is_on_record for each in seen)
    if on_record:
        cells = plural.count(on_record, "cell")
        yield f"seen      {cells} more: recorded, and the step is on record"


def _together(alike: Sequence[Visibility], most: int) -> Iterator[str]:
    """Yield verdict and cells of entries that differ in their cell alone."""
    first, whats = alike[0], list(dict.fromkeys(each.what for each in alike))
    if len(whats) == 1:
        yield f"{first.verdict:<10} {first.what}: {first.text}"
        return
    yield f"{first.verdict:<10} {plural.count(len(whats), 'cell')}: {first.text}"
    more = f", and {len(whats) - most} more; --json has all" if len(whats) > most else ""
    yield f"           {', '.join(whats[:most])}{more}"


_CELLS = 8
"""Number of cells named for one reason."""


def _alike(unseen: Iterable[Visibility]) -> Iterable[list[Visibility]]:
    """Group what is unseen by reason and time: a platform that was not read is one entry."""
    groups: dict[tuple[str, ...], list[Visibility]] = {}
    for each in unseen:
        key = (each.verdict, each.text, _span(each), each.reason)
        groups.setdefault(key, []).append(each)
    return groups.values()


def _span(each: Visibility) -> str:
    of = f"{', '.join(each.accounts)}; " if each.accounts else ""
    return f"{of}{instant(each.since)} to {instant(each.until)}"


def day(milliseconds: int) -> str:
    """Return the UTC day of a time: `2026-03-02`."""
    return instant(milliseconds)[:10]


def duration(milliseconds: int) -> str:
    """Return a duration in its two largest units: `3 h 12 min`."""
    seconds = milliseconds // 1000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {seconds % 60} s" if seconds % 60 else f"{minutes} min"
    return f"{seconds} s"
