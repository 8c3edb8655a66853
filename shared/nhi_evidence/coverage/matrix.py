"""The matrix: every cell of the platforms that were read, as of one time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from nhi_evidence import plural
from nhi_evidence.coverage import accounts, history, judges
from nhi_evidence.coverage.answers import Reading
from nhi_evidence.coverage.cells import Cell, Fix, Step, cells, setting_of
from nhi_evidence.coverage.changes import Change
from nhi_evidence.coverage.intervals import Span, Stretch, overlaid
from nhi_evidence.coverage.judges import EVERYONE, Subject
from nhi_evidence.coverage.verdict import Verdict

SCHEMA = "nhi-evidence/coverage/1"


class CellState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cell, as reported."""

    cell: str
    platform: str
    step: Step
    case: str
    verdict: Verdict
    reasons: tuple[str, ...]
    missing: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    """Names of the answers it rests on."""
    read_at: int | None = None
    """When its settings were read, milliseconds since the epoch."""
    stretches: tuple[Stretch, ...] = ()
    by_settings: tuple[Stretch, ...] = ()
    """Where canaries override settings in `stretches`: what the settings say. A canary shows
    nothing about any account but its own."""
    documented: str
    setting: str
    reads: tuple[str, ...]
    record: str
    limit: str = ""
    fix: Fix | None = None
    """Present if a setting would fix it."""
    next: str = ""
    """For an unknown cell: how to make it known."""
    compensating: str = ""
    confidence: str


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """The report; printed by `--json`."""

    schema: str = SCHEMA
    verdicts: dict[str, int]
    """Verdict to number of cells."""
    read: dict[str, int]
    """Platform to the time of the reading that was judged."""
    not_read: tuple[str, ...]
    """Platforms without a reading; none of their cells is shown."""
    accounts: dict[str, dict[str, tuple[Span, ...]]] = {}
    """Accounts, projects, subscriptions, tenants and the like that the readings name, by kind, and
    when each is named; the report covers no others."""
    cells: tuple[CellState, ...]
    """Every cell with its verdict, reasons, stretches of time and fix."""

    @property
    def verdict(self) -> str:
        """The worst that is known, in the words of the first line."""
        if not self.cells:
            return "NO READING"
        for verdict in (Verdict.GAP, Verdict.BROKEN):
            if verdict in self.verdicts:
                return str(verdict)
        return "NO GAP KNOWN" if self.has_doubt else "NO GAP"

    @property
    def line(self) -> str:
        """The report in one line: the verdict, and the number of cells of each."""
        if not self.cells:
            return f"{self.verdict} of any platform"
        counts = ", ".join(f"{count} {name}" for name, count in self.verdicts.items())
        return f"{self.verdict} {plural.count(len(self.cells), 'cell')}: {counts}"

    @property
    def has_gap(self) -> bool:
        """Whether something that could be recorded is known not to be."""
        return any(cell.verdict in {Verdict.GAP, Verdict.BROKEN} for cell in self.cells)

    @property
    def has_doubt(self) -> bool:
        """Whether something is not known to be recorded here."""
        return any(cell.verdict in {Verdict.UNKNOWN, Verdict.ELSEWHERE} for cell in self.cells)


def matrix(
    readings: Sequence[Reading],
    changes: Sequence[Change] = (),
    *,
    subject: Subject = EVERYONE,
    proofs: Sequence[tuple[str, Sequence[Stretch]]] = (),
) -> Matrix:
    """Judge every cell by the last reading of its platform and the changes since.

    `proofs` are the stretches that canaries show, by cell (`canary.weigh`): they override settings.
    """
    newest = history.newest(readings, changes)
    unread = judges.never_read()
    known = _Known(tuple(readings), tuple(changes), subject, dict(proofs))
    states = [
        _state(cell, newest.get(judges.reader_of(cell.platform)), known)
        for cell in cells()
        if judges.reader_of(cell.platform) in newest or (newest and cell.platform in unread)
    ]
    counts = Counter(state.verdict for state in states)
    names = dict.fromkeys(judges.reader_of(cell.platform) for cell in cells())
    return Matrix(
        verdicts={verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
        read={name: reading.at for name, reading in newest.items()},
        not_read=tuple(name for name in names if name not in newest and name not in unread),
        accounts=accounts.over_time(readings),
        cells=tuple(states),
    )


class _Known(msgspec.Struct, frozen=True):
    """The inputs of a matrix."""

    readings: tuple[Reading, ...]
    changes: tuple[Change, ...]
    subject: Subject
    proven: dict[str, Sequence[Stretch]]


def _state(cell: Cell, reading: Reading | None, known: _Known) -> CellState:
    setting = setting_of(cell)
    judged = judges.judge(cell, reading, known.subject)
    verdict, reasons = judged.verdict, judged.reasons
    over_time: tuple[Stretch, ...] = ()
    if reading is not None:
        times = [one.at for one in known.readings if one.platform == reading.platform]
        window = Span(min(times), max(times) + 1)
        over_time = history.stretches(
            cell, known.readings, known.changes, window, subject=known.subject
        )
    proven = known.proven.get(cell.id, ())
    last = proven[-1] if proven else None
    if last is not None and _decides(verdict, last, reading):
        verdict, reasons = last.verdict, (last.reason, *reasons)
    mendable = verdict in {Verdict.GAP, Verdict.BROKEN} or (
        verdict is Verdict.ELSEWHERE and setting.mends_elsewhere
    )
    return CellState(
        cell=cell.id,
        platform=cell.platform,
        step=cell.step,
        case=cell.case,
        verdict=verdict,
        reasons=reasons,
        missing=judged.missing,
        answers=judged.answers,
        read_at=None if reading is None else reading.at,
        stretches=overlaid(over_time, proven),
        by_settings=over_time if proven else (),
        documented=cell.documented,
        setting=setting.setting,
        reads=setting.reads,
        record=cell.record,
        limit=cell.limit,
        fix=setting.fix
        if mendable and cell.documented not in {"impossible", "not known"}
        else None,
        next=judges.next_step(cell, judged, reading) if verdict is Verdict.UNKNOWN else "",
        compensating=cell.compensating,
        confidence=cell.confidence,
    )


def _decides(verdict: Verdict, canary: Stretch, reading: Reading | None) -> bool:
    """Whether a canary overrides the settings: only a recent one, and never a known gap."""
    if verdict in {Verdict.GAP, Verdict.ELSEWHERE}:
        return False
    return reading is None or canary.span.end > reading.at - history.APART_MS
