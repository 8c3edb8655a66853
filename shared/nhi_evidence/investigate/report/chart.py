"""The two charts, as static SVG: records over time, and credentials.

Each mark has a title and links to the record's row; shape and letter repeat what color says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from nhi_evidence import plural
from nhi_evidence.investigate.lineage import Credential, Mint, Step
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Timeline

COLORS: Mapping[str, str] = {
    "Credential Validation": "#8a5a00",
    "Token Issuance": "#5b5fc7",
    "Enumeration": "#1a7f8c",
    "Permission Probing": "#b3541e",
    "Failed Attempt": "#a3333d",
    "Secret Access": "#8e1d7a",
    "Data Access": "#1f6fb2",
    "Credential Lifecycle": "#6b3fa0",
    "Identity Lifecycle": "#3d6b1f",
    "Privilege Change": "#b02a5b",
    "Defense Evasion": "#111111",
    "Agent Action": "#00695c",
    "Execution": "#7a4100",
    "Impact": "#c00000",
    "Routine": "#6b7280",
    "Unknown": "#9aa0a8",
}
"""Colors of phases, each with a contrast of at least 3:1 against white (WCAG 2.2, 1.4.11)."""

MAX_MARKS = 2_000
"""How many marks the chart has; of more records, an even sample is drawn, and the page says so."""

_WIDTH, _LEFT, _ROW, _TOP = 1000, 190, 26, 30


def _letter(phase: str) -> str:
    return "".join(word[0] for word in phase.split())


def color(phase: str) -> str:
    """Return the color of a phase."""
    return COLORS.get(phase, COLORS["Unknown"])


def pursued(row: Row) -> str:
    """Return the effective phase, or what was tried if it was refused (its mark is hollow)."""
    return row.base_phase if row.is_refused else row.phase


def drawn(steps: Sequence[Step]) -> Sequence[tuple[int, Step]]:
    """Return the steps to draw, with their index: all, or an even sample if there are too many."""
    numbered = list(enumerate(steps))
    if len(numbered) <= MAX_MARKS:
        return numbered
    return [numbered[at * len(numbered) // MAX_MARKS] for at in range(MAX_MARKS)]


def records(timeline: Timeline) -> Iterator[str]:
    """Yield the chart of records over time, with a lane for each platform and account."""
    steps = timeline.path.steps
    if not steps:
        return
    lanes = list(dict.fromkeys((step.row.provider, step.row.account or "") for step in steps))
    height = _TOP + _ROW * len(lanes) + 24
    first, last = steps[0].row.time, steps[-1].row.time
    yield (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="Records over time, '
        'a lane for each platform and account" xmlns="http://www.w3.org/2000/svg">'
    )
    for number, (provider, account) in enumerate(lanes):
        y = _TOP + number * _ROW + _ROW // 2
        lane_name = f"{provider} {account}".rstrip()
        text = f"<title>{escape(lane_name)}</title>{escape(_shortened(lane_name, _LANE_NAME))}"
        yield f'<text x="4" y="{y + 4}" class="lane">{text}</text>'
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{_WIDTH - 12}" y2="{y}" class="axis"/>'
    yield from _ticks(first, last, height)
    for number, step in drawn(steps):
        lane = lanes.index((step.row.provider, step.row.account or ""))
        yield _mark(number, step, _x(step.row.time, first, last), _TOP + lane * _ROW + _ROW // 2)
    yield "</svg>"


def _x(time: int, first: int, last: int) -> float:
    span = max(1, last - first)
    return round(_LEFT + 10 + (time - first) / span * (_WIDTH - _LEFT - 32), 1)


def _ticks(first: int, last: int, height: int) -> Iterator[str]:
    for share in range(5):
        time = first + (last - first) * share // 4
        x = _x(time, first, last)
        anchor = "end" if share == 4 else "start" if share == 0 else "middle"  # noqa: PLR2004
        yield f'<line x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{height - 24}" class="tick"/>'
        yield (
            f'<text x="{x}" y="{height - 8}" class="time" text-anchor="{anchor}">'
            f"{escape(_since(time - first))}</text>"
        )


def _since(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"+{days} d {hours} h"
    if hours:
        return f"+{hours} h {minutes} min"
    return f"+{minutes} min {seconds % 60} s"


def _mark(number: int, step: Step, x: float, y: int) -> str:
    row = step.row
    refused = row.is_refused
    meaning = pursued(row)
    label = f"{row.operation}: {row.phase}, {row.outcome}"
    fill = "#fff" if refused else color(meaning)
    ink = "" if refused else " on"
    return (
        f'<a href="#r{number + 1}" aria-label="{escape(label, quote=True)}">'
        f"<title>{escape(label)}</title>"
        f'<circle cx="{x}" cy="{y}" r="9" fill="{fill}" stroke="{color(meaning)}" '
        f'stroke-width="2"/><text x="{x}" y="{y + 3}" class="letter{ink}">'
        f"{_letter(meaning)}</text></a>"
    )


_NODE_WIDTH, _NODE_HEIGHT, _GAP_X, _GAP_Y = 300, 40, 60, 14
MAX_NODES = 200


def credentials(every: Sequence[Credential]) -> Iterator[str]:
    """Yield the graph of credentials: which was made with which, from left to right."""
    if not every:
        return
    nodes = every[:MAX_NODES]
    depths = _depths(nodes)
    rows: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    for each in nodes:
        depth = depths[each.uid]
        row = rows.get(depth, 0)
        rows[depth] = row + 1
        places[each.uid] = (
            8 + depth * (_NODE_WIDTH + _GAP_X),
            8 + row * (_NODE_HEIGHT + _GAP_Y),
        )
    width = 16 + (max(depths.values()) + 1) * (_NODE_WIDTH + _GAP_X) - _GAP_X
    height = 16 + max(rows.values()) * (_NODE_HEIGHT + _GAP_Y)
    yield (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" class="natural" role="img" '
        'aria-label="Credentials: each leads to those made with it" '
        'xmlns="http://www.w3.org/2000/svg">'
    )
    for each in nodes:
        if each.parent in places:
            yield _edge(places[each.parent], places[each.uid])
    for each in nodes:
        yield from _node(each, *places[each.uid])
    yield "</svg>"


def _depths(every: Sequence[Credential]) -> dict[str, int]:
    """Return how many credentials come before each in its chain; a loop is followed only once."""
    parents = {each.uid: each.parent for each in every}
    depths: dict[str, int] = {}
    for each in every:
        depth, seen, at = 0, {each.uid}, each.parent
        while at in parents and at not in seen:
            seen.add(at)
            depth, at = depth + 1, parents[at]
        depths[each.uid] = depth
    return depths


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _NODE_WIDTH, start[1] + _NODE_HEIGHT // 2
    x2, y2 = end[0], end[1] + _NODE_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f'<path d="M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}" class="edge"/>'


def _node(each: Credential, x: int, y: int) -> Iterator[str]:
    dashed = ' stroke-dasharray="5 3"' if each.mint is not Mint.SEEN else ""
    uses = _uses(each.uses)
    label = f"{each.uid}: {uses}; its making: {each.mint}"
    yield f"<g><title>{escape(label)}</title>"
    yield (
        f'<rect x="{x}" y="{y}" width="{_NODE_WIDTH}" height="{_NODE_HEIGHT}" rx="5" '
        f'class="node"{dashed}/>'
    )
    name = escape(_shortened(each.uid, _NAME))
    yield f'<text x="{x + 8}" y="{y + 16}" class="name">{name}</text>'
    note = escape(f"{uses}; making {each.mint}")
    yield f'<text x="{x + 8}" y="{y + 31}" class="note">{note}</text>'
    yield "</g>"


def _uses(count: int) -> str:
    return plural.count(count, "use") if count else "not used here"


_NAME = 42
"""Characters of a credential's id that fit in a node."""

_LANE_NAME = 24
"""Characters of a platform and account that fit beside a lane."""


def _shortened(text: str, letters: int) -> str:
    """Shorten a text in the middle if it is too long: account ids often differ only at the end."""
    return text if len(text) <= letters else f"{text[: letters // 2]}…{text[-letters // 2 :]}"
