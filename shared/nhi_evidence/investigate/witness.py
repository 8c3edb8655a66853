"""The other side's record as witness: where one act is recorded by two, both are looked for.

A CI job that took a token is recorded where it ran, and where the token was taken. A pair with one
side alone is a named gap: the other side's log is not in this evidence, or has no such record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nhi_evidence.investigate.index import EventIndex, Selection
from nhi_evidence.investigate.lineage import Path
from nhi_evidence.investigate.row import Row

_GITHUB = "token.actions.githubusercontent.com"
_RUNS = ("workflows.created_workflow_run", "workflows.prepared_workflow_job")
"""Operations by which GitHub records that a job began.

https://docs.github.com/en/enterprise-cloud@latest/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/audit-log-events-for-your-enterprise#workflows
"""
_LONGEST_JOB_MS = 6 * 3_600_000
"""What a job on GitHub's own runners may last (usage limits of GitHub Actions)."""
_SKEW_MS = 5 * 60_000


class Witnessed(msgspec.Struct, frozen=True):
    """One taking of a token, and who else recorded the job it was taken for."""

    taken: Row
    """The first by this workload on this platform."""
    witness: Row | None
    """The other side's record that is nearest before it; None where there is none."""
    text: str


def witnesses(index: EventIndex, path: Path) -> Iterator[Witnessed]:
    """Yield what the other side recorded of each first taking of a token in a path."""
    taken = list(_takings(path))
    repositories = {repository for _, repository in taken}
    if not repositories:
        return
    runs = [
        row
        for row in index.rows(Selection(resources=frozenset(repositories)))
        if row.source == "github_audit" and row.operation in _RUNS
    ]
    has_log = bool(runs) or _has_github(index)
    for row, repository in taken:
        near = _nearest(row, repository, runs)
        if near is not None:
            text = f"GitHub recorded a job of {repository} {_minutes(row.time - near.time)} before"
        elif has_log:
            text = f"GitHub's log is here, and has no job of {repository} in the six hours before"
        else:
            text = (
                f"GitHub's log is not in this evidence: nobody else recorded a job of {repository}"
            )
        yield Witnessed(row, near, text)


def _takings(path: Path) -> Iterator[tuple[Row, str]]:
    """Yield the first record on each platform by which a GitHub job takes a token."""
    seen: set[tuple[str, str]] = set()
    for step in path.steps:
        row = step.row
        repository = _repository(row, path.workloads)
        if repository is None or (row.source, repository) in seen:
            continue
        if row.base_phase in {"Token Issuance", "Credential Validation"}:
            seen.add((row.source, repository))
            yield row, repository


def _repository(row: Row, workloads: Iterable[str]) -> str | None:
    """Return the repository of a job, by its subject `repo:OWNER/NAME:...`."""
    subject = row.subject or ""
    if not any(_GITHUB in each for each in workloads) or not subject.startswith("repo:"):
        return None
    return subject.split(":")[1]


def _nearest(row: Row, repository: str, runs: Sequence[Row]) -> Row | None:
    near = [
        run
        for run in runs
        if repository.lower() in {name.lower() for name in (*run.targets, *run.target_names)}
        and -_SKEW_MS <= row.time - run.time <= _LONGEST_JOB_MS
    ]
    return max(near, key=lambda run: run.time, default=None)


def _has_github(index: EventIndex) -> bool:
    rows = index.rows(Selection(identities=frozenset({"github-actions[bot]"})))
    return any(row.source == "github_audit" for row in rows)


def _minutes(milliseconds: int) -> str:
    return f"{milliseconds // 60_000} min {milliseconds // 1000 % 60} s"
