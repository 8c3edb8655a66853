"""The sealer: lists what is new, commits to it, and signs (docs/evidence-format.md, "Sealing").

Stateless. The plan is the commit point: plan, tiles, signature, checkpoint, in this order, so that
any later run finishes what another one left, and two at once cannot sign two histories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from nhi_evidence.errors import LogError, StoreUnavailableError
from nhi_evidence.evidence import flags, keys, leaf, log, note, sweep
from nhi_evidence.evidence.plans import Plans
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import Clock, EvidenceLog, Signer
from nhi_evidence.stored import Version

_YEAR_DIGITS = 4

LISTING_MS = 20_000
"""After so long a run lists no more old hours: reading which of it is sealed takes longer."""

MAX_LISTED = 200_000
"""Nor after so many versions, which are held in memory."""

UNREADABLE = "unreadable: "
"""Opens the value of a setting that could not be read, in place of its hash."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of the sealer came to."""

    origin: str
    epoch: int
    size: int
    root: str
    added: int
    """Versions and delete markers sealed by this run."""
    signatures: int
    """Signatures this run asked for. Whoever else uses a key shows in the key store's own count."""
    checkpoints: int
    """Checkpoints this run put; less than it signed for when another run was faster."""
    more: bool
    """Something found is not sealed yet; run again."""
    flags: dict[str, int]
    """Of what was added."""
    void: tuple[str, ...]
    """Plans found to count for nobody, and why: an alarm."""


class _Newest(msgspec.Struct, frozen=True):
    modified: int
    listed: int | None
    """When the listing began of which nothing was left for a later run."""


class Sealer:
    """Seals one evidence store. A long-lived one remembers plans, which never change."""

    def __init__(
        self,
        store: EvidenceLog,
        signers: Sequence[Signer],
        clock: Clock,
        *,
        name: str,
        lock_policy: flags.LockPolicy,
        heartbeat_ms: int = sweep.HOUR_MS,
        max_leaves: int = log.MAX_LEAVES,
    ) -> None:
        """Seal as log `name` with every one of `signers`.

        An idle log gets a checkpoint at least every `heartbeat_ms`.
        """
        self._store = store
        self._signers = tuple(signers)
        self._keys = tuple(note.from_spki(name, one.public_key()) for one in signers)
        self._log = StoredLog(store, name, self._keys)
        self._clock = clock
        self._lock_policy = lock_policy
        self._heartbeat_ms = heartbeat_ms
        self._max_leaves = max_leaves
        self._void: list[str] = []
        self._signed = 0
        self._put_checkpoints = 0
        self._plans = Plans(self._log)

    def run(self, *, everything: bool = False) -> Sealed:
        """Finish what was left, then seal what is new; `everything` sweeps every hour.

        Raises `StoreUnavailableError` when the store or the key cannot be used (run again) and
        `LogError` when the log contradicts itself: nothing is signed then.
        """
        self._void = []
        self._signed = self._put_checkpoints = 0
        now = self._clock()
        head, newest = self._open_head(now)
        last = newest.modified if newest else None
        since = newest.listed if newest else None
        listing = sweep.find(
            self._store,
            now,
            since,
            everything=everything,
            enough=lambda versions: self._clock() - now > LISTING_MS or versions >= MAX_LISTED,
        )
        new = self._unsealed(listing.versions, head)
        chosen = new[: self._max_leaves]
        described = zip(chosen, self._store.describe(chosen), strict=True)
        leaves = [
            one
            for version, description in described
            if (one := flags.describe(version, description, self._lock_policy, now))
        ]
        ours = False
        behind = listing.until < now
        if leaves or behind or last is None or now - last >= self._heartbeat_ms:
            first = self._first_leaf(
                head,
                now,
                swept=listing.swept,
                more=len(new) > len(chosen),
                until=listing.until if len(new) == len(chosen) else since or 0,
            )
            head, ours = self._commit(head, first, leaves)
        raised = Counter(flag for one in leaves for flag in one.flags) if ours else {}
        return Sealed(
            origin=head.origin,
            epoch=head.epoch,
            size=head.size,
            root=head.root.hex(),
            added=len(leaves) if ours else 0,
            signatures=self._signed,
            checkpoints=self._put_checkpoints,
            more=behind or len(new) > (len(chosen) if ours else 0),
            flags=dict(sorted(raised.items())),
            void=tuple(self._void),
        )

    def _open_head(self, now: int) -> tuple[log.Position, _Newest | None]:
        """Return the position the next plan follows, past the turn of a year, and its plan."""
        year = keys.hour_of(now)[:_YEAR_DIGITS]
        head = self._finish_all(self._newest_shard(year))
        newest = self._newest(head)
        if year > head.shard and head.epoch and head.closed is None:
            head, _ = self._commit(head, self._first_leaf(head, now, closes=year), [])
        while head.closed is not None:
            head = self._finish_all(self._log.start(head.closed, head.as_closed))
            newest = self._newest(head) or newest
        return head, newest

    def _newest_shard(self, year: str) -> log.Position:
        """Return the newest shard before its first plan; of no log, the one it begins with."""
        shards = self._log.shards()
        if shards:
            return self._log.genesis(shards[-1])
        self._store.put_new(log.GENESIS, year.encode(), metadata={})
        first = self._log.first_shard()
        if first is None:
            raise StoreUnavailableError(f"{log.GENESIS} cannot be read yet")
        return self._log.genesis(first)

    def _newest(self, head: log.Position) -> _Newest | None:
        version = self._log.plan_version(head.shard, head.epoch) if head.epoch else None
        if version is None:
            return None
        return _Newest(version.modified, self._listed(head, version))

    def _listed(self, head: log.Position, version: Version) -> int | None:
        """Return when all that was due had been listed and sealed; None where it never was."""
        newest: Version | None = version
        for epoch in range(head.epoch, 0, -1):
            first = log.first_leaf(self._log.plan(head.shard, epoch) or b"")
            says = first is not None and (first.until is not None or not first.more)
            if first is None or not says or first.closes is not None:
                newest = None
                continue
            if self._log.checkpoint(head.shard, epoch) is not None:
                newest = newest or self._log.plan_version(head.shard, epoch)
                until = first.at if first.until is None else first.until
                return min(until, newest.modified) if newest else None
            newest = None
        return None

    def _finish_all(self, genesis: log.Position) -> log.Position:
        """Finish every epoch that has a plan; return the position after the last."""
        signed = self._log.newest_signed(genesis.shard)
        position = self._log.position(genesis, signed) if signed else genesis
        while position.closed is None:
            body = self._log.plan(genesis.shard, position.epoch + 1)
            if body is None:
                break
            position = self._finish(position, body)
        return position

    def _finish(self, before: log.Position, body: bytes) -> log.Position:
        """Write tiles, sign, write the checkpoint of a plan that is committed."""
        step = log.advance(before, body)
        after = step.after
        if step.void is not None:
            self._void.append(f"{after.origin} epoch {after.epoch}: {step.void}")
            return after
        for path, data in step.objects.items():
            self._put(log.tile_key(after.shard, path), data)
        signed_before = self._log.checkpoint(after.shard, after.epoch)
        if signed_before is None:
            text = after.checkpoint.text
            signatures = [
                (key.named(after.origin), self._sign(signer, text))
                for key, signer in zip(self._keys, self._signers, strict=True)
            ]
            signed = note.write(text, signatures)
            key = log.checkpoint_key(after.shard, after.epoch)
            if self._store.put_new(key, signed, metadata={}).created:
                self._put_checkpoints += 1
                return after
            signed_before = self._log.checkpoint(after.shard, after.epoch)
        if signed_before != after.checkpoint:
            raise LogError(
                f"checkpoint {after.epoch} of {after.origin} states {signed_before}, "
                f"its plans give {after.checkpoint}"
            )
        return after

    def _sign(self, signer: Signer, text: str) -> bytes:
        self._signed += 1
        return signer.sign(text.encode())

    def _put(self, key: str, body: bytes) -> None:
        """Write a key of the log; the same bytes may be there, other bytes may not."""
        if not self._store.put_new(key, body, metadata={}).created and self._log.get(key) != body:
            raise LogError(f"{key} holds other bytes than the plans give")

    def _first_leaf(
        self,
        head: log.Position,
        now: int,
        *,
        swept: Mapping[str, leaf.Sweep] | None = None,
        more: bool = False,
        closes: str | None = None,
        until: int | None = None,
    ) -> leaf.EpochLeaf:
        config = {
            name: value if value.startswith(UNREADABLE) else sha256(value.encode()).hexdigest()
            for name, value in self._configuration()
        }
        return log.epoch_leaf(
            head,
            at=now,
            swept=swept or {},
            config=config,
            more=more,
            closes=closes,
            until=until if until != now else None,
        )

    def _configuration(self) -> Iterator[tuple[str, str]]:
        yield from self._store.configuration().items()
        for key, signer in zip(self._keys, self._signers, strict=True):
            for name, value in signer.configuration().items():
                yield f"key/{key.id.hex()}/{name}", value

    def _commit(
        self, head: log.Position, first: leaf.EpochLeaf, leaves: Sequence[leaf.Leaf]
    ) -> tuple[log.Position, bool]:
        """Put the next plan, or take the one that is there, and finish it.

        What counts is read back: on a key that was given a delete marker a create-only write
        succeeds, and still is not the first version. Returns the position after the plan, and
        whether it is this run's.
        """
        body = log.write_plan([leaf.encode(one) for one in (first, *leaves)])
        key = log.plan_key(head.shard, head.epoch + 1)
        self._store.put_new(key, body, metadata={})
        there = self._log.get(key)
        if there is None:
            raise StoreUnavailableError(f"{key} is there and cannot be read yet")
        return self._finish(head, there), there == body

    def _unsealed(self, listed: Sequence[Version], head: log.Position) -> list[Version]:
        return self._plans.unsealed(listed, head)
