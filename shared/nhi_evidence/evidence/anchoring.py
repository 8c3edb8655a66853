"""Anchoring: show the newest checkpoint to outside parties, and store their answers.

Anchors have their own schedule; sealing never waits for them. A later anchor covers every earlier
epoch of its shard.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nhi_evidence.errors import LogError, SettingsError, StoreUnavailableError, WitnessError
from nhi_evidence.evidence import anchor, checkpoint, log, merkle, note, tiles
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.ports import CheckpointCopy, EvidenceLog, Witness


class Anchored(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one run of anchoring."""

    origin: str
    """The shard of the checkpoint, `<log name>/<year>`."""
    epoch: int
    """Number of the epoch that the checkpoint signs."""
    size: int
    """Entries of the shard that the checkpoint covers."""
    made: tuple[str, ...]
    """Names that anchored this checkpoint in this run."""
    there: tuple[str, ...]
    """Names that had anchored it before."""
    failed: dict[str, str]
    """Names that failed to, and why; the next run asks each again."""


class Anchoring:
    """Anchors the log of one store."""

    def __init__(
        self,
        store: EvidenceLog,
        name: str,
        keys: Sequence[note.Key],
        *,
        witnesses: Sequence[Witness] = (),
        copies: Sequence[CheckpointCopy] = (),
        kept_ms: int | None = None,
        now: int = 0,
    ) -> None:
        """Show checkpoints signed by `keys` to `witnesses`, and copy them to `copies`.

        Anchors are locked like the log, until `kept_ms` after the end of the shard's year and at
        least that long after `now` (`log.lock_end`); without it, as long as the store locks
        everything. A copy is subject to the rules of whoever holds it. Raises `SettingsError` for
        two witnesses of one name: the second's attestation would pass for there already.
        """
        names = [anchor.file_name(one.name, one.form) for one in witnesses]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SettingsError(f"{', '.join(twice)}: named twice; an anchor is kept by its name")
        self._kept_ms = kept_ms
        self._now = now
        self._store = store
        self._keys = tuple(keys)
        self._log = StoredLog(store, name, keys)
        self._witnesses = tuple(witnesses)
        self._copies = tuple(copies)

    def run(self) -> Anchored | None:
        """Anchor the newest signed epoch; None when nothing is signed yet.

        If one name does not answer, the others are still asked. Raises `LogError` when a copy
        elsewhere has a different checkpoint: that is a fork.
        """
        newest = self._newest()
        if newest is None:
            return None
        shard, epoch, signed, newest_checkpoint = newest
        anchored, already_there, failed = [], [], {}
        for witness in self._witnesses:
            key = log.anchor_key(shard, epoch, anchor.file_name(witness.name, witness.form))
            if self._log.get(key) is not None:
                already_there.append(witness.name)
                continue
            try:
                attestation = witness.attest(
                    signed, lambda old: self._path(shard, old, newest_checkpoint.size)
                )
                until = (
                    None if self._kept_ms is None else log.lock_end(shard, self._now, self._kept_ms)
                )
                self._store.put_new(key, attestation, metadata={}, retain_until=until)
                anchored.append(witness.name)
            except (WitnessError, StoreUnavailableError) as error:
                failed[witness.name] = str(error)
        for copy in self._copies:
            try:
                (anchored if self._copy(copy, shard, epoch, signed) else already_there).append(
                    copy.name
                )
            except StoreUnavailableError as error:
                failed[copy.name] = str(error)
        return Anchored(
            origin=newest_checkpoint.origin,
            epoch=epoch,
            size=newest_checkpoint.size,
            made=tuple(anchored),
            there=tuple(already_there),
            failed=failed,
        )

    def _newest(self) -> tuple[str, int, bytes, checkpoint.Checkpoint] | None:
        for shard in reversed(self._log.shards()):
            epoch = self._log.newest_signed(shard)
            signed = self._log.get(log.checkpoint_key(shard, epoch)) if epoch else None
            newest_checkpoint = self._log.checkpoint(shard, epoch) if epoch else None
            if signed is not None and newest_checkpoint is not None:
                return shard, epoch, signed, newest_checkpoint
        return None

    def _copy(self, copy: CheckpointCopy, shard: str, epoch: int, signed: bytes) -> bool:
        key = log.checkpoint_key(shard, epoch)
        if copy.put_new(key, signed, metadata={}).created:
            return True
        there = copy.get(key)
        if there != signed:
            raise LogError(f"{copy.name} holds a different {key} than the log")
        return False

    def _path(self, shard: str, old: int, size: int) -> list[bytes]:
        def read(path: str) -> bytes:
            return self._log.tile(shard, path)

        try:
            return merkle.consistency_path(old, size, tiles.subtree_of(size, read))
        except (KeyError, ValueError) as error:
            raise LogError(f"shard {shard} from size {old} to {size}: {error}") from error
