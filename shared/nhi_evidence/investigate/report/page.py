"""A timeline as one page: it loads nothing, prints well, and says the same without scripting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from nhi_evidence import html_page, plural
from nhi_evidence.investigate.lineage import Step
from nhi_evidence.investigate.report import chart, words
from nhi_evidence.investigate.row import Standing
from nhi_evidence.investigate.timeline import TITLES, Timeline, Visibility

MAX_ROWS = 5_000
"""How many records the table has; of more, only the first, and the page says so."""


def page(timeline: Timeline, *, verify: Sequence[str] = ()) -> bytes:
    """Return the page; `verify` are commands that check what it shows."""
    body = "\n".join(_body(timeline, verify))
    return html_page.page(__name__, escape(timeline.subject), body)


def _body(timeline: Timeline, verify: Sequence[str]) -> Iterator[str]:
    yield f"<h1>{escape(timeline.subject)}</h1>"
    yield from _status(timeline)
    yield "<h2>In words</h2>"
    for sentence in words.story(timeline):
        yield f"<p>{escape(sentence)}</p>"
    if timeline.path.steps:
        yield from _path(timeline)
    yield from _visibility(timeline)
    if timeline.path.steps:
        yield from _records(timeline.path.steps, timeline.visibility)
    yield from _how_to_verify(verify)


def _path(timeline: Timeline) -> Iterator[str]:
    yield "<h2>Over time</h2>"
    yield from _legend(timeline)
    if len(timeline.path.steps) > chart.MAX_MARKS:
        yield f"<p>An even sample of {chart.MAX_MARKS} records is drawn.</p>"
    yield '<div class="scroll chart">'
    yield from chart.records(timeline)
    yield "</div>"
    yield from _stages(timeline)
    yield "<h2>Credentials</h2>"
    yield "<p>Each leads to those made with it. Dashed: its making is not on record here.</p>"
    if len(timeline.path.credentials) > chart.MAX_NODES:
        yield f"<p>The first {chart.MAX_NODES} are drawn.</p>"
    yield '<div class="scroll chart">'
    yield from chart.credentials(timeline.path.credentials)
    yield "</div>"
    yield from _findings(timeline)
    yield from _witnesses(timeline)


_STYLES = {"FOUND": "plain", "NONE ON RECORD": "warn", "INCOMPLETE": "bad"}
"""Verdict to its style; that something is found is neither good nor bad."""


def _verdict(timeline: Timeline) -> str:
    steps = timeline.path.steps
    text = "nothing in what was read"
    if steps:
        span = words.span(steps[-1].row.time - steps[0].row.time)
        records = plural.count(len(steps), "record")
        text = f"{records}, over {span}, in {', '.join(timeline.providers)}"
    if timeline.is_incomplete:
        text += "; more was not read, is contested or is left out"
    return text


def _status(timeline: Timeline) -> Iterator[str]:
    fresh = timeline.freshness
    kind, text = _STYLES[timeline.verdict], escape(_verdict(timeline))
    yield f'<p class="status {kind}"><strong>{timeline.verdict}</strong>: {text}</p>'
    if fresh.proven:
        signed = "" if fresh.head_time is None else f", signed {words.instant(fresh.head_time)}"
        text = f"Sealed: {fresh.head}{signed}. Signature and hashes were checked as it was read."
        kind = "good"
        if fresh.unreadable_count:
            unread = plural.count(fresh.unreadable_count, "object or line", "objects or lines")
            text += f" {unread} could not be read, or did not match."
            kind = "bad"
    elif fresh.engine:
        text = f"{fresh.engine}: neither signatures nor hashes were checked."
        kind = "warn"
    else:
        text, kind = "Raw log files: none of this is proven.", "bad"
    yield f'<p class="status {kind}">{escape(text)}</p>'
    for gap in timeline.gaps:
        yield f'<p class="status warn">{escape(TITLES[gap.kind])}: {escape(gap.text)}</p>'
    for text in fresh.unread():
        yield f'<p class="status bad">{escape(text)}</p>'


def _legend(timeline: Timeline) -> Iterator[str]:
    phases = dict.fromkeys(chart.pursued(step.row) for step in timeline.path.steps)
    yield '<ul class="legend">'
    for phase in phases:
        letters = "".join(word[0] for word in phase.split())
        index = list(chart.COLORS).index(phase) if phase in chart.COLORS else len(chart.COLORS) - 1
        yield f'<li><span class="dot p{index}">{escape(letters)}</span> {escape(phase)}</li>'
    yield "<li>hollow: refused, by what was tried</li></ul>"


def _stages(timeline: Timeline) -> Iterator[str]:
    yield "<h2>Stages</h2>"
    rows = (
        (
            stage.phase,
            ", ".join(f"{phase} {records:,}" for phase, records in stage.base_phases.items()),
            words.instant(stage.first),
            words.span(stage.since_first_touch),
            words.span(stage.last - stage.first),
            str(stage.records),
            str(stage.refused),
        )
        for stage in timeline.stages
    )
    yield from _table(
        (
            "effective phase",
            "base phase, if different",
            "first",
            "after the first record",
            "lasted",
            "records",
            "refused",
        ),
        rows,
    )


def _findings(timeline: Timeline) -> Iterator[str]:
    yield "<h2>What several records show together</h2>"
    if not timeline.findings:
        yield "<p>No rule matches.</p>"
        return
    rows = (
        (
            each.rule + (" (uncertain)" if each.is_uncertain else ""),
            words.instant(each.first),
            each.actor,
            each.text,
        )
        for each in timeline.findings
    )
    yield from _table(("rule", "from", "credential or identity", "finding"), rows)


def _witnesses(timeline: Timeline) -> Iterator[str]:
    if not timeline.witnesses:
        return
    yield "<h2>Who else recorded it</h2>"
    rows = (
        (f"{each.taken.provider} {each.taken.operation}", words.instant(each.taken.time), each.text)
        for each in timeline.witnesses
    )
    yield from _table(("token taken", "at", "the other side"), rows)


def _visibility(timeline: Timeline) -> Iterator[str]:
    yield "<h2>What was recorded, and what could not be seen</h2>"
    if timeline.visibility is None:
        yield (
            '<p class="status warn">No statement on coverage was given: what is not here may have '
            "happened without being recorded.</p>"
        )
        return
    rows = (
        (
            each.verdict,
            each.what,
            each.text,
            ", ".join(each.accounts),
            words.interval(each.since, each.until),
            each.reason,
        )
        for each in timeline.visibility
    )
    yield from _table(("verdict", "step", "meaning", "account", "from and to", "because"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr>'
    yield "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(_cell(cell, _TIME.fullmatch(cell)) for cell in row) + "</tr>"
    yield "</tbody></table></div>"


_TIME = re.compile(r"[0-9-]{10} [0-9:]{8}Z")
"""A time, which has a line of its own in the narrowest column."""


def _cell(text: str, time: object) -> str:
    return f'<td class="time">{escape(text)}</td>' if time else f"<td>{escape(text)}</td>"


def _records(steps: Sequence[Step], visibility: Sequence[Visibility] | None) -> Iterator[str]:
    yield '<h2 id="records">Records</h2>'
    if len(steps) > MAX_ROWS:
        yield f"<p>The first {MAX_ROWS} of {len(steps)}; timeline.json has all.</p>"
    listed = steps[:MAX_ROWS]
    yield '<form id="filter" hidden>'
    yield '<label>text <input type="search" name="text"></label>'
    for name, values in (
        ("phase", sorted({step.row.phase for step in listed})),
        ("platform", sorted({step.row.provider for step in listed})),
        ("outcome", sorted({step.row.outcome for step in listed})),
    ):
        options = "".join(f"<option>{escape(value)}</option>" for value in values)
        yield (
            f'<label>{name} <select name="{name}"><option value="">all</option>{options}'
            "</select></label>"
        )
    yield '<output aria-live="polite"></output></form>'
    yield '<div class="scroll"><table id="rows"><thead><tr>'
    yield "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    yield "</tr></thead><tbody>"
    for number, step in enumerate(listed, start=1):
        yield _record(number, step, visibility)
    yield "</tbody></table></div>"


_HEADS = (
    "", "time", "platform", "operation", "outcome", "phase", "who", "on", "location",
    "what recorded it",
)  # fmt: skip
_NOT_JUDGED = "no coverage report was given"


def _covered(step: Step, visibility: Sequence[Visibility] | None) -> str:
    """Return what a coverage report says of the recording of a record's act, and for how long."""
    if visibility is None or step.coverage is None:
        return _NOT_JUDGED
    about = [visibility[number] for number in step.coverage]
    return "\n".join(line.strip() for line in words.coverage(about))


def _record(number: int, step: Step, visibility: Sequence[Visibility] | None) -> str:
    row, place = step.row, step.row.place
    standing = "" if place.standing is Standing.COUNTED else f"{place.standing}: "
    seal = f"leaf {place.shard}/{place.leaf}" if place.shard else ""
    where = ", ".join(filter(None, (place.object, place.unit, f"record {place.line}", seal)))
    cells = (
        (str(number), ""),
        (words.instant(row.time), "time"),
        (f"{row.provider} {row.account or ''}", ""),
        (row.operation, ""),
        (row.outcome, "refused" if row.is_refused else ""),
        (f"{words.phase(row)}{' [a guess]' if row.is_guess else ''}", ""),
        (f"{row.identity or 'nobody named'}, by {step.known_by}", "long"),
        (", ".join(row.targets), "long"),
        (f"{standing}{where}", "long faint"),
        (_covered(step, visibility), "long faint lines"),
    )
    data = (
        f'id="r{number}" tabindex="-1" data-phase="{escape(row.phase, quote=True)}" '
        f'data-platform="{escape(row.provider, quote=True)}" '
        f'data-outcome="{escape(row.outcome, quote=True)}"'
    )
    columns = "".join(
        f'<td class="{css}">{escape(text)}</td>' if css else f"<td>{escape(text)}</td>"
        for text, css in cells
    )
    return f"<tr {data}>{columns}</tr>"


def _how_to_verify(commands: Sequence[str]) -> Iterator[str]:
    yield "<h2>How to verify this</h2>"
    yield (
        "<p>This page proves nothing by itself: it repeats what records say. Each record names "
        "its object and its line there; a proof of it is checked offline, with the key of the "
        "log, which you must get through another channel than this page.</p>"
    )
    for command in commands:
        yield f"<pre>{escape(command)}</pre>"
