"""The demo's end: one job's path through the clouds as a report, and as a case with proofs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec

from nhi_evidence import __version__
from nhi_evidence.adapters import clock
from nhi_evidence.coverage.matrix import Matrix
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo.sealing import NAME, Notary
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import in_memory, visibility
from nhi_evidence.investigate.case import contents, make
from nhi_evidence.investigate.index import Selection
from nhi_evidence.investigate.proofs import Prover
from nhi_evidence.investigate.report import page as report
from nhi_evidence.investigate.timeline import Timeline, compose
from nhi_evidence.terminal import timeline_report

REPORT, CASE, KEY, COVERAGE = "report.html", "case.zip", "log.vkey", "coverage.json"


class Investigated(msgspec.Struct, frozen=True, kw_only=True):
    """The results of the investigation of one workload."""

    subject: str
    records: int
    platforms: list[str]
    witnessed: list[str]
    """What GitHub recorded about the job, for each first use of a token."""
    findings: list[str]
    """Rules that hold."""
    covered: dict[str, int]
    """Its records by the best that coverage says of their recording, in their account, at their
    time."""
    absent: int
    """Kinds of act that would have been recorded and are not on record."""
    unseen: int
    """Kinds of act that could not have been seen, or of which that is not known."""
    folder: str
    """Folder with the report, the case and the log's key."""
    proven: int
    holds: bool
    """Whether this release's checker accepts the case, run with Python alone."""
    checked: str
    """What it prints."""


def investigate(
    notary: Notary, subject: str, coverage: Matrix, folder: Path
) -> tuple[Investigated, Timeline]:
    """Follow a workload through the sealed evidence; write report and case into `folder`.

    And the coverage report, which says of each record what recorded it and what was not seen.
    """
    stored = StoredLog(notary.audited, NAME, (notary.key,))
    index = in_memory.of_store(notary.audited, stored, log_name=NAME, accepted=notary.accepted)
    selection = Selection(identities=frozenset({subject}))
    timeline = compose(
        index, selection, subject=subject, judge=partial(visibility.judged, report=coverage)
    )
    folder.mkdir(parents=True, exist_ok=True)
    stated = msgspec.json.encode(coverage)
    (folder / COVERAGE).write_bytes(stated)
    page, case = folder / REPORT, folder / CASE
    page.write_bytes(report.page(timeline))
    (folder / KEY).write_text(f"{notary.key}\n", encoding="utf-8")
    made_at = clock.now()
    parts = make.Parts(
        timeline=timeline,
        timeline_as_json=timeline_report.as_document(timeline) + b"\n",
        log_name=NAME,
        keys=(notary.key,),
        custody=contents.Custody(
            made_at=made_at,
            made_by="nhi-evidence demo",
            program=f"nhi-evidence {__version__}",
            evidence="the embedded bucket of the demo",
            question={"identities": [subject]},
            no_record="the demo's investigator may only read",
        ),
        made_on=timeline_report.day(made_at),
        statements={COVERAGE: stated},
    )
    with case.open("wb") as sink:
        written = make.make(sink, parts, Prover(notary.audited, stored, (notary.key,)))
    checked = _checked(case, str(notary.key), folder)
    return Investigated(
        subject=subject,
        records=len(timeline.path.steps),
        platforms=list(timeline.providers),
        witnessed=[each.text for each in timeline.witnesses if each.witness is not None],
        findings=sorted({finding.rule for finding in timeline.findings}),
        covered=_covered(timeline),
        absent=_kinds(timeline, is_seen=True),
        unseen=_kinds(timeline, is_seen=False),
        folder=str(folder),
        proven=len(written.proofs),
        holds=checked.returncode == 0,
        checked=(checked.stdout or checked.stderr).strip(),
    ), timeline


def _covered(timeline: Timeline) -> dict[str, int]:
    """Count records by the best verdict of the cells that are about them; UNKNOWN without any."""
    visible = timeline.visibility or ()
    best = Counter(
        max(
            (Verdict(visible[number].verdict) for number in step.coverage or ()),
            key=list(reversed(Verdict)).index,
            default=Verdict.UNKNOWN,
        ).value
        for step in timeline.path.steps
    )
    return dict(best.most_common())


def _kinds(timeline: Timeline, *, is_seen: bool) -> int:
    """Count cells of the path's platforms that are not on record, by whether they would be."""
    visible = timeline.visibility or ()
    return len({each.cell for each in visible if each.is_seen is is_seen and not each.is_on_record})


def _checked(case: Path, key: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the checker of this release on the case, with Python alone."""
    with tempfile.TemporaryDirectory(dir=folder) as programs:
        for name, data in (
            (contents.CHECKER, contents.shipped(contents.CHECKER)),
            (contents.PROOF_CHECKER, contents.proof_checker()),
        ):
            Path(programs, name).write_bytes(data)
        return subprocess.run(  # noqa: S603 our own program on our own case
            [sys.executable, "-S", Path(programs, contents.CHECKER), case, key],
            capture_output=True,
            text=True,
            check=False,
        )
