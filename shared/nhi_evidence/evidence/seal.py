"""The sealer: lists what is new, commits to it, and signs (docs/evidence-format.md, "Sealing").

Stateless: what was sealed, and how far a listing got, is recorded in the log itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence

import msgspec

from nhi_evidence.evidence import flags, keys, leaf, log, sweep
from nhi_evidence.evidence.epochs import Epochs, Newest, Run
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.plans import Plans
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import Clock, EvidenceLog, Signer
from nhi_evidence.stored import Version

LISTING_MS = 20_000
"""After this long a run lists no more old hours: finding out what is sealed takes longer."""

MAX_LISTED = 200_000
"""Nor does it after this many versions, all of which are kept in memory."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one run of the sealer."""

    origin: str
    """The shard that was extended, `<log name>/<year>`."""
    epoch: int
    """Number of the shard's newest signed epoch."""
    size: int
    """Entries of the shard up to `epoch`."""
    root: str
    """Root hash at `size`, hex."""
    added: int
    """Versions and delete markers sealed by this run."""
    signatures: int
    """Signatures this run requested. Any other use of a key shows in the key store's own count."""
    checkpoints: int
    """Checkpoints this run wrote; fewer than it signed if another run was faster."""
    more: bool
    """Whether something listed, or due for listing, is not sealed yet: run again."""
    flags: dict[str, int]
    """Flags of what was added."""
    sources: dict[str, int]
    """Evidence objects added, by source: neither late ones nor such as never count."""
    mapped: dict[str, int]
    """Records in them that their writer did not reject, by source."""
    rejected: dict[str, int]
    """Records in them that their writer rejected, by source."""
    void: tuple[str, ...]
    """Void plans, and why they are void: an alarm."""


class Sealer:
    """Seals one evidence store. A long-lived instance caches plans, which never change."""

    def __init__(
        self,
        store: EvidenceLog,
        signers: Sequence[Signer],
        clock: Clock,
        *,
        name: str,
        lock_policy: flags.LockPolicy,
        lock_log: bool = False,
        heartbeat_ms: int = sweep.HOUR_MS,
        max_leaves: int = log.MAX_LEAVES,
        max_bytes: int = log.MAX_LEAVES_BYTES,
        at_once: int = sweep.MAX_LISTED_AT_ONCE,
    ) -> None:
        """Seal as log `name` with every one of `signers`.

        `lock_log` locks every key of the log until everything sealed in its year has expired, for a
        store that can (docs/evidence-format.md, "The log"). An idle log gets a checkpoint at least
        every `heartbeat_ms`. A plan takes at most `max_leaves` versions and `max_bytes`, a run at
        most `at_once` entries of one prefix.
        """
        self._store = store
        self._clock = clock
        self._lock_policy = lock_policy
        self._heartbeat_ms = heartbeat_ms
        self._max_leaves = max_leaves
        self._max_bytes = max_bytes
        self._at_once = at_once
        self._signers = LogSigners(name, signers)
        stored = StoredLog(store, name, self._signers.keys)
        kept_ms = lock_policy.kept_ms if lock_log else None
        self._epochs = Epochs(store, stored, self._signers, kept_ms=kept_ms)
        self._plans = Plans(stored)

    def run(self, *, everything: bool = False) -> Sealed:
        """Finish what was left unfinished, then seal what is new; `everything` sweeps every hour.

        Raises `StoreUnavailableError` when the store or the key cannot be used (run again) and
        `LogError` when the log contradicts itself: nothing is signed then.
        """
        run = Run(self._clock())
        now = run.now
        head, newest = self._epochs.open_head(run)
        since = newest.listed if newest else None
        cursors = newest.cursors if newest else {}
        listing = sweep.find(
            self._store,
            now,
            since,
            cursors,
            everything=everything,
            at_once=self._at_once,
            enough=lambda versions: self._clock() - now > LISTING_MS or versions >= MAX_LISTED,
        )
        new = self._unsealed(listing.versions, head)
        chosen, leaves = self._that_fit(fair_share(new, self._max_leaves), listing.versions, now)
        behind = listing.until < now
        moved = listing.cursors != cursors
        is_own = False
        if leaves or behind or moved or self._beats(newest, now):
            is_all = len(new) == len(chosen)
            first = self._epochs.first_leaf(
                head,
                now,
                swept=listing.swept,
                more=not is_all,
                until=listing.until if is_all else since or 0,
                cursors=listing.cursors if is_all else cursors,
            )
            head, is_own = self._commit(head, first, leaves, run)
        own = leaves if is_own else []
        raised = Counter(flag for entry in own for flag in entry.flags)
        sources, mapped, rejected = _new_evidence(own)
        return Sealed(
            origin=head.origin,
            epoch=head.epoch,
            size=head.size,
            root=head.root.hex(),
            added=len(own),
            signatures=run.signatures,
            checkpoints=run.checkpoints,
            more=behind
            or len(new) > (len(chosen) if is_own else 0)
            or (bool(listing.cursors) and bool(leaves)),
            flags=_sorted(raised),
            sources=sources,
            mapped=mapped,
            rejected=rejected,
            void=tuple(run.void),
        )

    def _beats(self, newest: Newest | None, now: int) -> bool:
        """Whether a checkpoint is due although nothing is new, as after a void plan."""
        if newest is None or not newest.is_signed:
            return True
        return now - newest.modified >= self._heartbeat_ms

    def _that_fit(
        self, chosen: list[Version], listed: Sequence[Version], now: int
    ) -> tuple[list[Version], list[leaf.ObjectLeaf | leaf.MarkerLeaf]]:
        """Return as many of the chosen versions as one plan can hold, and their leaves.

        They may be few: writers decide how long their keys and metadata are.
        """
        leaves = self._leaves(chosen, listed, now)
        while len(chosen) > 1 and sum(map(log.bytes_of, leaves)) > self._max_bytes:
            chosen = fair_share(chosen, len(chosen) // 2)
            kept = {(version.key, version.id) for version in chosen}
            leaves = [entry for entry in leaves if (entry.key, entry.vid) in kept]
        return chosen, leaves

    def _leaves(
        self, chosen: Sequence[Version], listed: Sequence[Version], now: int
    ) -> list[leaf.ObjectLeaf | leaf.MarkerLeaf]:
        lock_ends = self._lock_ends({version.key for version in chosen if version.marker}, listed)
        described = zip(chosen, self._store.describe(chosen), strict=True)
        leaves = (
            flags.marker_leaf(version, lock_ends.get(version.key, ()), self._lock_policy, now)
            if version.marker
            else flags.object_leaf(version, description, self._lock_policy, now)
            for version, description in described
        )
        return [
            entry if log.fits(entry) else flags.bare_leaf(entry)
            for entry in leaves
            if entry is not None
        ]

    def _lock_ends(
        self, marked: Container[str], listed: Sequence[Version]
    ) -> dict[str, list[int | None]]:
        """Return the ends of the locks of what still exists under keys with delete markers."""
        versions = [version for version in listed if version.key in marked and not version.marker]
        ends: dict[str, list[int | None]] = {}
        for version, description in zip(versions, self._store.describe(versions), strict=True):
            if description is not None:
                ends.setdefault(version.key, []).append(description.retain_until)
        return ends

    def _unsealed(self, listed: Sequence[Version], head: log.Position) -> list[Version]:
        return self._plans.unsealed(listed, head)

    def _commit(
        self,
        head: log.Position,
        first: leaf.EpochLeaf,
        leaves: Sequence[leaf.Leaf],
        run: Run,
    ) -> tuple[log.Position, bool]:
        return self._epochs.commit(head, first, leaves, run)


_NOT_NEW = frozenset({flags.KEY_HASH, flags.LATE, flags.SHADOW, flags.UNDESCRIBED})
"""Flags of what does not show that a source is alive: backfills, later versions, other bytes."""


def _new_evidence(
    leaves: Iterable[leaf.ObjectLeaf | leaf.MarkerLeaf],
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Count the new evidence objects, and their mapped and rejected records, each by source.

    The numbers of records are those that the writers state.
    """
    objects, mapped, rejected = Counter[str](), Counter[str](), Counter[str]()
    for entry in leaves:
        if isinstance(entry, leaf.ObjectLeaf) and not _NOT_NEW & {*entry.flags}:
            named = keys.parse_key(entry.key)
            if named.kind == "ev":
                stated = _stated(entry, "rejected")
                objects[named.source] += 1
                mapped[named.source] += max(0, _stated(entry, "records") - stated)
                rejected[named.source] += stated
    return _sorted(objects), _sorted(mapped), _sorted(rejected)


def _sorted(counted: Counter[str]) -> dict[str, int]:
    return dict(sorted(counted.items()))


def _stated(entry: leaf.ObjectLeaf, name: str) -> int:
    """Return a number in an object's metadata; 0 if there is none, or none of an object."""
    text = entry.md.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else 0


_MOST_DIGITS = 9
"""Digits of a number of records: more records than any object holds."""


def fair_share(versions: Sequence[Version], limit: int) -> list[Version]:
    """Return at most `limit` versions, an even share of each source, in the given order.

    The part of its share that a source does not need goes to the others.
    """
    if len(versions) <= limit:
        return list(versions)
    by_source: dict[str, list[int]] = {}
    for number, version in enumerate(versions):
        by_source.setdefault("/".join(version.key.split("/", 3)[:3]), []).append(number)
    chosen: list[int] = []
    left = len(by_source)
    for numbers in sorted(by_source.values(), key=len):
        chosen += numbers[: (limit - len(chosen)) // left]
        left -= 1
    return [versions[number] for number in sorted(chosen)]
