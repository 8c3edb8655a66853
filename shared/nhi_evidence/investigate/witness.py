"""The other side's record as a witness: if an act is recorded in two logs, both are looked for.

A job that took a token is recorded where it ran, and where the token was taken. If only one side
is here, that is a named gap: the other side's log is not in this evidence, or has no such record.
Each source declares in `witness.toml` what its log records about acts that take tokens.
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
    """What one source's log records about acts for which tokens are taken elsewhere."""

    issuer: str
    """Issuer of the tokens."""
    subject_begins: str
    """What precedes the owner in a token's subject; a colon follows the owner."""
    platform: str
    """Whose log it is, in words."""
    act: str
    """What is recorded, in words."""
    operations: frozenset[str]
    """Operations that record the beginning of an act, on its owner."""
    acts_as: str
    """An identity that is in the log if any act is."""
    longest_hours: int
    """How long an act may last."""
    skew_minutes: int
    """How far the two clocks may differ."""


@cache
def _logs() -> dict[str, _Log]:
    """Return each source's declaration, by name. Raises `SettingsError` for an invalid one."""
    every = {name: sources.declared(name, _DECLARATION, _Log) for name in sources.names()}
    return {name: log for name, log in every.items() if log is not None}


class Witnessed(msgspec.Struct, frozen=True):
    """A record of taking a token, and the other side's record of the act it was taken for."""

    taken: Row
    """The workload's first record of taking a token from this source."""
    witness: Row | None
    """The other side's last record before it, allowing for clock skew; None if there is none."""
    text: str


def witnesses(index: EventIndex, path: Path) -> Iterator[Witnessed]:
    """Yield what the other side recorded about each first taking of a token in a path.

    Raises `SettingsError` for an invalid declaration of a source.
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
            text = f"{log.platform} recorded a {log.act} of {owner} {_apart(row.time - near.time)}"
        elif has_log:
            text = f"{log.platform}'s log is here, and has no {log.act} of {owner} "
            text += f"in the {log.longest_hours} hours before"
        else:
            text = f"{log.platform}'s log is not in this evidence: "
            text += f"nobody else recorded a {log.act} of {owner}"
        yield Witnessed(row, near, text)


def _takings(path: Path, log: _Log) -> Iterator[tuple[Row, str]]:
    """Yield each source's first record in which an act takes a token, and the act's owner."""
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
    """Return the owner of an act, from the subject of its token: `repo:OWNER/NAME:...`."""
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


def _apart(milliseconds: int) -> str:
    """Say how long before an instant something was; after it, where the two clocks differ."""
    length = abs(milliseconds)
    text = f"{length // _MINUTE_MS} min {length // 1000 % 60} s"
    return f"{text} before" if milliseconds >= 0 else f"{text} after, as the clocks differ"
