"""The other side's record as witness: where one act is recorded by two, both are looked for.

A job that took a token is recorded where it ran, and where the token was taken. A pair with one
side alone is a named gap: the other side's log is not in this evidence, or has no such record.
What a log records of the acts that take tokens is declared by its source, in `witness.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import msgspec

from nhi_evidence import sources
from nhi_evidence.investigate.index import EventIndex, Selection
from nhi_evidence.investigate.lineage import Path
from nhi_evidence.investigate.row import Row

_DECLARATION = "witness.toml"
_MINUTE_MS = 60_000


class _Log(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one source's log records of acts for which tokens are taken elsewhere."""

    issuer: str
    """Of the tokens."""
    subject_begins: str
    """What stands before the owner in a token's subject; a colon ends the owner."""
    platform: str
    """Whose log it is, in words."""
    act: str
    """What is recorded, in words."""
    operations: frozenset[str]
    """By which its beginning is recorded, at its owner."""
    acts_as: str
    """An identity that the log has wherever it records any."""
    longest_hours: int
    """What an act may last."""
    skew_minutes: int
    """By which the two clocks may differ."""


@cache
def _logs() -> dict[str, _Log]:
    """Return the declarations by the names of their sources. Raises `SettingsError`."""
    every = {name: sources.declared(name, _DECLARATION, _Log) for name in sources.names()}
    return {name: log for name, log in every.items() if log is not None}


class Witnessed(msgspec.Struct, frozen=True):
    """One taking of a token, and who else recorded the act it was taken for."""

    taken: Row
    """The first by this workload on this platform."""
    witness: Row | None
    """The other side's record that is nearest before it; None where there is none."""
    text: str


def witnesses(index: EventIndex, path: Path) -> Iterator[Witnessed]:
    """Yield what the other side recorded of each first taking of a token in a path.

    Raises `SettingsError` where a source's declaration is none.
    """
    for source, log in _logs().items():
        yield from _of_log(index, path, source, log)


def _of_log(index: EventIndex, path: Path, source: str, log: _Log) -> Iterator[Witnessed]:
    taken = list(_takings(path, log))
    owners = {owner for _, owner in taken}
    if not owners:
        return
    begun = [
        row
        for row in index.rows(Selection(resources=frozenset(owners)))
        if row.source == source and row.operation in log.operations
    ]
    has_log = bool(begun) or _is_here(index, source, log)
    for row, owner in taken:
        near = _nearest(row, owner, begun, log)
        if near is not None:
            before = _minutes(row.time - near.time)
            text = f"{log.platform} recorded a {log.act} of {owner} {before} before"
        elif has_log:
            text = f"{log.platform}'s log is here, and has no {log.act} of {owner} "
            text += f"in the {log.longest_hours} hours before"
        else:
            text = f"{log.platform}'s log is not in this evidence: "
            text += f"nobody else recorded a {log.act} of {owner}"
        yield Witnessed(row, near, text)


def _takings(path: Path, log: _Log) -> Iterator[tuple[Row, str]]:
    """Yield the first record on each platform by which an act takes a token, and its owner."""
    seen: set[tuple[str, str]] = set()
    for step in path.steps:
        row = step.row
        owner = _owner(row, path.workloads, log)
        if owner is None or (row.source, owner) in seen:
            continue
        if row.base_phase in {"Token Issuance", "Credential Validation"}:
            seen.add((row.source, owner))
            yield row, owner


def _owner(row: Row, workloads: Iterable[str], log: _Log) -> str | None:
    """Return whose act it is, by the subject of its token: `repo:OWNER/NAME:...`."""
    subject = row.subject or ""
    is_known = any(log.issuer in each for each in workloads)
    if not is_known or not subject.startswith(log.subject_begins):
        return None
    return subject.removeprefix(log.subject_begins).partition(":")[0]


def _nearest(row: Row, owner: str, begun: Sequence[Row], log: _Log) -> Row | None:
    earliest, latest = -log.skew_minutes * _MINUTE_MS, log.longest_hours * 60 * _MINUTE_MS
    near = [
        each
        for each in begun
        if owner.lower() in {name.lower() for name in (*each.targets, *each.target_names)}
        and earliest <= row.time - each.time <= latest
    ]
    return max(near, key=lambda each: each.time, default=None)


def _is_here(index: EventIndex, source: str, log: _Log) -> bool:
    rows = index.rows(Selection(identities=frozenset({log.acts_as})))
    return any(row.source == source for row in rows)


def _minutes(milliseconds: int) -> str:
    return f"{milliseconds // _MINUTE_MS} min {milliseconds // 1000 % 60} s"
