"""Epochs of a log: a plan commits one; tiles, signatures and a checkpoint finish it.

Nothing is signed before its plan is committed, so that any later run can finish what an earlier one
left behind, and two concurrent runs cannot sign two histories
(docs/decisions/0011-commit-before-sign.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from nhi_evidence.errors import LogError, StoreUnavailableError
from nhi_evidence.evidence import keys, leaf, log
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import EvidenceLog
from nhi_evidence.stored import Version

_YEAR_DIGITS = 4


class Run(msgspec.Struct):
    """A run of the sealer: when it began, and what it has done to the log so far."""

    now: int
    """Milliseconds since the epoch, UTC."""
    signatures: int = 0
    """Signatures requested: one per key and checkpoint."""
    checkpoints: int = 0
    """Checkpoints written by this run."""
    void: list[str] = []
    """Void plans, and why they are void."""


class Newest(msgspec.Struct, frozen=True):
    """The newest plan of a log."""

    modified: int
    """When the store received it, milliseconds since the epoch."""
    is_signed: bool
    """Whether its epoch has a checkpoint; a void plan has none."""
    listed: int | None = None
    """Everything due for listing by then is sealed; None if nothing is known to be."""
    cursors: Mapping[str, leaf.Cursor] = {}
    """Where listings that were unfinished then resume."""


class Epochs:
    """Opens and finishes the epochs of one log."""

    def __init__(
        self,
        store: EvidenceLog,
        stored: StoredLog,
        signers: LogSigners,
        *,
        kept_ms: int | None = None,
    ) -> None:
        """Write to `store`, while `stored` reads the log.

        Every key of the log is locked until `kept_ms` after the end of its shard's year
        (`lock_end`); without it, for as long as the store locks everything.
        """
        self._kept_ms = kept_ms
        self._store = store
        self._log = stored
        self._signers = signers

    def open_head(self, run: Run) -> tuple[log.Position, Newest | None]:
        """Finish every epoch that has a plan, across years.

        Returns the position that the next plan follows, and the newest plan. Raises `LogError`
        when the log contradicts itself.
        """
        year = keys.hour_of(run.now)[:_YEAR_DIGITS]
        head = self._finish_all(self._newest_shard(year, run), run)
        newest = self.newest(head)
        if year > head.shard and head.epoch and head.closed is None:
            head, _ = self.commit(head, self.first_leaf(head, run.now, closes=year), [], run)
        while head.closed is not None:
            head = self._finish_all(self._log.start(head.closed, head.as_closed), run)
            newest = self.newest(head) or newest
        return head, newest

    def newest(self, head: log.Position) -> Newest | None:
        """Return the plan at a position; None before the first plan of a shard."""
        version = self._log.plan_version(head.shard, head.epoch) if head.epoch else None
        if version is None:
            return None
        is_signed = self._log.checkpoint(head.shard, head.epoch) is not None
        return Newest(version.modified, is_signed, *self._listed(head, version))

    def first_leaf(
        self,
        head: log.Position,
        now: int,
        *,
        swept: Mapping[str, leaf.Sweep] | None = None,
        more: bool = False,
        closes: str | None = None,
        until: int | None = None,
        cursors: Mapping[str, leaf.Cursor] | None = None,
    ) -> leaf.EpochLeaf:
        """Return the epoch leaf that follows a position, with the settings of store and keys."""
        configuration = {**self._store.configuration(), **dict(self._signers.configuration())}
        return log.epoch_leaf(
            head,
            at=now,
            swept=swept or {},
            config={name: leaf.setting(value) for name, value in configuration.items()},
            more=more,
            closes=closes,
            until=until if until != now else None,
            cursors=cursors,
        )

    def commit(
        self,
        head: log.Position,
        first: leaf.EpochLeaf,
        leaves: Sequence[leaf.Leaf],
        run: Run,
    ) -> tuple[log.Position, bool]:
        """Put the next plan, or take the existing one, and finish it.

        A plan that would be void is not put but raises `LogError`: a void plan is permanent, and
        raises an alarm.

        The plan that counts is read back: on a key with a delete marker, a create-only write
        succeeds although it is not the first version. Returns the position after the plan, and
        whether it is the plan given here.
        """
        body = log.write_plan([leaf.encode(entry) for entry in (first, *leaves)])
        void = log.advance(head, body).void
        if void is not None:
            raise LogError(
                f"not committed, because it would be void: epoch {head.epoch + 1}: {void}"
            )
        key = log.plan_key(head.shard, head.epoch + 1)
        self._put_new(head.shard, key, body, run)
        stored = self._log.get(key)
        if stored is None:
            raise StoreUnavailableError(f"{key} exists but cannot be read yet")
        return self._finish(head, stored, run), stored == body

    def _newest_shard(self, year: str, run: Run) -> log.Position:
        """Return the position before the newest shard's first plan; start the log if needed."""
        shards = self._log.shards()
        if shards:
            return self._log.genesis(shards[-1])
        self._put_new(year, log.GENESIS, year.encode(), run)
        first = self._log.first_shard()
        if first is None:
            raise StoreUnavailableError(f"{log.GENESIS} cannot be read yet")
        return self._log.genesis(first)

    def _listed(
        self, head: log.Position, version: Version
    ) -> tuple[int | None, Mapping[str, leaf.Cursor]]:
        """Return until when everything due has been listed and sealed, and the cursors of then.

        None and no cursors if that was never so.
        """
        newest: Version | None = version
        for epoch in range(head.epoch, 0, -1):
            first = log.first_leaf(self._log.plan(head.shard, epoch) or b"")
            says = first is not None and (first.until is not None or not first.more)
            if first is None or not says or first.closes is not None:
                newest = None
                continue
            if self._log.checkpoint(head.shard, epoch) is not None:
                newest = newest or self._log.plan_version(head.shard, epoch)
                if newest is None:
                    return None, {}
                until = first.at if first.until is None else first.until
                return min(until, newest.modified), first.cursors
            newest = None
        return None, {}

    def _finish_all(self, genesis: log.Position, run: Run) -> log.Position:
        """Finish every epoch of a shard that has a plan; return the position after the last."""
        signed = self._log.newest_signed(genesis.shard)
        position = self._log.position(genesis, signed) if signed else genesis
        while position.closed is None:
            body = self._log.plan(genesis.shard, position.epoch + 1)
            if body is None:
                break
            position = self._finish(position, body, run)
        return position

    def _finish(self, before: log.Position, body: bytes, run: Run) -> log.Position:
        """Write the tiles of a committed plan, sign, and write the checkpoint."""
        step = log.advance(before, body)
        after = step.after
        if step.void is not None:
            run.void.append(f"{after.origin} epoch {after.epoch}: {step.void}")
            return after
        for path, data in step.objects.items():
            self._put_tile(after.shard, path, data, run)
        checkpoint = self._log.checkpoint(after.shard, after.epoch)
        if checkpoint is None:
            run.signatures += len(self._signers.keys)
            signed = self._signers.sign(after.checkpoint, step.at)
            key = log.checkpoint_key(after.shard, after.epoch)
            if self._put_new(after.shard, key, signed, run):
                run.checkpoints += 1
                return after
            checkpoint = self._log.checkpoint(after.shard, after.epoch)
        if checkpoint != after.checkpoint:
            raise LogError(
                f"checkpoint {after.epoch} of {after.origin} states {checkpoint}, "
                f"its plans give {after.checkpoint}"
            )
        return after

    def _put_tile(self, shard: str, path: str, body: bytes, run: Run) -> None:
        """Write a tile; the same bytes may already exist, different bytes may not."""
        key = log.tile_key(shard, path)
        if not self._put_new(shard, key, body, run) and self._log.get(key) != body:
            raise LogError(f"{key} holds different bytes than the plans give")

    def _put_new(self, shard: str, key: str, body: bytes, run: Run) -> bool:
        """Write a key of a shard unless it exists; return whether this call did."""
        until = None if self._kept_ms is None else log.lock_end(shard, run.now, self._kept_ms)
        return self._store.put_new(key, body, metadata={}, retain_until=until).created
