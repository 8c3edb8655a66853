"""An index of a sealed store in memory: for a small store, or where DuckDB is not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import msgspec

from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.investigate import sealed
from nhi_evidence.investigate.index import Freshness, MemoryIndex, distinct
from nhi_evidence.investigate.row import Row, Standing
from nhi_evidence.investigate.sealed import Head, ObjectRows, UnitClaim
from nhi_evidence.ports import EvidenceVersions

Numbered = tuple[ObjectRows, Sequence[int]]
"""An object's rows and claims, and a number for each claim."""


def of_store(
    store: EvidenceVersions,
    stored: StoredLog,
    *,
    log_name: str,
    accepted: Sequence[str] = (),
    progress: Callable[[str, int], None] = lambda _what, _done: None,
) -> MemoryIndex:
    """Return an index of all records of a store, weighed as `counting` weighs them.

    Raises `LogError` if the log does not match what its keys signed.
    """
    heads = sealed.heads(stored)
    listed = sealed.listed(stored, heads)
    unreadable: list[str] = []
    unreadable_count = 0
    read: list[Numbered] = []
    numbers = count()
    bodies = store.bodies((each.key, each.vid) for each in listed.objects)
    for done, (at, body) in enumerate(zip(listed.objects, bodies, strict=True)):
        progress("objects", done)
        try:
            content = sealed.read(at, body)
        except (ValueError, RecursionError) as error:
            unreadable.append(f"{at.key}: {error}")
            unreadable_count += 1
            continue
        unreadable += content.unreadable
        unreadable_count += content.unreadable_count
        read.append((content, [next(numbers) for _ in content.claims]))
    standings = _standings(read, accepted)
    rows = list(_rows(read, standings))
    trusts = [
        each
        for content, own in read
        for number, each in content.trusts
        if standings[own[number]] is Standing.COUNTED
    ]
    freshness = _freshness(rows, len(listed.objects), heads, log_name)
    return MemoryIndex(
        rows,
        trusts,
        freshness=msgspec.structs.replace(
            freshness,
            head_time=listed.signed_at,
            unreadable=tuple(unreadable),
            unreadable_count=unreadable_count,
        ),
    )


def _standings(read: Sequence[Numbered], accepted: Sequence[str]) -> dict[int, Standing]:
    by_hour: dict[tuple[str, str], list[tuple[int, UnitClaim]]] = {}
    for content, own in read:
        by_hour.setdefault((content.at.source, content.at.hour), []).extend(
            zip(own, content.claims, strict=True)
        )
    return {
        number: standing
        for claims in by_hour.values()
        for number, standing in sealed.standings(claims, accepted).items()
    }


def _rows(read: Sequence[Numbered], standings: dict[int, Standing]) -> Iterator[Row]:
    for content, own in read:
        for number, row in content.rows:
            place = msgspec.structs.replace(row.place, standing=standings[own[number]])
            yield msgspec.structs.replace(row, place=place)


def _freshness(rows: Sequence[Row], objects: int, heads: Sequence[Head], name: str) -> Freshness:
    every = list(distinct(rows))
    counted = [row.time for row in every if row.place.standing is Standing.COUNTED]
    return Freshness(
        proven=True,
        rows=len(counted),
        objects=objects,
        first=min(counted, default=None),
        last=max(counted, default=None),
        head=", ".join(f"{name}/{head.shard} size {head.size}" for head in heads),
        head_time=None,
        duplicates=len(rows) - len(every),
    )
