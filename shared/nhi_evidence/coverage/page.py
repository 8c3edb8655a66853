"""The matrix as one page: a heat map by platform and step, and every cell with its reasons.

Self-contained: its content security policy allows only its own style and script, by hash, so it
makes no requests. Without scripting it has the same content, with all cells shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape

from nhi_evidence import html_page
from nhi_evidence.coverage.cells import Step
from nhi_evidence.coverage.controls import Support
from nhi_evidence.coverage.intervals import Stretch
from nhi_evidence.coverage.matrix import CellState, Matrix
from nhi_evidence.coverage.verdict import Verdict

LETTERS = {
    Verdict.PROVEN: "P",
    Verdict.CONFIGURED: "C",
    Verdict.BROKEN: "B",
    Verdict.GAP: "G",
    Verdict.IMPOSSIBLE: "I",
    Verdict.ELSEWHERE: "E",
    Verdict.UNKNOWN: "U",
}
"""One letter for each verdict, for readers who cannot tell the colors apart."""

MEANINGS = {
    Verdict.PROVEN: "a canary's record was seen in this evidence",
    Verdict.CONFIGURED: "the settings record it and deliver it here",
    Verdict.BROKEN: "configured, but a canary's record did not arrive",
    Verdict.GAP: "could be recorded, but is not",
    Verdict.IMPOSSIBLE: "the provider does not record it",
    Verdict.ELSEWHERE: "recorded, but not in this evidence",
    Verdict.UNKNOWN: "could not be read, or nothing shows it",
}


def page(matrix: Matrix, support: Sequence[Support] = ()) -> bytes:
    """Return the page as HTML."""
    body = "\n".join((*_head(matrix), *_map(matrix), *_cells(matrix), *_controls(support)))
    return html_page.page(__name__, f"Coverage: {escape(matrix.line)}", body)


def instant(milliseconds: int) -> str:
    """Format a time for reports; one outside the calendar as its number of milliseconds."""
    try:
        at = datetime.fromtimestamp(milliseconds // 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _head(matrix: Matrix) -> Iterator[str]:
    yield "<h1>Coverage: is a step recorded, and in this evidence?</h1>"
    yield f'<p class="lead">{escape(matrix.line)}</p>'
    yield '<ul class="legend">'
    for verdict, letter in LETTERS.items():
        mark = f'<span class="mark {verdict}">{letter}</span>'
        yield f"<li>{mark} {verdict.lower()}: {escape(MEANINGS[verdict])}</li>"
    yield "</ul>"
    read = ", ".join(f"{name} {instant(at)}" for name, at in matrix.read.items())
    yield f"<p>Settings read: {escape(read or 'none')}."
    if matrix.not_read:
        yield f" Not read, and not shown: {escape(', '.join(matrix.not_read))}."
    yield "</p>"


def _map(matrix: Matrix) -> Iterator[str]:
    by_place: dict[tuple[str, Step], list[CellState]] = {}
    for cell in matrix.cells:
        by_place.setdefault((cell.platform, cell.step), []).append(cell)
    steps = [step for step in Step if any(place[1] is step for place in by_place)]
    yield '<p class="hint">Arrow keys move, Enter opens, Escape closes.</p>'
    yield '<div class="scroll"><table class="map"><thead><tr><th scope="col">platform</th>'
    for step in steps:
        yield f'<th scope="col">{step.replace("_", " ")}</th>'
    yield "</tr></thead><tbody>"
    for platform in dict.fromkeys(cell.platform for cell in matrix.cells):
        yield f'<tr><th scope="row">{escape(platform)}</th>'
        for step in steps:
            marks = "".join(_mark(cell) for cell in by_place.get((platform, step), ()))
            yield f"<td>{marks}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"


def _mark(cell: CellState) -> str:
    label = escape(f"{cell.verdict}: {cell.platform}: {cell.case}", quote=True)
    return (
        f'<a class="mark {cell.verdict}" href="#{escape(cell.cell)}" title="{label}" '
        f'aria-label="{label}">{LETTERS[cell.verdict]}</a>'
    )


def _cells(matrix: Matrix) -> Iterator[str]:
    yield '<h2>Cells</h2><div id="cells">'
    for cell in matrix.cells:
        yield f'<article id="{escape(cell.cell)}" tabindex="-1">'
        mark = f'<span class="mark {cell.verdict}">{LETTERS[cell.verdict]}</span>'
        yield f"<h3>{mark} {escape(cell.platform)}: {escape(cell.case)}</h3>"
        yield f"<p><strong>{cell.verdict}</strong>: {escape('; '.join(cell.reasons))}.</p>"
        yield "<dl>"
        yield from _facts(cell)
        yield "</dl></article>"
    yield "</div>"


def _facts(cell: CellState) -> Iterator[str]:
    fix = cell.fix
    facts: list[tuple[str, Iterable[str]]] = [
        ("not recorded", cell.missing),
        ("over time", _spans(cell.stretches)),
        ("setting", (cell.setting,)),
        ("read by", cell.reads),
        ("answers", cell.answers),
        ("the record", (cell.record,)),
        ("what stays unseen", (cell.limit,)),
        ("instead", (cell.compensating,)),
        ("next", (cell.next,)),
        ("before the fix", (fix.replaces,) if fix else ()),
        ("fix, CDK", (fix.cdk,) if fix else ()),
        ("fix, Terraform", (fix.terraform,) if fix else ()),
        ("fix, command", (fix.cli,) if fix else ()),
        ("documented", (f"{cell.documented}, confidence {cell.confidence}",)),
    ]
    for name, values in facts:
        texts = [text for text in values if text]
        if texts:
            code = name.startswith("fix")
            cells = "<br>".join(
                f"<code>{escape(text)}</code>" if code else escape(text) for text in texts
            )
            yield f"<dt>{name}</dt><dd>{cells}</dd>"


def _spans(stretches: Sequence[Stretch]) -> Iterator[str]:
    for stretch in stretches:
        span = stretch.span
        until = "" if span.end - span.start <= 1 else f" to {instant(span.end)}"
        yield f"{instant(span.start)}{until}: {stretch.verdict}, {stretch.reason} ({stretch.basis})"


def _controls(support: Sequence[Support]) -> Iterator[str]:
    if not support:
        return
    yield "<h2>Controls</h2>"
    yield "<p>The evidence there is for a control; none of it shows that a control is met.</p>"
    yield '<div class="scroll"><table class="map controls"><thead><tr>'
    yield '<th scope="col">framework</th>'
    yield '<th scope="col">control</th><th scope="col">evidence</th><th scope="col">by</th>'
    yield "</tr></thead><tbody>"
    for control in support:
        note = f" <em>{escape(control.note)}</em>" if control.note else ""
        yield (
            f"<tr><td>{escape(control.framework)}</td><th scope=row>{escape(control.control)}</th>"
            f"<td>{escape(control.evidence)}{note}</td>"
            f"<td>{escape(', '.join(control.features))}</td></tr>"
        )
    yield "</tbody></table></div>"
