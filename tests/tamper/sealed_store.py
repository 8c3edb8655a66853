"""A small sealed store of real evidence objects, in three epochs, and ways to look at it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256

from nhi_evidence.completeness.check import Check
from nhi_evidence.coverage.canary.check import Check as CanaryCheck
from nhi_evidence.demo.story import generate
from nhi_evidence.event import Delivery, Kind
from nhi_evidence.evidence import leaf, log, note
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Options, Part, Policy, Report, State, Verifier, join
from nhi_evidence.evidence.verify.sorting import MemorySorter
from nhi_evidence.evidence.verify.statements import Together
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.reproduce import Reproducer
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner
from tests.tamper.editing import EditedObject

NAME = "example.org/evidence"
HOUR_MS = 3_600_000
START = 1_768_000_000_000
HOUR = "2026030208"
EPOCHS = 3
PER_EPOCH = 2


class SealedStore:
    """Two objects an epoch, of a file and a companion each; `now` is two hours after the last."""

    def __init__(self) -> None:
        self.now, self.store = _built()
        self.store._now = lambda: self.now
        self.signer = LocalSigner("log")
        self.key = note.from_spki(NAME, self.signer.public_key())
        self.policy = Policy(
            name=NAME,
            keys=(self.key,),
            mappers=(mapper().identity.digest,),
            retention_ms=DAY_MS,
            grace_ms=DAY_MS,
            seal_delay_ms=HOUR_MS,
            head_age_ms=400 * DAY_MS,
        )

    def seal(self) -> None:
        """Run the sealer once, over everything."""
        _seal(self.store, self.now)

    def verify(
        self,
        *,
        since: State | None = None,
        policy: Policy | None = None,
        deep: bool = True,
        part: Part | None = None,
    ) -> Report:
        """Verify all of it: every record, mapped again."""
        options = Options(
            deep=deep,
            since=since,
            reproduce=Reproducer() if deep else None,
            part=part,
            statements=Together(Check(MemorySorter), CanaryCheck(self.store, MemorySorter)),
        )
        return self.verifier(options, policy).run()

    def verifier(self, options: Options, policy: Policy | None = None) -> Verifier:
        """A verifier of this store, now."""
        return Verifier(self.store, policy or self.policy, now=self.now, options=options)

    def verify_in_parts(self, of: int, policy: Policy | None = None) -> Report:
        """Verify it part by part, and join the reports."""
        reports = [self.verify(part=Part(number, of), policy=policy) for number in range(1, of + 1)]
        return join(reports, self.verifier(Options()).hashes_of)

    def key_of(self, prefix: str, number: int = 0) -> str:
        """The key of this number under a prefix."""
        return list(self.store.keys(prefix))[number]

    def unit_in(self, key: str, number: int = 0) -> str:
        """The name of a unit of an object, and of its source as findings have it."""
        return f"aws_cloudtrail: {self.edit(key).units[number].line['unit']}"

    def plan(self, epoch: int) -> str:
        return log.plan_key("2026", epoch)

    def checkpoint(self, epoch: int) -> str:
        return log.checkpoint_key("2026", epoch)

    def entries(self, epoch: int) -> list[bytes]:
        return log.entries_of(self.store.get(self.plan(epoch)))

    def objects(self, epoch: int) -> list[str]:
        """Keys of the objects an epoch seals."""
        sealed = (leaf.decode(entry) for entry in self.entries(epoch))
        return [entry.key for entry in sealed if isinstance(entry, leaf.ObjectLeaf)]

    def size(self, epoch: int) -> int:
        """Size of the log after an epoch."""
        return sum(len(self.entries(number)) for number in range(1, epoch + 1))

    def roll_back(self) -> list[str]:
        """Remove the newest epoch completely; return the keys that are unsealed then."""
        size = self.size(3)
        sealed = self.objects(3)
        self.store.remove(self.plan(3))
        self.store.remove(self.checkpoint(3))
        for kind in ("0", "entries"):
            self.store.remove(log.tile_key("2026", f"tile/{kind}/000.p/{size}"))
        return sealed

    def rewrite(self, key: str, body: bytes) -> None:
        """Replace stored bytes in place, as the owner of the disk could."""
        self.store.first(key).body = body

    def edit(self, key: str) -> EditedObject:
        """The object under a key, to be changed."""
        return EditedObject(self.store.get(key))

    def put(self, edited: EditedObject, like: str, **metadata: str) -> str:
        """Put a changed object beside another one, under the key of its hash; return that."""
        return self.put_body(edited.body(), like, {**edited.metadata(), **metadata})

    def put_body(self, body: bytes, like: str, metadata: dict[str, str]) -> str:
        """Put any bytes beside an object, under the key of their hash; return that."""
        key = f"{like.rpartition('/')[0]}/{sha256(body).hexdigest()}.ndjson.zst"
        self.store.add(key, body, metadata)
        return key

    def forge(self, key: str, change: Callable[[EditedObject], None], **metadata: str) -> str:
        """Put a changed copy of an object beside it, its roots made anew, and seal it."""
        edited = self.edit(key)
        change(edited)
        edited.reroot()
        forged = self.put(edited, key, **metadata)
        self.seal()
        return forged


@cache
def mapper() -> Mapper:
    """The mapper everything in the store was made by."""
    return Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=True)


@cache
def _build() -> tuple[int, MemoryStore]:
    now = START
    store = MemoryStore(now=lambda: now)
    files = iter(generate())
    for epoch in range(EPOCHS):
        for number in range(PER_EPOCH):
            name = f"trail/{epoch}-{number}"
            records = json.loads(gzip.decompress(next(files).body))["Records"][:6]
            body = gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
            digest = gzip.compress(b'{"digest":"%s"}' % name.encode(), mtime=0)
            batch = [
                Delivery(f"{name}-digest.json.gz@v1!h={HOUR}", digest, Kind.COMPANION),
                Delivery(f"{name}.json.gz@v1!h={HOUR}", body),
            ]
            outcome = lock_batch(mapper(), batch, store)
            if outcome.failed or outcome.unmapped or len(outcome.objects) != 1:
                raise AssertionError(f"not one object of a batch: {outcome}")
        _seal(store, now)
        now += 5 * 60_000
    return now + 2 * HOUR_MS, store


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
