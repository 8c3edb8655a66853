"""V0 and V1: signatures, the chain of epochs, and the tree they give."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import msgspec

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import log, note
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, decode
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify.findings import Finding
from nhi_evidence.ports import EvidenceVersions

CLOCK_SKEW_MS = 600_000
"""The sealer's clock and the store's may differ by so much."""


class Epoch(msgspec.Struct, frozen=True):
    """One plan that counts: its leaves and where in the log they stand."""

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
    """Where a verification ended; a later one starts here and so sees a fork or a rollback."""

    name: str
    shard: str
    epoch: int
    size: int
    root: str
    at: int
    """The newest plan's time by the store, milliseconds since the epoch."""


class Chain:
    """Walks the log of a store and tells what is wrong with it."""

    def __init__(self, store: EvidenceVersions, name: str, keys: Sequence[note.Key]) -> None:
        """Walk log `name`, trusting `keys` alone."""
        self._log = StoredLog(store, name, keys)
        self._name = name
        self.findings: list[Finding] = []
        self.checkpoints: dict[tuple[str, int], Signed] = {}
        """By shard and epoch, of what was walked."""
        self.whole = True
        """Whether the walk began at the log's beginning."""
        self.head: log.Position | None = None
        self.newest_at = 0
        self._walked: list[tuple[str, int, int]] = []
        self._config: dict[str, str] = {}
        self._last_at = 0

    def walk(self, since: State | None = None) -> Iterator[Epoch]:
        """Yield every epoch that counts, in order; what is wrong goes to `findings`.

        From a saved state, only what came after it; the tree of that state is then rebuilt
        from the tiles and must have the saved root.
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
                self._find("shard_broken", log.plan_key(stray, 1), "no shard goes on in it")
        self.head = position

    def leaves(self) -> Iterator[tuple[int, Leaf]]:
        """Yield the leaves of what was walked once more, each with its index in its shard."""
        for shard, number, first in self._walked:
            entries = log.entries_of(self._log.plan(shard, number) or b"")
            for index, entry in enumerate(entries, start=first):
                yield index, decode(entry)

    def state(self) -> State | None:
        """Return where the walk ended, to be saved."""
        head = self.head
        if head is None or not head.epoch:
            return None
        return State(self._name, head.shard, head.epoch, head.size, head.root.hex(), self.newest_at)

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
        self.newest_at = since.at
        return position

    def _shard(self, position: log.Position) -> Generator[Epoch, None, log.Position]:
        shard = position.shard
        newest = self._log.newest_epoch(shard)
        newest = max(newest, self._stray_epochs(shard, newest))
        while position.epoch < newest:
            number = position.epoch + 1
            body = self._log.plan(shard, number)
            if body is None:
                self._find("plan_missing", log.plan_key(shard, number))
                return position
            step = log.advance(position, body)
            if step.void is not None:
                self._find("plan_void", log.plan_key(shard, number), step.void)
                if position.closed is not None:
                    return position
            else:
                self._check_tiles(shard, step)
                self._check_times(step)
                self._check_checkpoint(step.after, newest)
                self._walked.append((shard, number, position.size))
                yield Epoch(shard, number, position.size, step.leaves)
            position = step.after
        return position

    def _stray_epochs(self, shard: str, newest: int) -> int:
        """Return the last epoch any plan or checkpoint names, past a gap too."""
        last = newest
        for kind in ("plan", "checkpoint"):
            for key in self._log.keys(f"{log.PREFIX}{shard}/{kind}/"):
                number = key.rpartition("/")[2]
                if number.isdigit():
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

    def _check_checkpoint(self, after: log.Position, newest: int) -> None:
        key = log.checkpoint_key(after.shard, after.epoch)
        try:
            stated = self._log.checkpoint(after.shard, after.epoch)
        except LogError as error:
            self._find("checkpoint_invalid", key, str(error))
            return
        if stated is None:
            pending = after.epoch == newest
            self._find("checkpoint_pending" if pending else "checkpoint_missing", key)
        elif stated != after.checkpoint:
            self._find(
                "checkpoint_mismatch",
                key,
                f"signed size {stated.size} root {stated.root.hex()}, "
                f"plans give {after.size} {after.root.hex()}",
            )
        else:
            self.checkpoints[after.shard, after.epoch] = Signed(stated, self._last_at)

    def _check_times(self, step: log.Step) -> None:
        (first,) = (one for one in step.leaves if isinstance(one, EpochLeaf))
        key = log.plan_key(step.after.shard, step.after.epoch)
        version = self._log.plan_version(step.after.shard, step.after.epoch)
        taken = version.modified if version else first.at
        if abs(taken - first.at) > CLOCK_SKEW_MS:
            self._find("clock_skew", key, f"sealer {first.at}, store {taken}")
        if first.at < self._last_at:
            self._find("clock_skew", key, f"{first.at} after {self._last_at}")
        self._last_at = first.at
        self.newest_at = taken
        for name, value in first.config.items():
            if self._config.get(name, value) != value:
                self._find("config_changed", key, name)
        self._config = dict(first.config)

    def _find(self, code: str, key: str, detail: str = "") -> None:
        self.findings.append(Finding(code=code, key=key, detail=detail[:500]))
