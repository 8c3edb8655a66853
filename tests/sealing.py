"""A store in memory with a clock, and sealers on it that remember nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Policy, Verifier
from nhi_evidence.ports import Signer
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

NAME = "example.org/evidence"
START = 1_790_000_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class World:
    """A store, a clock that stands still unless moved, and sealers that remember nothing."""

    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore(now=lambda: self.now)
        self.signers: list[Signer] = [LocalSigner("sealer")]
        self.lock_policy = LockPolicy(retention_ms=DAY_MS)
        self.lock_log = False

    def sealer(self, *, ahead: int = 0, signers: Sequence[Signer] = ()) -> Sealer:
        """A sealer that remembers nothing, its clock so far ahead of the store's."""
        return Sealer(
            self.store,
            signers or self.signers,
            lambda: self.now + ahead,
            name=NAME,
            lock_policy=self.lock_policy,
            lock_log=self.lock_log,
        )

    def write(self, number: int, *, hour: str = "2026092113") -> str:
        body = b"object %d" % number
        key = f"op/v1/recon/h={hour}/{sha256(body).hexdigest()}"
        self.store.put_new(key, body, metadata={})
        return key

    def codes(self, policy: Policy) -> list[tuple[str, str]]:
        """Code and key of every finding about the log."""
        report = Verifier(self.store, policy, now=self.now).run()
        return [(one.code, one.key) for one in report.findings if one.key.startswith("log/")]


def checkpoint_key(epoch: int) -> str:
    return f"log/v1/2026/checkpoint/{epoch:012d}"
