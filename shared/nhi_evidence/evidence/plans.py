"""Finding the versions that no plan holds, by the times of plans, without reading all of them.

A plan is written after its listing, so a version can only be in a plan that is not older than
itself. Times come from listing a thousand plans at once; the first version of a plan never changes,
so what was listed and read may be cached.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import msgspec

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log
from nhi_evidence.evidence.stored_log import BLOCK, StoredLog
from nhi_evidence.stored import Version

SLACK_MS = 60_000
"""Maximum difference between the store's times of an object and of the plan that holds it."""

_NEAR_MS = 3_600_000
"""A version at most this much younger than a plan is reached plan by plan; otherwise by search."""

_IDENTITIES_KEPT = 200_000
"""Maximum identities of sealed versions kept in memory, some 300 bytes each."""

_BLOCKS_KEPT = 256

Identity = tuple[str, str]
"""Key and version id."""


class Plan(msgspec.Struct, frozen=True):
    """A plan, and when the store received it."""

    shard: str
    epoch: int
    modified: int


class Plans:
    """The plans of one log."""

    def __init__(self, stored: StoredLog) -> None:
        """Read the plans of a log."""
        self._log = stored
        self._times: OrderedDict[tuple[str, int], dict[int, int]] = OrderedDict()
        self._versions: OrderedDict[tuple[str, int], frozenset[Identity]] = OrderedDict()
        self._count = 0

    def unsealed(self, listed: Sequence[Version], head: log.Position) -> list[Version]:
        """Return the versions that no plan up to a position holds, oldest first.

        Raises `LogError` when a plan is missing.
        """
        once = {(version.key, version.id): version for version in listed}
        oldest_first = sorted(
            once.values(), key=lambda version: (version.modified, version.key, version.id)
        )
        shards = self._shards(head) if listed else []
        self._times.pop((head.shard, head.epoch // BLOCK), None)
        at = 0
        while at < len(oldest_first):
            rest: dict[Identity, Version] = {}
            for plan in self._since(shards, oldest_first[at].modified - SLACK_MS):
                while at < len(oldest_first) and (
                    oldest_first[at].modified <= plan.modified + SLACK_MS
                ):
                    rest[oldest_first[at].key, oldest_first[at].id] = oldest_first[at]
                    at += 1
                if rest:
                    for identity in self.versions_in(plan.shard, plan.epoch):
                        rest.pop(identity, None)
                if not rest and self._is_far(oldest_first, at, plan):
                    break
            else:
                return [*rest.values(), *oldest_first[at:]]
        return []

    @staticmethod
    def _is_far(oldest_first: Sequence[Version], at: int, plan: Plan) -> bool:
        return at == len(oldest_first) or oldest_first[at].modified > plan.modified + _NEAR_MS

    def versions_in(self, shard: str, epoch: int) -> frozenset[Identity]:
        """Return the versions a plan holds; none if the plan is void or unfinished."""
        known = self._versions.get((shard, epoch))
        if known is not None:
            return known
        if self._log.checkpoint(shard, epoch) is None:
            return frozenset()
        sealed = log.versions_in(self._log.plan(shard, epoch) or b"")
        self._versions[shard, epoch] = sealed
        self._count += len(sealed)
        while self._count > _IDENTITIES_KEPT:
            _, dropped = self._versions.popitem(last=False)
            self._count -= len(dropped)
        return sealed

    def _shards(self, head: log.Position) -> list[tuple[str, int]]:
        """Return the shards up to a position, oldest first, each with its last epoch."""
        shards = [(head.shard, head.epoch)]
        follows = head.follows
        while follows is not None:
            shards.append((follows.shard, follows.epoch))
            follows = self._log.genesis(follows.shard).follows
        return shards[::-1]

    def _since(self, shards: Sequence[tuple[str, int]], instant: int) -> Iterator[Plan]:
        """Yield the plans that are not older than an instant, oldest first."""
        for shard, last in shards:
            if not last or self._modified(shard, last) < instant:
                continue
            low, high = 0, last
            while high - low > 1:
                middle = (low + high) // 2
                older = self._modified(shard, middle) < instant
                low, high = (middle, high) if older else (low, middle)
            for epoch in range(high, last + 1):
                yield Plan(shard, epoch, self._modified(shard, epoch))

    def _modified(self, shard: str, epoch: int) -> int:
        block = epoch // BLOCK
        times = self._times.get((shard, block), {})
        if epoch not in times:
            times = self._times[shard, block] = self._log.plan_times(shard, block)
            while len(self._times) > _BLOCKS_KEPT:
                self._times.popitem(last=False)
        if epoch not in times:
            version = self._log.plan_version(shard, epoch)
            if version is None:
                raise LogError(f"{log.plan_key(shard, epoch)} is missing")
            return version.modified
        return times[epoch]
