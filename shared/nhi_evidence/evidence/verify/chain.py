"""V0 and V1: signatures, the chain of epochs, and the tree built from them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import msgspec

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log, note
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import earlier
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.ports import EvidenceVersions

CLOCK_SKEW_MS = 600_000
"""How far the sealer's clock and the store's may differ."""


class Epoch(msgspec.Struct, frozen=True):
    """A plan that counts: its leaves and their place in the log."""

    shard: str
    number: int
    first: int
    """Index of its first leaf in the shard."""
    leaves: Sequence[Leaf]


class Signed(msgspec.Struct, frozen=True):
    """A checkpoint that verified."""

    stated: Checkpoint
    at: int
    """The sealer's clock, milliseconds since the epoch."""


class State(msgspec.Struct, frozen=True):
    """Where a verification ended. A later one resumes here, and so detects forks and rollbacks."""

    name: str
    shard: str
    epoch: int
    """Newest signed epoch."""
    size: int
    root: str
    at: int
    """When the store took that epoch's plan, milliseconds since the epoch."""
    findings: tuple[Finding, ...] = ()
    """Findings so far, except momentary ones; a later verification repeats them."""
    waiting: tuple[tuple[str, str], ...] = ()
    """Key and version id of versions not sealed yet; a later verification looks for them."""


class Chain:
    """Walks the log of a store and records what is wrong with it."""

    def __init__(
        self,
        store: EvidenceVersions,
        name: str,
        keys: Sequence[note.Key],
        *,
        now: int,
        seal_delay_ms: int,
    ) -> None:
        """Walk log `name`, trusting only `keys`; epochs must be signed within `seal_delay_ms`."""
        self._log = StoredLog(store, name, keys)
        self._name = name
        self._now = now
        self._seal_delay_ms = seal_delay_ms
        self.findings: list[Finding] = []
        self.checkpoints: dict[tuple[str, int], Signed] = {}
        """Valid checkpoints met on the walk, by shard and epoch."""
        self.whole = True
        """Whether the walk started at the beginning of the log."""
        self.head: log.Position | None = None
        """Position after the last plan that could be followed, signed or not."""
        self.signed_head: log.Position | None = None
        """Position after the newest plan that a valid checkpoint covers."""
        self.signed_at: int | None = None
        """When that plan was made, by the sealer's clock or the store's, whichever is earlier."""
        self.began_at: int | None = None
        """The sealer's clock at the first plan of the log; None if unknown."""
        self._signed_plan_at = 0
        self._unsigned: list[tuple[Epoch, log.Position]] = []
        self._config: dict[str, str] = {}
        self._last_at = 0

    def walk(self, since: State | None = None) -> Iterator[Epoch]:
        """Yield, in order, every epoch that a valid checkpoint covers; collect `findings`.

        Given a saved state, yields only the epochs after it; the state's tree is rebuilt from the
        tiles and must have the saved root. Epochs that no valid checkpoint covers are not yielded.
        """
        first = self._log.first_shard()
        if first is None:
            self._find("log_missing", log.GENESIS, self._name)
            return
        position = self._log.start(first)
        self.whole = since is None
        if since is not None:
            resumed = self._resume(since)
            if resumed is None:
                return
            position = resumed
        position = yield from self._shard(position)
        while position.closed is not None:
            position = yield from self._shard(self._log.start(position.closed, position.as_closed))
        for stray in self._log.shards():
            if stray > position.shard or stray < first:
                self._find("shard_broken", log.plan_key(stray, 1), "not in the chain of shards")
        self.head = position
        if self.signed_head is None:
            self._find("log_unsigned", log.checkpoint_key(position.shard, position.epoch))

    def state(self) -> State | None:
        """Return where the walk ended, to be saved, or None if nothing was signed.

        The caller fills in findings and waiting versions.
        """
        head = self.signed_head
        if head is None:
            return None
        return State(
            self._name, head.shard, head.epoch, head.size, head.root.hex(), self._signed_plan_at
        )

    def _resume(self, since: State) -> log.Position | None:
        where = log.checkpoint_key(since.shard, since.epoch)
        newest = self._log.newest_epoch(since.shard)
        if since.name != self._name or newest < since.epoch:
            self._find("rolled_back", where, f"verified to epoch {since.epoch}, now {newest}")
            return None
        try:
            position = self._log.position(self._log.genesis(since.shard), since.epoch)
        except LogError as error:
            self._find("checkpoint_invalid", where, str(error))
            return None
        if (position.size, position.root.hex()) != (since.size, since.root):
            self._find(
                "split_view",
                where,
                f"verified size {since.size} root {since.root}, "
                f"now size {position.size} root {position.root.hex()}",
            )
            return None
        self.signed_head, self._signed_plan_at = position, since.at
        self._resume_clock(position, since.at)
        return position

    def _resume_clock(self, position: log.Position, taken: int) -> None:
        """Restore clock and settings from the state's epoch leaf, proven against its tree."""
        shard, tree = position.shard, position.checkpoint
        newest = earlier.epoch_leaf(self._log, tree, shard=shard, epoch=position.epoch)
        if newest is None:
            where = log.plan_key(shard, position.epoch)
            self._find("plan_void", where, "not the plan that was verified before")
            return
        self.signed_at = min(newest.at, taken)
        self._last_at, self._config = newest.at, dict(newest.config)
        self.checkpoints[shard, position.epoch] = Signed(tree, newest.at)
        first = earlier.epoch_leaf(self._log, tree, shard=shard, epoch=1)
        if first is not None and first.opens is None:
            self.began_at = first.at

    def earlier_checkpoint(self, shard: str, epoch: int, stated: Checkpoint) -> Signed | None:
        """Return a checkpoint from before the saved state, if the log extends it; else None."""
        head = self.signed_head
        if self.whole or head is None or (shard, epoch) >= (head.shard, head.epoch):
            return None
        if shard != head.shard or not earlier.is_part(
            self._log, head.checkpoint, shard=shard, older=stated
        ):
            return None
        entry = earlier.epoch_leaf(self._log, head.checkpoint, shard=shard, epoch=epoch)
        return None if entry is None else Signed(stated, entry.at)

    def _shard(self, position: log.Position) -> Generator[Epoch, None, log.Position]:
        shard = position.shard
        newest = self._log.newest_epoch(shard)
        if self.whole:
            newest = max(newest, self._stray_epochs(shard, newest))
        while position.epoch < newest:
            number = position.epoch + 1
            body = self._log.plan(shard, number)
            if body is None:
                self._find("plan_missing", log.plan_key(shard, number))
                break
            step = log.advance(position, body)
            if step.void is not None:
                self._find("plan_void", log.plan_key(shard, number), step.void)
                if position.closed is not None:
                    break
            else:
                yield from self._followed(shard, position, step, newest)
            position = step.after
            # Up to MAX_LEAVES leaves: release them before the next plan's are read.
            del step, body
        self._give_up_unsigned(shard, closed=position.closed is not None)
        return position

    def _followed(
        self, shard: str, before: log.Position, step: log.Step, newest: int
    ) -> Iterator[Epoch]:
        """Check a plan that counts; yield the epochs that a valid checkpoint now covers."""
        self._check_tiles(shard, step)
        taken = self._check_times(step)
        epoch = Epoch(shard, step.after.epoch, before.size, step.leaves)
        self._unsigned.append((epoch, step.after))
        if not self._check_checkpoint(step.after, newest, taken):
            return
        self.signed_head, self.signed_at = step.after, min(self._last_at, taken)
        self._signed_plan_at = taken
        covered, self._unsigned = self._unsigned, []
        for signed, _ in covered:
            yield signed

    def _give_up_unsigned(self, shard: str, *, closed: bool) -> None:
        """Drop the epochs of a shard that no valid checkpoint covers; overdue if it is closed."""
        if closed and self._unsigned:
            number = self._unsigned[-1][0].number
            self._find(
                "checkpoint_overdue", log.checkpoint_key(shard, number), "the shard was closed"
            )
        self._unsigned = []

    def _stray_epochs(self, shard: str, newest: int) -> int:
        """Return the last epoch named by any plan or checkpoint, even beyond a gap."""
        last = newest
        for kind in ("plan", "checkpoint"):
            for key in self._log.keys(f"{log.PREFIX}{shard}/{kind}/"):
                number = key.rpartition("/")[2]
                if number.isascii() and number.isdigit():
                    last = max(last, int(number))
        return last

    def _check_tiles(self, shard: str, step: log.Step) -> None:
        for path, expected in step.objects.items():
            key = log.tile_key(shard, path)
            there = self._log.get(key)
            if there is None:
                self._find("tile_missing", key)
            elif there != expected:
                self._find("tile_altered", key)

    def _check_checkpoint(self, after: log.Position, newest: int, taken: int) -> bool:
        """Whether a plan's checkpoint exists, is signed, and states the plan's tree."""
        key = log.checkpoint_key(after.shard, after.epoch)
        try:
            checkpoint = self._log.checkpoint(after.shard, after.epoch)
        except LogError as error:
            self._find("checkpoint_invalid", key, str(error))
            return False
        if checkpoint is None:
            age = self._now - taken
            if after.epoch < newest:
                self._find("checkpoint_missing", key)
            elif age > self._seal_delay_ms:
                self._find("checkpoint_overdue", key, f"its plan is {age // 1000} s old")
            else:
                self._find("checkpoint_pending", key)
            return False
        if checkpoint != after.checkpoint:
            self._find(
                "checkpoint_mismatch",
                key,
                f"signed size {checkpoint.size} root {checkpoint.root.hex()}, "
                f"plans give {after.size} {after.root.hex()}",
            )
            return False
        self.checkpoints[after.shard, after.epoch] = Signed(checkpoint, self._last_at)
        return True

    def _check_times(self, step: log.Step) -> int:
        """Compare the clocks; return when the store took the plan."""
        (first,) = (leaf for leaf in step.leaves if isinstance(leaf, EpochLeaf))
        key = log.plan_key(step.after.shard, step.after.epoch)
        version = self._log.plan_version(step.after.shard, step.after.epoch)
        taken = version.modified if version else first.at
        if abs(taken - first.at) > CLOCK_SKEW_MS:
            self._find("clock_skew", key, f"sealer {first.at}, store {taken}")
        if self.whole and self.began_at is None:
            self.began_at = first.at
        if first.at < self._last_at:
            self._find("clock_skew", key, f"{first.at} after {self._last_at}")
        self._last_at = first.at
        for name, value in first.config.items():
            if self._config.get(name, value) != value:
                self._find("config_changed", key, name)
        self._config = dict(first.config)
        return taken

    def _find(self, code: str, key: str, detail: str = "") -> None:
        self.findings.append(Finding(code=code, key=key, detail=detail[:500]))
