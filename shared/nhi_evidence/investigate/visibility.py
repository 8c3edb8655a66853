"""Tell from a coverage report which acts on a path's platforms would have been recorded.

A report of `nhi-evidence coverage --json` says for each cell, over spans of time, what the settings
record, and in which accounts. Nothing is known about a time that no reading covers, or about an
account that no reading names, and this says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence import plural, sources
from nhi_evidence.coverage import accounts, intervals
from nhi_evidence.coverage.cells import PHASES, Step
from nhi_evidence.coverage.intervals import Span, Stretch
from nhi_evidence.coverage.matrix import SCHEMA, CellState, Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.investigate.lineage import Path
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.timeline import Judged, Visibility

_PLATFORMS: Mapping[str, tuple[str, ...]] = {
    "AWS": ("aws", "aws_agent"),
    "GCP": ("gcp", "gcp_agent"),
    "Azure": ("azure", "entra", "azure_agent"),
}
"""Cloud to the platforms of cells; a source with platforms of its own declares them itself."""

NOT_NAMED = ""
"""The account of a record that names none."""
_OF_NONE = "a platform without cells"

_Known = tuple[Span, Verdict, str]
_NO_READING = "no reading of settings covers this time"


def read(document: bytes) -> Matrix:
    """Decode a report. Raises `ValueError` saying what is wrong with it."""
    try:
        report = msgspec.json.decode(document, type=Matrix)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a report of coverage --json: {error}") from error
    if report.schema != SCHEMA:
        raise ValueError(f"a report with schema {report.schema!r}, not {SCHEMA!r}")
    return report


def judged(
    path: Path, report: Matrix, since: int | None = None, until: int | None = None
) -> Judged:
    """Return what could be seen on a path's platforms while it lasted, or in the given time.

    Also returns which of these entries are about the record of each step.
    """
    rows = [step.row for step in path.steps]
    start = since if since is not None else min((row.time for row in rows), default=None)
    end = until if until is not None else max((row.time for row in rows), default=0) + 1
    if start is None or start >= end:
        return Judged((), tuple(() for _ in rows))
    visible = tuple(_Judging(rows, report, Span(start, end)).every())
    return Judged(visible, tuple(_of_rows(rows, visible)))


def _of_rows(rows: Sequence[Row], visible: Sequence[Visibility]) -> Iterator[tuple[int, ...]]:
    """Yield for each record what applies to its own step, in its account, at its time.

    Leaves out what no setting records: that tells nothing about an act that is on record.
    """
    alike: dict[tuple[object, ...], list[tuple[int, Visibility]]] = {}
    for row in rows:
        platforms, account, phases = _platforms(row), _account(row), {row.phase, row.base_phase}
        kind = (platforms, account, row.phase, row.base_phase)
        if kind not in alike:
            alike[kind] = [
                (number, each)
                for number, each in enumerate(visible)
                if each.platform in (platforms or (_OF_NONE,))
                and each.verdict != Verdict.IMPOSSIBLE
                and account in (each.accounts or (NOT_NAMED,))
                and (not each.step or phases & _phases(Step(each.step)))
            ]
        yield tuple(number for number, each in alike[kind] if each.since <= row.time < each.until)


def _phases(step: Step) -> set[str]:
    return {phase.name.replace("_", " ").title() for phase in PHASES[step]}


def _platforms(row: Row) -> tuple[str, ...]:
    return sources.platforms(row.source) or _PLATFORMS.get(row.provider, ())


def _account(row: Row) -> str:
    return (row.account or NOT_NAMED).lower()


class _Judging:
    """A path against a report: by platform and account."""

    def __init__(self, rows: Sequence[Row], report: Matrix, window: Span) -> None:
        self._report = report
        self._window = window
        self._groups: set[tuple[tuple[str, ...], str]] = set()
        self._rows: dict[str, dict[str, list[Row]]] = {}
        for row in rows:
            platforms, account = _platforms(row), _account(row)
            self._groups.add((platforms, account))
            for platform in platforms:
                self._rows.setdefault(platform, {}).setdefault(account, []).append(row)

    def every(self) -> Iterator[Visibility]:
        """Yield what is said of every cell of the platforms, and of accounts nobody named."""
        yield from self._not_named()
        for cell in self._report.cells:
            by_account = self._rows.get(cell.platform)
            if by_account:
                yield from self._of_cell(cell, by_account)

    def _named(self, platform: str, account: str) -> tuple[Span, ...]:
        """Return when readings name an account; of no account, when they name any."""
        kinds = [self._report.accounts.get(kind, {}) for kind in accounts.kinds(platform)]
        spans = (
            span
            for kind in kinds
            for name, known in kind.items()
            if account in (NOT_NAMED, name.lower())
            for span in known
        )
        return intervals.intersection(spans, [self._window])

    def _not_named(self) -> Iterator[Visibility]:
        """Yield each account that no reading names, once: of it nothing is known at all."""
        for platforms, account in sorted(self._groups):
            named = [span for platform in platforms for span in self._named(platform, account)]
            for span in intervals.difference([self._window], named):
                yield self._unnamed(platforms, account, span)

    def _unnamed(self, platforms: tuple[str, ...], account: str, span: Span) -> Visibility:
        platform = platforms[0] if platforms else _OF_NONE
        what = f"account {account}" if account else f"any account of {platform}"
        return Visibility(
            what=f"{platform}: {account or 'no account named'}",
            platform=platform,
            cell="",
            step="",
            accounts=(account,) if account else (),
            verdict=Verdict.UNKNOWN,
            since=span.start,
            until=span.end,
            reason=f"no coverage report names {what}",
            is_seen=False,
            is_on_record=True,
        )

    def _of_cell(
        self, cell: CellState, by_account: Mapping[str, Sequence[Row]]
    ) -> Iterator[Visibility]:
        """Yield what a report states of a cell; accounts of which it states the same are one."""
        phases = _phases(cell.step)
        if cell.verdict is Verdict.IMPOSSIBLE:
            rows = [row for of_account in by_account.values() for row in of_account]
            reason = cell.reasons[0] if cell.reasons else ""
            known = [(self._window, cell.verdict, reason)]
            yield from _entries(cell, (), known, is_on_record=_is_on_record(rows, phases))
            return
        alike: dict[tuple[bool, tuple[_Known, ...]], list[str]] = {}
        for account in by_account:
            named = self._named(cell.platform, account)
            if named:
                known_of = tuple(sorted(_known(cell, account, named)))
                # A record that names no account has an entry apart, without accounts.
                alike.setdefault((account == NOT_NAMED, known_of), []).append(account)
        for (_, known_of), names in alike.items():
            rows = [row for name in names for row in by_account[name]]
            accounts_named = tuple(name for name in names if name)
            yield from _entries(
                cell, accounts_named, known_of, is_on_record=_is_on_record(rows, phases)
            )


def _is_on_record(rows: Sequence[Row], phases: set[str]) -> bool:
    return any({row.phase, row.base_phase} & phases for row in rows)


def _known(cell: CellState, account: str, named: Sequence[Span]) -> Iterator[_Known]:
    """Yield what is known of a cell in an account, for all of the time it is named."""
    canaries = [one for one in cell.stretches if one.basis == _CANARY] if account else []
    seen_here = [one for one in canaries if account in _lower(_own(one))]
    taken = [one.span for one in seen_here]
    stretches = cell.by_settings or cell.stretches
    settings = [stretch for stretch in stretches if stretch.basis != _CANARY]
    covered: list[Span] = []
    for stretch in settings:
        for span in intervals.difference(intervals.intersection([stretch.span], named), taken):
            covered.append(span)
            yield (span, *_at(stretch, account))
    for stretch in seen_here:
        for span in intervals.intersection([stretch.span], named):
            covered.append(span)
            yield span, stretch.verdict, stretch.reason
    is_fixed = not settings and cell.verdict is Verdict.UNKNOWN and bool(cell.reasons)
    for span in intervals.difference(named, covered):
        yield span, Verdict.UNKNOWN, cell.reasons[0] if is_fixed else _NO_READING


_CANARY = "canary"


def _at(stretch: Stretch, account: str) -> tuple[Verdict, str]:
    """Return what a stretch says of an account, lower case."""
    extent, overall = stretch.extent, (stretch.verdict, stretch.reason)
    if account == NOT_NAMED:
        if extent.is_of_all:
            verdict, reason = extent.of(None, overall)
            whose = "of every account"
            if extent.judged:  # where another was not read, it has a share of its own: UNKNOWN
                count = plural.count(len(extent.judged), "account")
                whose = f"in {count}, and nothing of the kind was found in another"
            return verdict, f"{reason} (true {whose}; the record names no account)"
        parts = [f"{share.verdict} of {', '.join(share.accounts)}" for share in extent.own]
        reason = f"{', '.join(parts)} and {extent.rest} of others, "
        return Verdict.UNKNOWN, f"{reason}and the record names no account"
    if extent.judged and account not in _lower(extent.judged):
        return Verdict.UNKNOWN, f"nothing of the kind was read in account {account}"
    return extent.of(
        next((name for name in _own(stretch) if name.lower() == account), None), overall
    )


def _own(stretch: Stretch) -> Iterator[str]:
    return (name for share in stretch.extent.own for name in share.accounts)


def _lower(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _entries(
    cell: CellState, names: tuple[str, ...], known: Sequence[_Known], *, is_on_record: bool
) -> Iterator[Visibility]:
    for span, verdict, reason in known:
        yield Visibility(
            what=f"{cell.platform}: {cell.case}",
            platform=cell.platform,
            cell=cell.cell,
            step=cell.step,
            accounts=names,
            verdict=verdict,
            since=span.start,
            until=span.end,
            reason=reason,
            is_seen=verdict.is_recorded_here,
            is_on_record=is_on_record,
        )
