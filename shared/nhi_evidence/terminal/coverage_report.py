"""Coverage as text: the matrix by platform and step, then what is not recorded here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhi_evidence.coverage.cells import Step
from nhi_evidence.coverage.controls import Support
from nhi_evidence.coverage.matrix import CellState, Matrix
from nhi_evidence.coverage.page import LETTERS, MEANINGS, instant
from nhi_evidence.coverage.verdict import Verdict

_WITHOUT_VERBOSE = (Verdict.GAP, Verdict.BROKEN, Verdict.ELSEWHERE, Verdict.UNKNOWN)
"""Verdicts that are reported cell by cell, in this order."""


def lines(matrix: Matrix, *, verbose: bool = False) -> Iterator[str]:
    """Yield the report; with `verbose` every cell is reported, with its spans."""
    yield matrix.line
    if not matrix.cells:
        yield "next  nhi-evidence collect -h  # lists what reads the settings of a platform"
        return
    for name, at in matrix.read.items():
        yield f"  read {name} at {instant(at)}"
    if matrix.not_read:
        yield f"  not read, and not shown: {', '.join(matrix.not_read)}"
    yield ""
    yield from _grid(matrix)
    for verdict in Verdict if verbose else _WITHOUT_VERBOSE:
        for cell in matrix.cells:
            if cell.verdict is verdict:
                yield from _cell(cell, verbose=verbose)


def _grid(matrix: Matrix) -> Iterator[str]:
    by_place: dict[tuple[str, Step], str] = {}
    for cell in matrix.cells:
        place = (cell.platform, cell.step)
        by_place[place] = by_place.get(place, "") + LETTERS[cell.verdict]
    steps = [step for step in Step if any(place[1] is step for place in by_place)]
    widths = [
        max(len(f"{number}"), *(len(text) for place, text in by_place.items() if place[1] is step))
        for number, step in enumerate(steps, start=1)
    ]
    platforms = list(dict.fromkeys(cell.platform for cell in matrix.cells))
    left = max(map(len, platforms))
    yield _row("", [str(number) for number in range(1, len(steps) + 1)], left, widths)
    for platform in platforms:
        texts = [by_place.get((platform, step), "") for step in steps]
        yield _row(platform, texts, left, widths)
    yield ""
    named = [f"{number} {step.replace('_', ' ')}" for number, step in enumerate(steps, start=1)]
    for start in range(0, len(named), 4):
        yield "  " + ", ".join(named[start : start + 4])
    for verdict, letter in LETTERS.items():
        if verdict in matrix.verdicts:
            yield f"  {letter} {verdict}: {MEANINGS[verdict]}"


def _row(name: str, texts: Sequence[str], left: int, widths: Sequence[int]) -> str:
    columns = "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return f"  {name.ljust(left)}  {columns}".rstrip()


def _cell(cell: CellState, *, verbose: bool) -> Iterator[str]:
    yield ""
    yield f"{cell.verdict} {cell.cell}: {cell.case}"
    for reason in cell.reasons:
        yield f"  because {reason}"
    for name in cell.missing:
        yield f"  not recorded: {name}"
    if verbose:
        for stretch in cell.stretches:
            end = (
                ""
                if stretch.span.end - stretch.span.start <= 1
                else f" to {instant(stretch.span.end)}"
            )
            verdict = f"{stretch.verdict}: {stretch.reason} ({stretch.basis})"
            yield f"  {instant(stretch.span.start)}{end} {verdict}"
    if cell.fix is not None:
        if cell.fix.replaces:
            yield f"  before the fix: {cell.fix.replaces}"
        yield f"  fix: {cell.fix.cli}"
    if cell.next:
        yield f"  next: {cell.next}"
    if cell.compensating:
        yield f"  instead: {cell.compensating}"


def controls(support: Sequence[Support]) -> Iterator[str]:
    """Yield the evidence there is for controls."""
    yield ""
    yield "Evidence for controls; none of it shows that a control is met"
    width = max(len(one.framework) for one in support)
    for control in support:
        facts = f"{control.recorded} of {control.cells} cells recorded here"
        name = f"{control.framework.ljust(width)}  {control.control:<10}"
        yield f"  {name} {control.evidence:<18} {facts}"
        if control.note:
            yield f"  {' ' * width}  {control.note}"
