"""What the demo prints about its investigation, and what must hold in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.text import Text

from nhi_evidence.adapters.own_name import own_name
from nhi_evidence.demo.crossing import Followed
from nhi_evidence.demo.investigation import CASE, COVERAGE, KEY, REPORT, Investigated
from nhi_evidence.investigate.timeline import Timeline
from nhi_evidence.terminal import timeline_report
from nhi_evidence.terminal.safe_text import neutralize


def summary(
    detail: Console,
    brief: Console,
    done: Investigated,
    timeline: Timeline,
    followed: Sequence[Followed],
) -> None:
    """Show the whole timeline, or just its duration and that every record of it is proven."""
    timeline_report.show(detail, timeline)
    steps = timeline.path.steps
    lasted = timeline_report.duration(steps[-1].row.time - steps[0].row.time) if steps else "0 s"
    proven = f"{done.proven} of {done.records} records proven offline"
    crossed = len({step.source for step in followed})
    brief.print(f"That CI job, on {crossed} platforms in {lasted}: {proven}", soft_wrap=True)
    verdicts = ", ".join(f"{verdict} {records}" for verdict, records in done.covered.items())
    others = f"{done.absent} other acts would show, {done.unseen} would not or are unknown"
    brief.print(f"Coverage: {verdicts}; {others}", soft_wrap=True)


def left(out: Console, done: Investigated | None) -> None:
    """Say where report and case are, and how to check the case."""
    if done is None:
        return
    names = f"{REPORT}, {COVERAGE}, {CASE}"
    out.print(Text(f"left  {neutralize(done.folder)}: {names}"), soft_wrap=True)
    case, key = (quote(neutralize(f"{done.folder}/{name}")) for name in (CASE, KEY))
    # Several lines on the screen, but one command to the shell.
    for line in (f"{own_name()} case verify \\", f"  {case} \\", f"  --key {key}"):
        out.print(Text(f"      {line}"), soft_wrap=True)


def left_in(done: Investigated | None) -> Path | None:
    """Return the folder that the coverage report and the key were left in."""
    return None if done is None else Path(done.folder)


def not_told(done: Investigated | None, followed: Sequence[Followed]) -> list[str]:
    """Return what does not hold about the investigation.

    GitHub's records name neither token nor subject of the job, and so are not part of its path;
    they appear next to it as witnesses, in a section of the timeline of their own.
    """
    if done is None:
        return []
    problems = []
    if done.records != len(followed):
        problems.append(f"{done.records} of {len(followed)} steps of the CI job were traced")
    if not done.witnessed:
        problems.append("GitHub's record of the CI job was not shown next to its path")
    if sum(done.covered.values()) != done.records or "UNKNOWN" in done.covered:
        problems.append(f"coverage of the CI job's records: {done.covered}")
    if done.proven != done.records or not done.holds:
        problems.append(f"the case does not hold: {done.checked}")
    return problems
