"""A world of writers, sealers and attackers on one store, driven by a tape of bytes.

Each actor is a greenlet that hands control back at every store call; the tape decides who goes
on, what fails, who crashes and what the clock does. The same tape gives the same history, and a
shorter tape a calmer one, so a failing history shrinks.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from greenlet import greenlet

from nhi_evidence.errors import StoreUnavailableError
from nhi_evidence.evidence.checkpoint import parse
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.stored import Description, Receipt, Version
from tests.memory_store import DAY_MS, MemoryStore
from tests.model.model_mapper import (
    FORGED,
    NAME,
    RELEASES,
    START,
    UNITS,
    ModelMapper,
    deliveries,
    packed,
)

STEPS_MS = (0, 1, 1_000, 60_000, 300_000, 3_600_000)


BATCHES = ((0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2))
"""How a delivery may be grouped."""


class CrashError(BaseException):
    """The process of an actor ends here, whatever it was doing."""


class Signer:
    """Signs with a fixed key and remembers everything it ever signed."""

    _key = ed25519.Ed25519PrivateKey.from_private_bytes(sha256(b"model").digest())

    def __init__(self) -> None:
        self.signed: list[str] = []

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: bytes) -> bytes:
        self.signed.append(text.decode())
        return self._key.sign(text)

    def configuration(self) -> Mapping[str, str]:
        return {}


class Tape:
    """Choices; where it ends, every further one is the calmest."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def choose(self, count: int) -> int:
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % count


class World:
    """One history."""

    def __init__(
        self,
        tape: bytes,
        *,
        sealer: type[Sealer] = Sealer,
        adversaries: bool = True,
        lock: Callable[..., Outcome] = lock_batch,
    ) -> None:
        self.tape = Tape(tape)
        self.now = START
        self.store = MemoryStore(now=lambda: self.now)
        self.signer = Signer()
        self.acked: set[str] = set()
        self.occupied: set[str] = set()
        """Units of which some object's key was taken by other bytes."""
        self.removed: set[tuple[str, str]] = set()
        self.calm = False
        self._lock = lock
        self._sealer = sealer
        self._adversaries = adversaries
        self._seen: dict[tuple[str, str], int] = {}

    def run(self) -> None:
        """Let all actors live to their end, then quiet down and seal what is left."""
        actors: list[Callable[[], None]] = [
            lambda: self._write(0),
            lambda: self._write(1),
            self._seal,
            self._seal,
        ]
        if self._adversaries:
            actors.append(self._attack)
        living = [greenlet(one) for one in actors]
        while living:
            turn = living[self.tape.choose(len(living))]
            turn.switch()
            self.now += STEPS_MS[self.tape.choose(len(STEPS_MS))]
            living = [one for one in living if not one.dead]
        self.calm = True
        self.now += DAY_MS // 24
        for number, unit in enumerate(UNITS):
            if unit not in self.acked:  # what was acknowledged is never delivered again
                self._deliver((number,))
        last = self.sealer()
        last.run(everything=True)
        while last.run(everything=True).more:
            pass

    def sealer(self) -> Sealer:
        """A new process of the sealer: it remembers nothing."""
        return self._sealer(
            _Port(self),
            [self.signer],
            lambda: self.now,
            name=NAME,
            lock_policy=LockPolicy(retention_ms=DAY_MS),
            max_leaves=3,
            at_once=2,
        )

    def pause(self) -> None:
        """Hand control to whoever the tape chooses."""
        parent = greenlet.getcurrent().parent
        if not self.calm and parent is not None:
            parent.switch()

    def signed(self) -> list[tuple[str, int, bytes]]:
        """Origin, size and root of everything the key ever signed."""
        return [(one.origin, one.size, one.root) for one in map(parse, self.signer.signed)]

    def _seal(self) -> None:
        for _ in range(3):
            sealer = self.sealer()
            try:
                for _ in range(1 + self.tape.choose(2)):
                    sealer.run(everything=self.tape.choose(3) == 1)
            except (CrashError, StoreUnavailableError):
                continue

    def _write(self, first: int) -> None:
        """Deliver batches, each regrouped by the tape."""
        for _ in range(2):
            self._deliver(BATCHES[(first + self.tape.choose(len(BATCHES))) % len(BATCHES)])

    def _deliver(self, batch: tuple[int, ...]) -> None:
        """Deliver a batch until it is acknowledged or given up."""
        mapper = ModelMapper(RELEASES[self.tape.choose(len(RELEASES))])
        for _ in range(4):
            try:
                outcome = self._lock(mapper, deliveries(batch), _Port(self))
            except CrashError:
                continue
            self.acked |= outcome.locked
            if len(outcome.locked) == len(batch):
                break

    def _attack(self) -> None:
        """Everything that more rights than a writer's allow, short of breaking a lock."""
        acts = (self._mark, self._shadow, self._occupy, self._claim, self._unmark, self._junk)
        for _ in range(5):
            self.pause()
            acts[self.tape.choose(len(acts))]()

    def _some(self, prefixes: tuple[str, ...]) -> str | None:
        matching = [one for one in sorted(self.store.versions_by_key) if one.startswith(prefixes)]
        return matching[self.tape.choose(len(matching))] if matching else None

    def _mark(self) -> None:
        key = self._some(("ev/", "log/"))
        if key:
            self.store.mark(key)

    def _unmark(self) -> None:
        key = self._some(("ev/", "log/"))
        for version in list(self.store.versions_by_key.get(key or "", [])):
            if version.marker:
                self.store.remove(key or "", version.id)
                self.removed.add((key or "", version.id))

    def _shadow(self) -> None:
        key = self._some(("ev/", "log/"))
        if key and any(not one.marker for one in self.store.versions_by_key[key]):
            self.store.add(key, b"laid over it", {})

    def _occupy(self) -> None:
        """Put other bytes under the key of a genuine object: only who knows its body can."""
        batch = BATCHES[self.tape.choose(len(BATCHES))]
        genuine = packed(batch, RELEASES[0])[0]
        if genuine.key not in self.store.versions_by_key:
            self.store.add(genuine.key, b"occupied", genuine.metadata)
            self.occupied |= {unit.unit for unit in genuine.units}

    def _claim(self) -> None:
        """Claim a unit with other bytes, by a listed release, alone or among genuine ones."""
        batch = BATCHES[self.tape.choose(len(BATCHES))]
        forged = packed(batch, RELEASES[self.tape.choose(len(RELEASES))], FORGED)[0]
        if forged.key not in self.store.versions_by_key:
            self.store.add(forged.key, forged.body, forged.metadata)

    def _junk(self) -> None:
        key = f"ev/v1/model/junk-{self.tape.choose(3)}"
        if key not in self.store.versions_by_key:
            self.store.add(key, b"junk", {})

    def faulty(self) -> int:
        """0: all is well; 1: nothing is persisted; 2: persisted, but said to have failed."""
        if self.calm:
            return 0
        drawn = self.tape.choose(24)
        if drawn == 23:
            raise CrashError
        return drawn if drawn in {1, 2} else 0


class _Port:
    """The store as an actor reaches it: every call a pause, and a fault where the tape says so."""

    complete = True

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str],
        retain_until: int | None = None,
    ) -> Receipt:
        self._world.pause()
        fault = self._world.faulty()
        if fault == 1:
            raise StoreUnavailableError(f"{key}: 503")
        receipt = self._store.put_new(key, body, metadata=metadata, retain_until=retain_until)
        if fault == 2:
            raise StoreUnavailableError(f"{key}: timeout")
        return receipt

    def keys(self, prefix: str) -> Iterator[str]:
        self._read()
        return self._store.keys(prefix)

    def get(self, key: str) -> bytes:
        self._read()
        return self._store.get(key)

    def folders(self, prefix: str) -> Iterator[str]:
        self._read()
        return self._store.folders(prefix)

    def level(self, prefix: str, *, after: str = "") -> Iterator[str | Version]:
        self._read()
        return self._store.level(prefix, after=after)

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """List; what is new may not show yet."""
        self._read()
        listed = list(self._store.versions(prefix, after=after))
        if not self._world.calm and listed and self._world.tape.choose(8) == 7:
            listed = [one for one in listed if one.modified < self._world.now]
        return iter(listed)

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        self._read()
        return self._store.describe(versions)

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        self._read()
        return self._store.bodies(versions)

    def beginnings(self, versions: Iterable[tuple[str, str, int]]) -> Iterator[bytes | None]:
        self._read()
        return self._store.beginnings(versions)

    def configuration(self) -> Mapping[str, str]:
        return self._store.configuration()

    def _read(self) -> None:
        self._world.pause()
        if self._world.faulty() == 1:
            raise StoreUnavailableError("503")


def root_of(encoded: str) -> bytes:
    """Root of a checkpoint line."""
    return b64decode(encoded)
