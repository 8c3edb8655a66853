"""A small sealed store of real evidence objects, in three epochs, and ways to look at it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

import msgspec

from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import frame, leaf, log, merkle, note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Options, Policy, Report, State, Verifier
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NAME = "example.org/evidence"
HOUR_MS = 3_600_000
START = 1_768_000_000_000
FILES = 6
PER_EPOCH = 2


class SealedStore:
    """Two files an epoch, three epochs; `now` is an hour after the last."""

    def __init__(self) -> None:
        self.now, self.store = _built()
        self.store._now = lambda: self.now
        self.signer = LocalSigner("log")
        self.key = note.from_spki(NAME, self.signer.public_key())
        self.policy = Policy(
            name=NAME,
            keys=(self.key,),
            retention_ms=DAY_MS,
            grace_ms=DAY_MS,
            seal_delay_ms=HOUR_MS,
        )

    def seal(self) -> None:
        """Run the sealer once, over everything."""
        _seal(self.store, self.now)

    def verify(self, *, since: State | None = None, policy: Policy | None = None) -> Report:
        """Verify all of it, every record."""
        options = Options(deep=True, since=since)
        return Verifier(self.store, policy or self.policy, now=self.now, options=options).run()

    def key_of(self, prefix: str, number: int = 0) -> str:
        """The key of this number under a prefix."""
        return list(self.store.keys(prefix))[number]

    def plan(self, epoch: int) -> str:
        return log.plan_key("2026", epoch)

    def checkpoint(self, epoch: int) -> str:
        return log.checkpoint_key("2026", epoch)

    def entries(self, epoch: int) -> list[bytes]:
        return log.entries_of(self.store.get(self.plan(epoch)))

    def size(self, epoch: int) -> int:
        """Size of the log after an epoch."""
        return sum(len(self.entries(one)) for one in range(1, epoch + 1))

    def roll_back(self) -> list[str]:
        """Remove the newest epoch whole; return the keys that are unsealed then."""
        size = self.size(3)
        sealed = [leaf.decode(entry) for entry in self.entries(3)]
        self.store.remove(self.plan(3))
        self.store.remove(self.checkpoint(3))
        for kind in ("0", "entries"):
            self.store.remove(log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        return [one.key for one in sealed if isinstance(one, leaf.ObjectLeaf)]

    def rewrite(self, key: str, body: bytes) -> None:
        """Replace stored bytes in place, as the owner of the disk could."""
        self.store.first(key).body = body

    def body_of(self, key: str, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
        """The object under a key with its lines changed."""
        lines = frame.unpack(self.store.get(key), limit=1 << 30)
        return frame.pack(change(lines))

    def forge(
        self, key: str, body: bytes, *, lines: list[bytes] | None = None, **metadata: str
    ) -> str:
        """Put an object whose key and record root are right for other bytes; return its key."""
        place = key.rpartition("/")[0]
        forged = f"{place}/{sha256(body).hexdigest()}.ndjson.zst"
        said: dict[str, str] = dict(self.store.first(key).metadata)
        if lines is not None:
            said["record-root"] = merkle.root(map(merkle.leaf_hash, lines)).hex()
        self.store.add(forged, body, {**said, **metadata})
        return forged


@cache
def _build() -> tuple[int, MemoryStore]:
    now = START
    store = MemoryStore(now=lambda: now)
    mapper = Mapper("aws_cloudtrail", scope=Scope.ALL)
    for number, file in enumerate(generate()[:FILES]):
        records = json.loads(gzip.decompress(file.body))["Records"][:3]
        body = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
        lock(mapper, Delivery(f"trail/{number}.json.gz@v1", body), store)
        if number % PER_EPOCH == PER_EPOCH - 1:
            _seal(store, now)
            now += 5 * 60_000
    return now + HOUR_MS, store


def _built() -> tuple[int, MemoryStore]:
    now, store = _build()
    return now, store.copy()


def _seal(store: MemoryStore, now: int) -> None:
    sealer = Sealer(
        store,
        [LocalSigner("log")],
        lambda: now,
        name=NAME,
        lock_policy=LockPolicy(retention_ms=DAY_MS, grace_ms=DAY_MS),
    )
    sealer.run(everything=True)


def header_with(lines: list[bytes], **changes: Any) -> list[bytes]:
    """Lines whose header says something else."""
    header: Mapping[str, Any] = json.loads(lines[0]) | changes
    return [msgspec.json.encode(header), *lines[1:]]
