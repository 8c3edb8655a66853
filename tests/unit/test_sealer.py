"""One sealer on one store: what its runs put on record, and when they put anything."""

from __future__ import annotations

from hashlib import sha256

from nhi_evidence.evidence import leaf
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.evidence.verify import Policy, Verifier
from nhi_evidence.ports import Signer
from nhi_evidence.stored import Unreadable
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalCosigner, LocalSigner

NAME = "example.org/evidence"
START = 1_790_000_000_000
MINUTE_MS = 60_000


class World:
    """A store, a clock that stands still unless moved, and sealers that remember nothing."""

    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore(now=lambda: self.now)
        self.signers: list[Signer] = [LocalSigner("sealer")]
        self.lock_policy = LockPolicy(retention_ms=DAY_MS)

    def sealer(self) -> Sealer:
        return Sealer(
            self.store, self.signers, lambda: self.now, name=NAME, lock_policy=self.lock_policy
        )

    def write(self, number: int, *, hour: str = "2026092113") -> str:
        body = b"object %d" % number
        key = f"ev/v1/aws_cloudtrail/h={hour}/{sha256(body).hexdigest()}.ndjson.zst"
        self.store.put_new(key, body, metadata={})
        return key

    def codes(self, policy: Policy) -> list[tuple[str, str]]:
        """Code and key of every finding about the log."""
        report = Verifier(self.store, policy, now=self.now).run()
        return [(one.code, one.key) for one in report.findings if one.key.startswith("log/")]


def checkpoint_key(epoch: int) -> str:
    return f"log/v1/2026/checkpoint/{epoch:012d}"


def test_the_head_must_be_cosigned_where_the_policy_says_so() -> None:
    """A log that cosigns from its second epoch on passes; without the line at its head it fails."""
    world = World()
    world.write(1)
    world.sealer().run()
    world.signers.append(LocalCosigner("sealer"))
    keys = LogSigners(NAME, world.signers).keys
    policy = Policy(name=NAME, keys=keys, require_cosignature=True)
    assert [("cosignature_missing", checkpoint_key(1))] == world.codes(policy)
    world.now += MINUTE_MS
    world.write(2)
    done = world.sealer().run()
    assert (2, 1) == (done.signatures, done.checkpoints)
    assert [] == world.codes(policy)
    head = world.store.first(checkpoint_key(2))
    text, _, lines = head.body.decode().rpartition("\n\n")
    head.body = f"{text}\n\n{lines.splitlines(keepends=True)[0]}".encode()
    assert [("cosignature_missing", checkpoint_key(2))] == world.codes(policy)
    assert [] == world.codes(Policy(name=NAME, keys=keys))


def test_a_setting_is_recorded_by_its_hash() -> None:
    """The epoch leaf holds the hash of a setting, or the reason why it could not be read."""
    assert sha256(b'{"Rule":1}').hexdigest() == leaf.setting('{"Rule":1}')
    assert "unreadable: AccessDenied" == leaf.setting(Unreadable("AccessDenied"))
