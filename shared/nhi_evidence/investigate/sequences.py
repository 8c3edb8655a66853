"""What several records show together: bursts, sweeps, first uses, refusals that became successes.

Derived from records, named by rule, never written back. A rule looks at what one credential did,
or one identity if a record names no credential. Distances are in event time. A rule does not claim
what it cannot know (which network an address belongs to, what happened before the evidence
begins): such a finding is `is_uncertain`, and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence import plural
from nhi_evidence.investigate.lineage import LASTING, Credential, Mint, Path
from nhi_evidence.investigate.row import Row
from nhi_evidence.investigate.windows import bursts

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REFUSED, REFUSED_WHEN_NEW = 5, 3
"""W1: how many different operations must be refused, for a known and for a new credential."""
SWEPT_OPERATIONS, SWEPT_SERVICES, SWEPT_REGIONS = 6, 3, 4
"""W3: how many different operations and services must be enumerated, or how many regions."""
GUESSED_NAMES = 10
"""W7: how many different names must not exist."""
PROBED_TOOLS = 3
"""W9: how many different tool calls must be refused."""
_ENDINGS = frozenset({"delete", "disable", "revoke", "expire"})
"""Sub-phases after which a credential should no longer be used."""
_RETURN = "enable"
"""The sub-phase after which one that was disabled may be used again."""
_TOOL_LISTINGS = ("tools/list", "initialize")
MAX_FINDINGS = 200
"""How many findings one rule makes for one actor; if there are more, the last one says so."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Records that match a rule together."""

    rule: str
    """The rule's name, e.g. `W1`; docs/investigate.md says what each looks for."""
    actor: str
    """The credential, or the identity, whose records these are."""
    text: str
    """What they show, in words."""
    first: int
    last: int
    """Milliseconds since the epoch, UTC."""
    rows: tuple[Row, ...]
    is_uncertain: bool = False


def findings(path: Path, known_since: int | None) -> list[Finding]:
    """Return what the rules find in a path, in chronological order.

    `known_since` is when the evidence begins, in milliseconds since the epoch: what seems to be
    the first of its kind within thirty days of that may have occurred before.
    """
    rows = [step.row for step in path.steps]
    every: list[Finding] = []
    for actor, own in _by_actor(rows).items():
        first = own[0].time
        is_new = known_since is not None and first - known_since >= DAY
        every += _bounded(_refusals(actor, own, is_new=is_new))
        every += _bounded(_sweeps(actor, own))
        every += _bounded(_retries(actor, own))
        every += _bounded(_guesses(actor, own))
        every += _bounded(_tool_probes(actor, own))
    for identity, own in _by_identity(rows).items():
        every += _bounded(_first_uses(identity, own, known_since))
    for root, own in _by_root(rows, path.credentials).items():
        every += _bounded(_stages(root, own))
    every += _bounded(_used_after_end(rows))
    every += _bounded(_used_from_elsewhere(rows, path.credentials))
    return sorted(every, key=lambda finding: (finding.first, finding.rule, finding.actor))


def _bounded(unbounded: Iterable[Finding]) -> Iterator[Finding]:
    for number, finding in enumerate(unbounded, start=1):
        if number == MAX_FINDINGS:
            text = f"{finding.text}; and more of the same, not listed"
            yield msgspec.structs.replace(finding, text=text)
            return
        yield finding


def _by_actor(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    actors: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        actor = row.credential or row.identity
        if actor:
            actors[actor].append(row)
    return actors


def _by_identity(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    """Group records by what lasts: a key by itself, a session by its identity."""
    actors: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        lasting = row.credential if row.credential_kind in LASTING else None
        if actor := lasting or row.identity or row.credential:
            actors[actor].append(row)
    return actors


def _by_root(rows: Iterable[Row], credentials: Sequence[Credential]) -> Mapping[str, list[Row]]:
    """Group records by the credential their chain begins with."""
    parents = {each.uid: each.parent for each in credentials if each.parent}
    actors: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        actor = row.credential or row.identity
        for _ in range(len(parents) + 1):  # bounded, in case the parents form a loop
            if actor is None or actor not in parents:
                break
            actor = parents[actor]
        if actor:
            actors[actor].append(row)
    return actors


def _operation(row: Row) -> tuple[str, str]:
    return row.service or "", row.operation


def _service(row: Row) -> str:
    return row.service or ""


def _region(row: Row) -> str:
    return row.region or ""


def _target(row: Row) -> str:
    return row.targets[0] if row.targets else ""


def _refusals(actor: str, rows: Sequence[Row], *, is_new: bool) -> Iterator[Finding]:
    """W1: many different operations refused within ten minutes; fewer for a new credential."""
    least = REFUSED_WHEN_NEW if is_new else REFUSED
    refused = [row for row in rows if row.is_refused]
    for run in bursts(refused, 10 * MINUTE, [_operation], lambda counts: counts[0] >= least):
        distinct = len({_operation(row) for row in run})
        yield _finding(
            "W1", actor, f"{distinct} different operations refused: permissions are tried out", run
        )


def _sweeps(actor: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """W3: enumeration over services or regions within ten minutes."""

    def is_sweep(distinct: Sequence[int]) -> bool:
        operations, services, regions = distinct
        return (operations >= SWEPT_OPERATIONS and services >= SWEPT_SERVICES) or (
            regions >= SWEPT_REGIONS
        )

    listing = [row for row in rows if row.base_phase == "Enumeration"]
    for run in bursts(listing, 10 * MINUTE, [_operation, _service, _region], is_sweep):
        operations, services = len({_operation(r) for r in run}), len({_service(r) for r in run})
        regions = len({_region(row) for row in run})
        text = (
            f"{operations} different enumerations, {plural.count(services, 'service')}, "
            f"{plural.count(regions, 'region')}: a sweep"
        )
        yield _finding("W3", actor, text, run)


def _stages(actor: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """W4: validation, then enumeration, then reading a secret, within an hour."""
    start: Row | None = None
    seen: tuple[Row, Row] | None = None
    for row in rows:
        if row.base_phase == "Credential Validation":
            start = row  # what was enumerated before it stays: a second validation hides nothing
        elif row.base_phase == "Enumeration":
            if start is not None and (seen is None or seen[0] is not start):
                seen = (start, row)
        elif row.base_phase == "Secret Access" and row.outcome == "success" and seen is not None:
            if row.time - seen[0].time <= HOUR:
                yield _finding(
                    "W4", actor, "validated, enumerated, then read secrets, within an hour",
                    [*seen, row],
                )  # fmt: skip
            start = seen = None


def _retries(actor: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """W5: refused, then allowed: the same operation on the same target within a day."""
    refused: dict[tuple[tuple[str, str], str], Row] = {}
    for row in rows:
        key = (_operation(row), _target(row))
        if row.is_refused:
            refused[key] = row  # the latest: an older one may be more than a day ago
        elif row.outcome == "success" and key in refused:
            before = refused.pop(key)
            if row.time - before.time <= DAY:
                text = f"{row.operation} was refused, then succeeded"
                yield _finding("W5", actor, text, [before, row], uncertain=not _target(row))


def _guesses(actor: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """W7: many names that do not exist, within ten minutes."""
    missing = [row for row in rows if row.outcome == "not_found" and row.targets]
    for run in bursts(missing, 10 * MINUTE, [_target], lambda counts: counts[0] >= GUESSED_NAMES):
        distinct = len({_target(row) for row in run})
        yield _finding("W7", actor, f"{distinct} names that do not exist: names are guessed", run)


def _tool_probes(actor: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """W9: tools listed, then several refused: the limits of a scope are tried out."""
    listed = next((row for row in rows if _lists_tools(row)), None)
    if listed is None:
        return
    refused = [
        row for row in rows
        if row.time >= listed.time and row.is_refused and row is not listed
        and (row.is_agentic or row.base_phase == "Agent Action")
    ]  # fmt: skip
    if len({(_operation(row), _target(row)) for row in refused}) >= PROBED_TOOLS:
        yield _finding(
            "W9", actor, "tools listed, then three or more refused: a scope is probed",
            [listed, *refused],
        )  # fmt: skip


def _lists_tools(row: Row) -> bool:
    name = row.operation.lower()
    return any(name.endswith(each) for each in _TOOL_LISTINGS) or "listtools" in name


def _first_uses(actor: str, rows: Sequence[Row], known_since: int | None) -> Iterator[Finding]:
    """W2: a key or identity used from an address not seen with it in the thirty days before."""
    last: dict[str, int] = {}
    for row in rows:
        if row.ip is None:
            continue
        before = last.get(row.ip)
        last[row.ip] = row.time
        if before is not None and row.time - before <= 30 * DAY:
            continue
        is_short = known_since is None or row.time - known_since < 30 * DAY
        text = f"first use from {row.ip}"
        if is_short:
            text += " in this evidence, which does not reach back thirty days"
        yield _finding("W2", actor, text, [row], uncertain=is_short)


def _used_after_end(rows: Sequence[Row]) -> Iterator[Finding]:
    """W6: a credential used after it was deleted, disabled, revoked or expired on record."""
    ended: dict[str, Row] = {}
    for row in rows:
        # A use that is refused does not hide a later one that is not.
        if row.credential in ended and not row.is_refused:
            end = ended.pop(row.credential)
            text = f"used after {end.operation} ended it"
            is_final = end.sub_phase != "disable"
            if not is_final:
                text += ", unless an identity that is not followed here enabled it again"
            yield _finding("W6", row.credential, text, [end, row], uncertain=not is_final)
        if row.base_phase != "Credential Lifecycle" or row.outcome != "success" or not row.entity:
            continue
        if row.sub_phase in _ENDINGS:
            ended[row.entity] = row
        elif row.sub_phase == _RETURN:
            ended.pop(row.entity, None)


def _used_from_elsewhere(
    rows: Sequence[Row], credentials: Sequence[Credential]
) -> Iterator[Finding]:
    """W8: a session used from an address that the credential it was made with never used."""
    addresses: defaultdict[str, set[str]] = defaultdict(set)
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.credential and row.ip:
            addresses[row.credential].add(row.ip)
            first.setdefault((row.credential, row.ip), row)
    for each in credentials:
        if each.mint is not Mint.SEEN or each.parent is None or each.minted_by is None:
            continue
        known = addresses[each.parent] | ({each.minted_by.ip} if each.minted_by.ip else set())
        for address in sorted(addresses[each.uid] - known) if known else ():
            text = f"used from {address}, where {each.parent}, which made it, was never used from"
            yield _finding(
                "W8", each.uid, f"{text}; whether it is another network, no record states",
                [each.minted_by, first[each.uid, address]], uncertain=True,
            )  # fmt: skip


def _finding(
    rule: str, actor: str, text: str, rows: Sequence[Row], *, uncertain: bool = False
) -> Finding:
    return Finding(
        rule=rule,
        actor=actor,
        text=text,
        first=rows[0].time,
        last=rows[-1].time,
        rows=tuple(rows),
        is_uncertain=uncertain,
    )
