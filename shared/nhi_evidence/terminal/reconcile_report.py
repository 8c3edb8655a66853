"""The result of reconciling, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from nhi_evidence import plural
from nhi_evidence.completeness.reasons import ORDER, REASONS, Verdict
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.terminal.safe_text import instant, neutralize_json

SCHEMA = "nhi-evidence/reconcile-report/1"
"""Names the document's schema; a change of meaning changes the number."""

_MOST_LINES = 20
"""Number of statements shown one by one."""
_NAMES = 5
"""Number of named things shown for each."""


class _Named(msgspec.Struct):
    reason: str
    name: str
    detail: str


class _Line(msgspec.Struct, kw_only=True):
    """One statement, without its counted units."""

    source: str
    hour: str
    scope: Scope
    verdict: Verdict
    reasons: tuple[str, ...]
    is_incomplete: bool
    expected: int | None
    found: int
    totals: dict[str, int]
    open_until: int | None
    units: int
    named: list[_Named]


class Report(msgspec.Struct, kw_only=True):
    """The result of reconciling."""

    log: Log
    """The log whose evidence was compared, and how far it is signed."""
    verdicts: dict[str, int] = {}
    """Verdict to number of source hours and scopes."""
    reasons: dict[str, int] = {}
    """Reason to number of source hours and scopes."""
    incomplete: int = 0
    """Number of source hours and scopes with something known to be missing."""
    weaker: int = 0
    """Number of closed ones whose verdict is weaker than required."""
    objects: int = 0
    """Evidence objects whose claims were weighed."""
    unsound: dict[str, str] = {}
    """Objects whose claims are void: key to reason."""
    not_checked: list[str] = []
    """What nothing was compared for, and what would."""
    statements: list[_Line] = []
    """All of them with `--json`; otherwise those that are shown."""

    @property
    def exit_code(self) -> int:
        """0 nothing known to be missing, 2 something is, 3 a verdict is weaker than required."""
        if self.incomplete:
            return 2
        return 3 if self.weaker else 0


class Tally:
    """Counts statements into a report, and keeps those to show."""

    def __init__(self, log: Log, *, keep_all: bool, required: Verdict | None = None) -> None:
        """Keep every statement, or only the first of those with something missing."""
        self.report = Report(log=log)
        self._keep_all = keep_all
        self._required = ORDER.index(required) if required is not None else 0

    def add(self, statements: Statements) -> None:
        """Count the statements on an hour."""
        report = self.report
        for each in statements.statements:
            _bump(report.verdicts, str(each.verdict))
            for reason in each.reasons:
                _bump(report.reasons, reason)
            report.incomplete += each.is_incomplete
            is_open = each.open_until is not None and each.open_until > report.log.at
            report.weaker += not is_open and ORDER.index(each.verdict) < self._required
            is_among_first = each.is_incomplete and len(report.statements) < _MOST_LINES
            if self._keep_all or is_among_first:
                report.statements.append(_line(statements, each))


def _bump(tally: dict[str, int], name: str) -> None:
    tally[name] = tally.get(name, 0) + 1


def _line(statements: Statements, each: Statement) -> _Line:
    return _Line(
        source=statements.source,
        hour=statements.hour,
        scope=each.scope,
        verdict=each.verdict,
        reasons=each.reasons,
        is_incomplete=each.is_incomplete,
        expected=each.expected,
        found=each.found,
        totals=dict(each.totals),
        open_until=each.open_until,
        units=len(each.counts),
        named=[_Named(named.reason, named.name, named.detail) for named in each.named],
    )


def as_document(report: Report) -> bytes:
    """Return the report as JSON, safe to show in a terminal."""
    plain = msgspec.to_builtins(report)
    plain["schema"] = SCHEMA
    plain["verdict"], _ = _head(report)
    plain["exit_code"] = report.exit_code
    return neutralize_json(msgspec.json.encode(plain))


_SHOWN_COMPLETE = (Verdict.PROVEN, Verdict.RECONCILED)
"""Verdicts from the provider's own list; a gapless transport says nothing about its source."""


def _head(report: Report) -> tuple[str, str]:
    """Return the verdict, and what it means here."""
    if report.incomplete:
        return "INCOMPLETE", "something is known to be missing"
    if report.weaker:
        return (
            "NOT AS ASKED",
            "nothing is known to be missing, but a verdict is weaker than required",
        )
    if not report.verdicts:
        return "NOTHING MISSING", "as far as known: there was no hour to compare"
    every = sum(report.verdicts.values())
    complete = sum(report.verdicts.get(verdict, 0) for verdict in _SHOWN_COMPLETE)
    hours = plural.count(every, "source hour and scope", "source hours and scopes")
    if complete == every:
        return "COMPLETE", f"{hours}, by the provider's own lists"
    return "NOTHING MISSING", f"as far as known: {complete:,} of {hours} shown to be complete"


def lines(report: Report) -> Iterator[str]:
    """Yield the report as text, the verdict first."""
    yield " ".join(_head(report))
    log = report.log
    yield f"log       {log.origin}, size {log.size}, sealed {instant(log.at)}"
    verdicts = ", ".join(f"{name} {count}" for name, count in sorted(report.verdicts.items()))
    objects = plural.count(report.objects, "object")
    yield f"hours     {verdicts or 'none'} (source hours and scopes); {objects}"
    for reason, count in sorted(Counter(report.reasons).items()):
        yield f"          {reason} {count}: {REASONS[reason].text}"
    for each in report.statements:
        if each.is_incomplete:
            yield from _statement_lines(each)
    if report.incomplete > _MOST_LINES:
        yield f"... and {report.incomplete - _MOST_LINES:,} more; --json prints them all"
    for key, why in sorted(report.unsound.items())[:_NAMES]:
        yield f"unsound   {key}: {why}"
    if len(report.unsound) > _NAMES:
        yield f"          and {len(report.unsound) - _NAMES} more objects whose claims are void"
    for line in report.not_checked:
        yield f"not checked: {line}"


def _statement_lines(each: _Line) -> Iterator[str]:
    names = (each.scope.account, each.scope.region, each.scope.stream)
    scope = " ".join(name for name in names if name)
    stated = "unknown" if each.expected is None else str(each.expected)
    yield f"{each.hour} {each.source} {scope}: {each.found} of {stated} counted"
    grave = [named for named in each.named if REASONS[named.reason].is_incomplete]
    for named in grave[:_NAMES]:
        detail = f" ({named.detail})" if named.detail else ""
        yield f"  {named.reason} {named.name}{detail}"
    if len(grave) > _NAMES:
        yield f"  ... and {len(grave) - _NAMES} more for this hour; --json prints them"
