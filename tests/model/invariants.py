"""The invariants I1 to I9 of the sealed log, asked of the history a world has lived through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from nhi_evidence.evidence import counting, keys, log, merkle, note, objects
from nhi_evidence.evidence.counting import Claim, Status, Unit
from nhi_evidence.evidence.leaf import EpochLeaf, Leaf, ObjectLeaf, decode
from nhi_evidence.evidence.stored_log import StoredLog
from nhi_evidence.evidence.verify import Policy, Verifier
from tests.memory_store import DAY_MS
from tests.model.model_mapper import FORGED, NAME, RELEASES, UNITS
from tests.model.world import World

Count = Callable[[Iterable[Claim], Sequence[str]], dict[tuple[str, str], Unit]]

EXPECTED = {
    "marker",
    "shadow",
    "key_hash",
    "frame_invalid",
    "unit_contested",
    "clock_skew",
    "object_missing",
}
"""Findings an adversary of the model causes; all others would be our own fault."""


class Log:
    """What is in the log when the world has come to rest."""

    def __init__(self, world: World) -> None:
        key = note.from_spki(NAME, world.signer.public_key())
        stored = StoredLog(world.store, NAME, [key])
        self.key = key
        self.shards: dict[str, list[bytes]] = {}
        self.leaves: list[tuple[int, Leaf]] = []
        self.unsigned: list[str] = []
        before: log.Position | None = None
        for shard in stored.shards():
            position = stored.start(shard, before.as_closed if before else None)
            entries: list[bytes] = []
            while (body := stored.plan(shard, position.epoch + 1)) is not None:
                step = log.advance(position, body)
                position = step.after
                if step.void is None:
                    entries += log.entries_of(body)
                    if stored.checkpoint(shard, position.epoch) is None:
                        self.unsigned.append(f"{shard} {position.epoch}")
                if position.closed:
                    break
            self.shards[f"{NAME}/{shard}"] = entries
            self.leaves += [
                (int(shard) * 10**6 + number, decode(entry)) for number, entry in enumerate(entries)
            ]
            before = position


def check(world: World, count: Count = counting.count) -> None:
    """Assert every invariant."""
    sealed_log = Log(world)
    sealed = [
        (leaf.key, leaf.vid) for _, leaf in sealed_log.leaves if not isinstance(leaf, EpochLeaf)
    ]
    there = [(one.key, one.id) for one in world.store.versions("") if one.key.startswith("ev/")]
    assert set(there) <= set(sealed), "I3: a version is not in the log"
    assert len(sealed) == len(set(sealed)), "I4: a version is in the log twice"
    assert set(sealed) <= set(there) | world.removed, "a leaf of something that never was"
    _check_signed(world, sealed_log)
    assert not sealed_log.unsigned, f"I8: no checkpoint: {sealed_log.unsigned}"
    _check_counted(world, sealed_log, count)
    before = {key: list(stored) for key, stored in world.store.versions_by_key.items()}
    world.sealer().run(everything=True)
    assert before == world.store.versions_by_key, "I9: a run without news changed the bucket"
    policy = Policy(
        name=NAME,
        keys=(sealed_log.key,),
        mappers=RELEASES,
        retention_ms=DAY_MS,
        head_age_ms=DAY_MS,
    )
    report = Verifier(world.store, policy, now=world.now).run()
    unexpected = [one for one in report.findings if one.code not in EXPECTED]
    assert not unexpected, unexpected
    gone = {(one.key, one.version) for one in report.findings if one.code == "object_missing"}
    assert gone <= world.removed, "a sealed version is gone"


def _check_signed(world: World, sealed_log: Log) -> None:
    """I5: every signed root is of a prefix of the final log. I6: one root for one size."""
    roots: dict[tuple[str, int], bytes] = {}
    for origin, size, root in world.signed():
        assert roots.setdefault((origin, size), root) == root, "I6: two roots of one size"
        hashes = [merkle.leaf_hash(entry) for entry in sealed_log.shards.get(origin, [])[:size]]
        assert len(hashes) == size, "I5: more was signed than the log holds"
        assert merkle.root(hashes) == root, "I5: what was signed is not the log"


def claims_of(world: World, sealed_log: Log) -> list[Claim]:
    """What the sealed objects claim, of those whose bytes have the hash their key states."""
    claims: list[Claim] = []
    for index, leaf in sealed_log.leaves:
        if not isinstance(leaf, ObjectLeaf) or {"shadow", "key_hash"} & set(leaf.flags):
            continue
        (body,) = world.store.bodies([(leaf.key, leaf.vid)])
        if body is None or keys.parse_key(leaf.key).body_sha256 != sha256(body).hexdigest():
            continue
        table, _ = objects.read_object(body)
        claims += counting.claims(index, leaf.key, table.header, table.units)
    return claims


def _check_counted(world: World, sealed_log: Log, count: Count) -> None:
    """I1: what was acknowledged is counted, or an alarm names it. I2: and once, whoever claims."""
    claims = claims_of(world, sealed_log)
    units = count(claims, RELEASES)
    forged = {sha256(unit.encode() + FORGED).hexdigest() for unit in UNITS}
    for (_, unit), weighed in units.items():
        raws = {claim.raw for claim in claims if claim.unit == unit}
        if weighed.status is Status.COUNTED:
            assert len(weighed.counted) == 1, "I2: counted more than once"
            assert raws == {weighed.counted[0].raw}, "I2: contradicted, and counted"
            is_forged = weighed.counted[0].raw in forged
            known = unit in world.occupied or unit not in world.acked
            assert not is_forged or known, "I1: forged counted"
    for unit in world.acked:
        status = units["aws_cloudtrail", unit].status if ("aws_cloudtrail", unit) in units else None
        named = status is Status.CONTESTED or unit in world.occupied
        assert status is Status.COUNTED or named, f"I1: {unit} is neither counted nor named"
