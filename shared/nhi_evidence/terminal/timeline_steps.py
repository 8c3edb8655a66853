"""The records of a timeline as text: repetitions of the same action are one entry.

A sweep is hundreds of records that differ only in their target; printed one by one they would
hide what came before and after. `--json`, CSV and the case have every record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nhi_evidence.investigate.lineage import Step
from nhi_evidence.investigate.report import words
from nhi_evidence.investigate.row import Place, Row, Standing
from nhi_evidence.investigate.timeline import Visibility
from nhi_evidence.terminal.safe_text import instant

_LONGEST_RUN_MS = 60_000
_SHORTEST_RUN = 3
"""Shorter runs are printed one by one."""
_TARGETS = 5


def entries(
    steps: Iterable[Step],
    *,
    every_record: bool = False,
    visible: Sequence[Visibility] | None = None,
) -> Iterator[str]:
    """Yield the lines of the records, in order, under their days.

    Records within a minute that differ only in time, target and place are one entry, in the place
    of the first, unless `every_record`; one that issues a credential, or is not simply counted, is
    always an entry of its own. `visible` says of each what recorded it, and how long.
    """
    day = ""
    for run in ([step] for step in steps) if every_record else _runs(steps):
        when = instant(run[0].row.time)
        if when[:10] != day:
            day = when[:10]
            yield day
        yield from _entry(run, when[11:19])
        if visible is not None:
            yield from _coverage(run, visible)


def _runs(steps: Iterable[Step]) -> Iterator[Sequence[Step]]:
    open_runs: dict[tuple[object, ...], list[tuple[int, Step]]] = {}
    runs: list[list[tuple[int, Step]]] = []
    for number, step in enumerate(steps):
        alike = _alike(step)
        run = open_runs.get(alike)
        if run is None or step.row.time - run[0][1].row.time > _LONGEST_RUN_MS:
            open_runs[alike] = run = []
            runs.append(run)
        run.append((number, step))
    parts = [
        part
        for run in runs
        for part in ([run] if len(run) >= _SHORTEST_RUN else [[member] for member in run])
    ]
    parts.sort(key=lambda part: part[0][0])
    for part in parts:
        yield [step for _, step in part]


def _alike(step: Step) -> tuple[object, ...]:
    row = step.row
    is_plain = not row.issued and row.place.standing in {Standing.COUNTED, Standing.UNPROVEN}
    return (
        instant(row.time)[:10],
        step.known_by,
        row.provider,
        row.account,
        row.service,
        row.operation,
        row.outcome,
        row.phase,
        row.base_phase,
        row.is_guess,
        row.ip,
        row.identity,
        row.credential,
        row.place.standing,
        None if is_plain else id(step),
    )


def _entry(run: Sequence[Step], clock: str) -> Iterator[str]:
    row = run[0].row
    guess = " [a guess]" if row.is_guess else ""
    times = f", {len(run)} times until {instant(run[-1].row.time)[11:19]}" if len(run) > 1 else ""
    yield f"{clock}  {row.provider:<8} {row.operation}  {row.outcome}{times}"
    who = "" if run[0].known_by == "identity" else f", as {row.identity or 'nobody named'}"
    yield f"          {words.phase(row)}{guess}; by {run[0].known_by}{who}"
    yield f"          {_where(row)}"
    targets = list(dict.fromkeys(target for step in run for target in step.row.targets))
    if targets:
        more = f", and {len(targets) - _TARGETS} more" if len(targets) > _TARGETS else ""
        yield f"          on {', '.join(targets[:_TARGETS])}{more}"
    if row.issued:
        yield f"          issued {', '.join(row.issued)}"
    if len(run) == 1:
        yield from _place("", row)
        return
    yield from _place("first ", row)
    yield from _place("last ", run[-1].row)


def _coverage(run: Sequence[Step], visible: Sequence[Visibility]) -> Iterator[str]:
    """Yield what the report of coverage says of such an act, and from when until when."""
    numbers = dict.fromkeys(number for step in run for number in step.coverage or ())
    for line in words.coverage([visible[number] for number in numbers]):
        yield f"          {line}"


def _place(which: str, row: Row) -> Iterator[str]:
    """Yield what `prove` takes, and where the record is."""
    uid = f"uid {row.uid}" if row.uid else "no uid"
    by_place = row.uid is None and row.place.standing is not Standing.UNPROVEN
    yield f"          {which}{uid}{': case create proves it' if by_place else ''}"
    yield f"          {which}{place_text(row.place)}"


def _where(row: Row) -> str:
    account = f" in {row.account}" if row.account else ""
    address = f", from {row.ip}" if row.ip else ""
    return f"{row.service or row.source}{account}{address}"


def place_text(place: Place) -> str:
    """Return where a record is, short enough for a screen; `--json` has the full location."""
    if place.standing is Standing.UNPROVEN:
        return f"{place.object} record {place.line}"
    name = place.object.rpartition("/")[2][:12]
    if place.leaf < 0:
        return f"object {name} unit {place.unit} record {place.line}"
    mark = "" if place.standing is Standing.COUNTED else f" {str(place.standing).upper()}"
    return f"object {name} leaf {place.shard}/{place.leaf} record {place.line}{mark}"
