"""Judging an hour of a source whose provider signs lists of what it delivered.

Each list must be signed by an available key and follow the list before it, and together they must
cover the hour without a gap. Each file they name must be counted with the stated hash, and each
counted file must be named (CloudTrail: docs/verification.md, "Completeness").
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from nhi_evidence.completeness.gather import file_name
from nhi_evidence.completeness.hours import HOUR_MS
from nhi_evidence.completeness.items import (
    BrokenItem,
    ChainItem,
    ClaimItem,
    FileItem,
    Item,
    ListItem,
)
from nhi_evidence.completeness.statement import Named
from nhi_evidence.event import Statement as SignedText
from nhi_evidence.evidence import counting, provider
from nhi_evidence.evidence.counting import Status

NAMED_WITHIN_MS = 48 * HOUR_MS
"""How long after its hour a file may be named."""
_LIST_DUE_MS = 3 * HOUR_MS
"""How long after an hour its last list may arrive: an hour to be written, the rest for delivery."""


class Files(msgspec.Struct, kw_only=True):
    """The result for an hour's files."""

    expected: int | None
    found: int
    named: list[Named]


class _Lists(msgspec.Struct, kw_only=True):
    named: list[Named]
    usable: frozenset[str]
    """Hashes of the lists whose signature verifies, or whose key is unavailable."""
    any: bool


def judge(
    items: Sequence[Item],
    units: Iterable[counting.Unit],
    keys: Mapping[str, bytes],
    *,
    hour_start: int | None,
    now: int,
) -> Files:
    """Judge one hour of one scope.

    `units` are its weighed units; `keys` the provider's public keys, DER by fingerprint. Ages are
    as of `now`, milliseconds since the epoch.
    """
    lists = _judge_lists(items, keys, hour_start, now)
    named = lists.named
    expected: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if isinstance(item, FileItem) and item.by in lists.usable:
            expected[item.name].add(item.sha256)
    inflated = {item.claim.unit: item.delivered for item in items if isinstance(item, ClaimItem)}
    companions = {item.unit_place for item in items if isinstance(item, ListItem)}
    companions |= {file_name(item.unit) for item in items if isinstance(item, BrokenItem)}
    by_name: dict[str, list[counting.Unit]] = defaultdict(list)
    for unit in units:
        by_name[file_name(unit.unit)].append(unit)
    counted = 0
    for name, hashes in expected.items():
        outcome = _outcome(by_name.get(name, ()), hashes, inflated)
        if outcome is None:
            counted += 1
        else:
            named.append(Named(outcome[0], name, outcome[1]))
    is_due = hour_start is None or now - hour_start - HOUR_MS >= NAMED_WITHIN_MS
    for name, deliveries in by_name.items():
        if name in expected or name in companions:
            continue
        if lists.any:
            named.append(Named("unbacked" if is_due else "waiting", name))
        named += [
            Named(each.status, name) for each in deliveries if each.status is not Status.COUNTED
        ]
    return Files(expected=len(expected) if lists.any else None, found=counted, named=named)


def _outcome(
    units: Sequence[counting.Unit], hashes: set[str], inflated: Mapping[str, str | None]
) -> tuple[str, str] | None:
    """Return reason and detail why a named file is not found; None if it is."""
    counted = [unit for unit in units if unit.status is Status.COUNTED]
    for unit in counted:
        if (unit.counted[0].raw or inflated.get(unit.unit)) in hashes:
            return None
    if counted:
        rejected = " and cannot be inflated" if counted[0].counted[0].raw is None else ""
        return "altered", f"stated SHA-256 {min(hashes)}; counted {_hash(counted[0])}{rejected}"
    for unit in units:
        return str(unit.status), ""
    return "missing", f"stated SHA-256 {min(hashes)}"


def _hash(unit: counting.Unit) -> str:
    claim = unit.counted[0]
    return claim.raw or f"as delivered {claim.src}"


def _judge_lists(
    items: Sequence[Item], keys: Mapping[str, bytes], hour_start: int | None, now: int
) -> _Lists:
    named = [
        Named("digest_invalid", file_name(item.unit), item.why)
        for item in items
        if isinstance(item, BrokenItem)
    ]
    # The same document may be both in its own place and, as a copy, elsewhere.
    lists: dict[tuple[str, str], dict[bytes, ListItem]] = defaultdict(dict)
    for item in items:
        if isinstance(item, ListItem):
            lists[item.sha256, item.unit_place][item.signature] = item
    usable: dict[str, ListItem] = {}
    for _, versions in sorted(lists.items()):
        # One signature that verifies is enough: a version stored without it disproves nothing.
        item, problem = min(((one, _problem(one, keys)) for one in versions.values()), key=_gravity)
        if problem is not None:
            named.append(Named(problem[0], item.unit_place, problem[1]))
        if problem is None or problem[0] == "key_unknown":
            usable[item.sha256] = item
    if not lists:
        named.append(Named("no_list", "", "no signed list of this hour is here"))
    elif hour_start is not None:
        named += {
            Named(item.reason, item.name, item.detail): None
            for item in items
            if isinstance(item, ChainItem) and item.by in usable
        }
        named += _cover(usable.values(), hour_start, now)
    return _Lists(named=named, usable=frozenset(usable), any=bool(lists))


def _gravity(judged: tuple[ListItem, tuple[str, str] | None]) -> int:
    problem = judged[1]
    return 0 if problem is None else 1 if problem[0] == "key_unknown" else 2


def _problem(item: ListItem, keys: Mapping[str, bytes]) -> tuple[str, str] | None:
    if item.place != item.unit_place:
        return "digest_invalid", f"it is the document of {item.place}"
    if not item.signature:
        return "digest_invalid", "its signature was not kept with it"
    if item.fingerprint not in keys:
        return "key_unknown", f"no public key {item.fingerprint}"
    try:
        statement = SignedText(item.signed, item.fingerprint)
        provider.verify(keys[item.fingerprint], statement, item.signature)
    except provider.ProviderError as error:
        return "digest_invalid", str(error)
    return None


def _cover(lists: Iterable[ListItem], hour_start: int, now: int) -> Iterator[Named]:
    """Yield the parts of an hour that no usable list of a chain covers.

    Each chain is judged separately, since another trail's list says nothing about this one's files.
    A backfill list belongs to the chain it fills.
    """
    hour_end = hour_start + HOUR_MS
    chains: dict[str, list[ListItem]] = defaultdict(list)
    for item in lists:
        chains[item.chain.replace("_backfill", "")].append(item)
    touching = {
        name: sorted(
            (max(item.begins, hour_start), min(item.ends, hour_end))
            for item in chain
            if item.begins <= hour_end and item.ends >= hour_start
        )
        for name, chain in chains.items()
    }
    if not any(begins < ends for spans in touching.values() for begins, ends in spans):
        yield _uncovered("", hour_start, hour_end, hour_end, now)
        return
    for name, spans in touching.items():
        reach = hour_start
        for begins, ends in spans:
            if begins > reach:
                yield _uncovered(name, reach, begins, hour_end, now)
            reach = max(reach, ends)
        if reach < hour_end and spans:
            yield _uncovered(name, reach, hour_end, hour_end, now)


def _uncovered(chain: str, begins: int, ends: int, hour_end: int, now: int) -> Named:
    reason = "open" if ends == hour_end and now - hour_end < _LIST_DUE_MS else "uncovered"
    minutes = (ends - begins) // 60_000
    return Named(reason, chain, f"{minutes} minutes from {begins} on are in no signed list")
