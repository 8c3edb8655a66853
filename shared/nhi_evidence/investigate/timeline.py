"""A path in chronological order: its stages and how long each lasted, findings, and gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from nhi_evidence import plural
from nhi_evidence.investigate import leases, sequences
from nhi_evidence.investigate.index import EventIndex, Freshness, Selection
from nhi_evidence.investigate.lineage import Mint, Path, follow
from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.sequences import Finding
from nhi_evidence.investigate.witness import Witnessed, witnesses


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a path with one phase. Times are milliseconds since the epoch, UTC."""

    phase: str
    """The effective phase, as in `summary` and in `phase` of `query`; for anything refused, a
    failed attempt."""
    base_phases: dict[str, int]
    """Base phase to the number of records, where it differs: for a failed attempt, what was
    tried."""
    first: int
    last: int
    records: int
    refused: int
    since_first_touch: int
    """Milliseconds from the first record of the path to the first of this phase."""


class Gap(msgspec.Struct, frozen=True):
    """Something that the records alone show to be missing or unreliable."""

    kind: str
    """One of `TITLES`."""
    text: str

    @property
    def makes_incomplete(self) -> bool:
        """Whether something of the path itself is contested, unreadable or left out."""
        return self.kind in {"contested", "unreadable", "not_shown", "cut_off"}


TITLES = {
    "mint_missing": "credential of unknown origin",
    "mint_before": "credential from before",
    "contested": "contested",
    "unreadable": "not everything was read",
    "not_shown": "not everything is shown",
    "cut_off": "cut off",
    "one_sided": "recorded on one side only",
}
"""Kind of a gap to its title, for readers."""


class Visibility(msgspec.Struct, frozen=True, kw_only=True):
    """When a kind of act would have been seen, according to statements on coverage."""

    what: str
    """The cell: platform and case; of an account no report names, the platform and the account."""
    platform: str
    cell: str
    """Id of the cell; empty where there is none that would say anything."""
    step: str
    accounts: tuple[str, ...]
    """Accounts of the path it is said of; empty where records name none, or it is true of all."""
    verdict: str
    since: int
    until: int
    reason: str
    is_seen: bool
    """Whether a record of it would be in this evidence."""
    is_on_record: bool
    """Whether the path has a record of that step on that platform."""

    @property
    def text(self) -> str:
        """What follows from the verdict, in words."""
        if self.is_seen:
            return "on record" if self.is_on_record else "none on record; it would have been"
        return _UNSEEN.get(self.verdict, "would not have been recorded")


_UNSEEN = {
    "UNKNOWN": "whether it would have been recorded is not known",
    "ELSEWHERE": "recorded, and not in this evidence",
    "BROKEN": "should have been recorded, and a test of it did not arrive",
    "IMPOSSIBLE": "no setting records it",
}


class Judged(msgspec.Struct, frozen=True):
    """What a coverage report says of a path."""

    visibility: tuple[Visibility, ...]
    steps: tuple[tuple[int, ...], ...]
    """Of each step of the path, in order: which of `visibility` are about its record."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What a selection and its descendants did."""

    subject: str
    """What was asked for, in words."""
    freshness: Freshness
    """What was read, what is signed of it, and what was not looked at."""
    path: Path
    """The records, in order, and the credentials and identities that join them."""
    stages: tuple[Stage, ...]
    """In order of first appearance."""
    findings: tuple[Finding, ...]
    """Records that match a rule together."""
    witnesses: tuple[Witnessed, ...]
    """Takings of a token, each with the other side's record, or why it is missing."""
    gaps: tuple[Gap, ...]
    """What the records alone show to be missing or unreliable."""
    visibility: tuple[Visibility, ...] | None
    """What would have been recorded and what would not; None if no statement was given. `coverage`
    of each step has the positions, from 0, of the entries about its record."""

    @property
    def providers(self) -> tuple[str, ...]:
        """The clouds and platforms the path crosses, in order of first appearance."""
        return tuple(dict.fromkeys(step.row.provider for step in self.path.steps))

    @property
    def is_incomplete(self) -> bool:
        """Whether something of the path itself is contested, unreadable or left out."""
        return any(gap.makes_incomplete for gap in self.gaps)

    @property
    def verdict(self) -> str:
        """The word that every form of a report begins with."""
        if self.is_incomplete:
            return "INCOMPLETE"
        return "FOUND" if self.path.steps else "NONE ON RECORD"


def compose(
    index: EventIndex,
    selection: Selection,
    *,
    subject: str,
    judge: Callable[[Path], Judged] | None = None,
) -> Timeline:
    """Follow a selection through an index, and compose its timeline.

    `judge` says what could have been seen of a path; without it, `visibility` is None.
    """
    path, freshness = follow(index, selection), index.freshness()
    judged = None if judge is None else judge(path)
    if judged is not None:
        path = path.covered(judged.steps)
    witnessed = tuple(witnesses(index, path))
    return Timeline(
        subject=subject,
        freshness=freshness,
        path=path,
        stages=_stages(path),
        findings=tuple(sequences.findings(path, freshness.first)),
        witnesses=witnessed,
        gaps=(
            *_gaps(path, freshness),
            *_unwitnessed(witnessed),
            *(Gap("one_sided", text) for text in leases.not_joined(path)),
        ),
        visibility=None if judged is None else judged.visibility,
    )


def _stages(path: Path) -> tuple[Stage, ...]:
    stages: dict[str, list[Row]] = {}
    for step in path.steps:
        stages.setdefault(step.row.phase, []).append(step.row)
    start = path.steps[0].row.time if path.steps else 0
    return tuple(
        Stage(
            phase=phase,
            base_phases=dict(
                Counter(row.base_phase for row in rows if row.base_phase != phase).most_common()
            ),
            first=rows[0].time,
            last=max(row.time for row in rows),
            records=len(rows),
            refused=sum(row.is_refused for row in rows),
            since_first_touch=rows[0].time - start,
        )
        for phase, rows in stages.items()
    )


def _unwitnessed(witnessed: Iterable[Witnessed]) -> Iterator[Gap]:
    for each in witnessed:
        if each.witness is None:
            yield Gap("one_sided", f"{each.taken.operation}: {each.text}")


def _gaps(path: Path, freshness: Freshness) -> Sequence[Gap]:
    gaps = []
    for each in path.credentials:
        if each.mint is Mint.MISSING:
            text = f"{each.uid}: no record of its making; who made it is not known from here"
            gaps.append(Gap("mint_missing", text))
        elif each.mint is Mint.BEFORE:
            gaps.append(
                Gap("mint_before", f"{each.uid}: made before this evidence begins, or unrecorded")
            )
    contested = sum(step.row.place.standing is Standing.CONTESTED for step in path.steps)
    if contested:
        gaps.append(
            Gap("contested", f"{contested} of its records are in contested units; see verify")
        )
    if freshness.unreadable_count:
        unread = plural.count(freshness.unreadable_count, "object or line", "objects or lines")
        text = f"{unread} could not be read; shown is the rest"
        gaps.append(Gap("unreadable", text))
    if freshness.not_shown_count:
        text = (
            f"{freshness.not_shown_count} hours of sources have evidence that is not shown: "
            "no statement counts it yet, or it is contested"
        )
        gaps.append(Gap("not_shown", text))
    if path.cut_off:
        gaps.append(Gap("cut_off", f"{path.cut_off}: the rest is left out; narrow the time"))
    return gaps
