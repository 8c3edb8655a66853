"""The conclusion: a pure function of the ingredients, run by whoever states or checks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.completeness.reasons import Verdict as Completeness
from nhi_evidence.completeness.statement import Statements, standing
from nhi_evidence.coverage import history, judges
from nhi_evidence.coverage.absence.document import AbsenceError, Conclusion, Part, Question, Search
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.canary.weigh import Weighed, stretches
from nhi_evidence.coverage.cells import Cell, cells
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.intervals import Span, Stretch, difference, intersection, union
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.page import instant
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.evidence import keys

HOUR_MS = 3_600_000
SOURCES = {"aws": "aws_cloudtrail", "gcp": "gcp_audit", "azure": "azure_monitor"}
"""Platform to the source that has its records."""

_COMPLETE = {Completeness.PROVEN, Completeness.RECONCILED}
_MOST_PARTS = 12
_ByCell = Sequence[tuple[Cell, Sequence[Stretch]]]


class Ingredients(msgspec.Struct, frozen=True, kw_only=True):
    """What a conclusion rests on."""

    readings: tuple[Reading, ...]
    changes: tuple[Change, ...]
    canaries: tuple[Weighed, ...]
    statements: tuple[tuple[str, Statements], ...]
    """Keys of objects, and the statements in them."""
    search: Search
    sealed_until: int


def platform_of(identity: str) -> str:
    """Return an identity's platform: an ARN is AWS's, an e-mail address Google's, an id Azure's."""
    if identity.startswith("arn:"):
        return "aws"
    return "gcp" if "@" in identity else "azure"


def searchable_platform(identity: str) -> str:
    """Return the platform of an identity that a search can find.

    Raises `AbsenceError` for a name in no form that records have: nothing would be found by it.
    """
    platform = platform_of(identity)
    if platform == "azure" and not _OBJECT_ID.fullmatch(identity):
        raise AbsenceError(
            f"{identity}: neither an ARN nor the e-mail address of a service account nor an object "
            "ID, so no record would be found by it"
        )
    return platform


_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def decided(question: Question) -> tuple[Cell, ...]:
    """Return the deciding cells: the variants of the step that are documented as recordable."""
    return tuple(cell for cell in _of_step(question) if _is_documented(cell))


def conclude(question: Question, ingredients: Ingredients) -> Conclusion:
    """Return what follows from the ingredients, in spans and in words."""
    window = Span(question.start, question.end)
    subject = Subject(question.identity)
    by_cell = [
        (
            cell,
            history.stretches(
                cell, ingredients.readings, ingredients.changes, window, subject=subject
            ),
        )
        for cell in decided(question)
    ]
    recorded, not_recorded, not_known = _spans(by_cell, window)
    of_canaries = stretches(ingredients.canaries)
    proven = union(
        span
        for cell, _ in by_cell
        for one in of_canaries.get(cell.id, ())
        if one.verdict is Verdict.PROVEN and (span := one.span.common(window))
    )
    broken = union(
        span
        for cell, _ in by_cell
        for one in of_canaries.get(cell.id, ())
        if one.verdict is Verdict.BROKEN and (span := one.span.common(window))
    )
    recorded = difference(recorded, broken)
    complete, not_complete = _completeness(question, ingredients.statements)
    never = tuple(
        f"{cell.case} ({cell.documented})"
        for cell in _of_step(question)
        if not _is_documented(cell)
    )
    limits = tuple(cell.limit for cell, _ in by_cell if cell.documented == "partial")
    parts = {
        "recorded": _parts(recorded, "by the settings that were read"),
        "not_recorded": (*_why(by_cell, not_recorded), *_parts(broken, "a canary did not arrive")),
        "not_known": _parts(difference(not_known, broken), "no reading or record says"),
        "proven": _parts(proven, "a canary's record was seen"),
        "complete": complete,
        "not_complete": not_complete,
    }
    text = _text(question, ingredients, parts, never)
    return Conclusion(never=never, limits=limits, text=text, **parts)


def _of_step(question: Question) -> Iterator[Cell]:
    return (
        cell
        for cell in cells()
        if cell.step is question.step and judges.reader_of(cell.platform) == question.platform
    )


def _is_documented(cell: Cell) -> bool:
    return cell.documented not in {"impossible", "not known"} and cell.confidence != "low"


def _spans(
    by_cell: _ByCell, window: Span
) -> tuple[tuple[Span, ...], tuple[Span, ...], tuple[Span, ...]]:
    """Return when every cell is recorded here, when at least one is known not to be, the rest."""
    recorded: tuple[Span, ...] = (window,) if by_cell else ()
    not_recorded: list[Span] = []
    for _, spans in by_cell:
        here = [one.span for one in spans if one.verdict.is_recorded_here]
        recorded = intersection(recorded, here)
        not_recorded += [one.span for one in spans if one.verdict in _NOT_HERE]
    known = [*recorded, *not_recorded]
    return recorded, union(not_recorded), difference([window], known)


_NOT_HERE = {Verdict.GAP, Verdict.BROKEN, Verdict.ELSEWHERE}


def _why(by_cell: _ByCell, spans: Iterable[Span]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for span in spans:
        reasons = dict.fromkeys(
            f"{cell.case}: {one.verdict}, {one.reason}"
            for cell, every in by_cell
            for one in every
            if one.verdict in _NOT_HERE and one.span.common(span)
        )
        parts.append(Part(span.start, span.end, "; ".join(reasons)))
    return tuple(parts)


def _parts(spans: Iterable[Span], what: str) -> tuple[Part, ...]:
    return tuple(Part(span.start, span.end, what) for span in spans)


def _completeness(
    question: Question, statements: Iterable[tuple[str, Statements]]
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Return the hours that are complete, and the others: the weakest scope decides.

    A record is delivered in its own hour or the next, so the hour after the window counts too.
    """
    source, account = SOURCES[question.platform], Subject(question.identity).account
    by_hour: dict[int, list[tuple[Completeness, tuple[str, ...]]]] = {}
    for (named, hour, scope), stands in standing(statements).items():
        start = keys.hour_start(hour)
        if (
            named == source
            and start is not None
            and scope.account in {"", account or scope.account}
        ):
            statement = stands.statement
            by_hour.setdefault(start, []).append((statement.verdict, statement.reasons))
    complete: list[Span] = []
    rest: list[Part] = []
    first, last = question.start - question.start % HOUR_MS, question.end + HOUR_MS
    for start in range(first, last, HOUR_MS):
        stated = by_hour.get(start, [])
        if stated and all(verdict in _COMPLETE for verdict, _ in stated):
            complete.append(Span(start, start + HOUR_MS))
            continue
        reasons = sorted({reason for _, each in stated for reason in each})
        what = f"{', '.join(reasons) or 'not proven'}" if stated else "no statement"
        if rest and rest[-1].end == start and rest[-1].what == what:
            rest[-1] = Part(rest[-1].start, start + HOUR_MS, what)
        else:
            rest.append(Part(start, start + HOUR_MS, what))
    covered = _parts(union(complete), "everything the provider lists as delivered is counted")
    return covered, tuple(rest)


def _text(
    question: Question,
    ingredients: Ingredients,
    parts: Mapping[str, Sequence[Part]],
    never: Sequence[str],
) -> str:
    step = question.step.replace("_", " ")
    search = ingredients.search
    window = f"from {instant(question.start)} to {instant(question.end)}"
    sealed = f"in the evidence sealed until {instant(ingredients.sealed_until)}"
    sentences = [
        f"None on record: {step} by {question.identity} {window}, {sealed}",
        _times("It would have been recorded", parts["recorded"], "at no time that is known"),
    ]
    if parts["not_recorded"]:
        sentences.append(_times("It would not have been recorded", parts["not_recorded"], ""))
    if parts["not_known"]:
        sentences.append(_times("Whether it would have been is not known", parts["not_known"], ""))
    sentences.append(_times("A canary's record of it arrived", parts["proven"], "at no time"))
    delivered = "What the provider delivered is known to be complete"
    sentences.append(_times(delivered, parts["complete"], "for no hour"))
    if parts["not_complete"]:
        sentences.append(_times("It is not known to be complete", parts["not_complete"], ""))
    sentences.append(
        f"{search.records} records of {search.objects} objects were searched; {search.other_steps} "
        f"of the identity are of other steps, {search.mentions} more name it, {search.rejected} "
        "could not be read when they were exported"
    )
    if search.unreadable:
        sentences.append(f"{len(search.unreadable)} objects or lines could not be searched")
    if never:
        sentences.append(f"Not decided by any of this: {'; '.join(never)}")
    return ". ".join(sentences) + "."


def _times(opening: str, parts: Sequence[Part], none: str) -> str:
    if not parts:
        return f"{opening} {none}"
    spans = [
        f"from {instant(part.start)} to {instant(part.end)} ({part.what})"
        for part in parts[:_MOST_PARTS]
    ]
    if len(parts) > _MOST_PARTS:
        spans.append(f"and {len(parts) - _MOST_PARTS} more spans")
    return f"{opening} {', '.join(spans)}"
