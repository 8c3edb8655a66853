"""One sealer on one store: what its runs record, and when they write anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from nhi_evidence.errors import LogError
from nhi_evidence.evidence import keys, leaf, log, sweep
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.log_signers import LogSigners
from nhi_evidence.evidence.verify import Policy, Verifier
from nhi_evidence.stored import Description, Unreadable, Version
from tests.lifecycle import midnight
from tests.memory_store import DAY_MS, MemoryStore
from tests.sealing import HOUR_MS, MINUTE_MS, NAME, START, World, checkpoint_key
from tests.signing import LocalCosigner


def test_the_head_must_be_cosigned_where_the_policy_says_so() -> None:
    """A log that cosigns from its second epoch on passes; without the line at the head it fails."""
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
    """The epoch leaf has the hash of a setting, or the reason why it could not be read."""
    assert sha256(b'{"Rule":1}').hexdigest() == leaf.setting('{"Rule":1}')
    assert "unreadable: AccessDenied" == leaf.setting(Unreadable("AccessDenied"))


def test_the_log_is_locked_until_its_year_retention_and_grace_end() -> None:
    """Every key of the log is, and nothing else; without the setting the log is not either."""
    world = World()
    world.lock_policy = LockPolicy(retention_ms=DAY_MS, grace_ms=3 * DAY_MS)
    world.lock_log = True
    key = world.write(1)
    world.sealer().run()
    ends = int(datetime(2027, 1, 5, tzinfo=UTC).timestamp()) * 1000
    locks = {one: world.store.first(one).retain_until for one in world.store.keys("log/")}
    assert dict.fromkeys(locks, ends) == locks
    kinds = {one.removeprefix("log/v1/").removeprefix("2026/").split("/")[0] for one in locks}
    assert {"genesis", "plan", "tile", "checkpoint"} == kinds
    assert world.now + DAY_MS == world.store.first(key).retain_until


def test_a_shard_finished_late_is_locked_as_long() -> None:
    """For last year's epoch finished this year, retention and grace count from now."""
    assert START + 4 * DAY_MS == log.lock_end("2025", START, 4 * DAY_MS)


RETENTION_DAYS, GRACE_DAYS = 3, 2


@pytest.mark.slow
def test_a_bucket_expires_whole_and_verifies_throughout() -> None:
    """Day by day to its end, expiry markers are `expired`, without alarms or findings."""
    world = World()
    world.now = START - START % DAY_MS
    world.store._retention_ms = RETENTION_DAYS * DAY_MS
    world.lock_policy = LockPolicy(
        retention_ms=RETENTION_DAYS * DAY_MS, grace_ms=GRACE_DAYS * DAY_MS
    )
    policy = Policy(
        name=NAME,
        keys=LogSigners(NAME, world.signers).keys,
        retention_ms=RETENTION_DAYS * DAY_MS,
        grace_ms=GRACE_DAYS * DAY_MS,
    )
    raised: Counter[str] = Counter()
    written = 0
    for day in range(14):
        midnight(world.store, world.now, RETENTION_DAYS + GRACE_DAYS)
        for _ in range(24):
            world.now += HOUR_MS
            if day < 4:
                world.write(written, hour=keys.hour_of(world.now - HOUR_MS))
                written += 1
            raised.update(world.sealer().run().flags)
        report = Verifier(world.store, policy, now=world.now).run()
        assert (0, []) == (report.exit_code, report.findings), day
    assert {"expired"} == set(raised)
    assert [] == list(world.store.keys("ev/"))
    assert written == report.expired
    assert raised["expired"] > written // 2


class Odd(MemoryStore):
    """Lists a version twice, with a description too large for an entry."""

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        for version in super().versions(prefix, after=after):
            yield version
            if not version.key.startswith("log/"):
                yield version

    def describe(self, versions: Iterable[Version]) -> Iterator[Description | None]:
        for description in super().describe(versions):
            assert description is not None
            yield msgspec.structs.replace(description, metadata={"x": "y" * 70_000})


def test_a_sealer_validates_its_plan_before_committing_it() -> None:
    """What does not fit a plan is sealed by name and size; no void plan is left behind."""
    world = World()
    world.store = Odd(now=lambda: world.now)
    key = world.write(1)
    done = world.sealer().run()
    assert (1, (), {"undescribed": 1}) == (done.added, done.void, done.flags)
    ((name, _),) = log.versions_in(world.store.get(log.plan_key("2026", 1)))
    assert key == name


def test_a_void_plan_is_not_committed() -> None:
    """If a plan would be void whatever its content, the run fails and leaves nothing."""
    world = World()
    world.store.settings = {"policy" * 12_000: "x"}
    with pytest.raises(LogError, match=r"not committed.*65535 bytes"):
        world.sealer().run()
    assert ["log/v1/genesis"] == list(world.store.keys("log/"))


def test_a_version_the_store_cannot_describe_is_sealed_as_such() -> None:
    """It is sealed by name, size and time, is flagged, and keeps no other from being sealed."""
    world = World()
    world.store.first(world.write(1)).described = False
    world.write(2)
    done = world.sealer().run()
    assert (2, {"undescribed": 1}) == (done.added, done.flags)


def first_leaf(world: World, epoch: int) -> leaf.EpochLeaf:
    first = log.first_leaf(world.store.get(log.plan_key("2026", epoch)))
    assert first is not None
    return first


def test_a_plan_states_how_far_it_got() -> None:
    """`until` is absent if everything due is sealed, and otherwise the last such time."""
    world = World()
    world.write(0)
    world.sealer().run()
    assert (None, False) == (first_leaf(world, 1).until, first_leaf(world, 1).more)
    listed = world.now
    world.now += MINUTE_MS
    for number in range(1, 4):
        world.write(number)
    sealer = world.sealer()
    sealer._max_leaves = 2
    assert sealer.run().more
    assert (listed, True) == (first_leaf(world, 2).until, first_leaf(world, 2).more)
    world.now += MINUTE_MS
    assert not sealer.run().more
    assert (None, False) == (first_leaf(world, 3).until, first_leaf(world, 3).more)


def test_a_fast_clock_skips_nothing() -> None:
    """A sealer an hour ahead has listed only what existed when the store accepted its plan."""
    world = World()
    late = keys.hour_of(START - 20 * HOUR_MS)
    world.write(0, hour=late)
    world.sealer(ahead=HOUR_MS).run()
    world.write(1, hour=late)
    added = 0
    for _ in range(12):
        world.now += 5 * MINUTE_MS
        added += world.sealer().run().added
    assert 1 == added, "an hour of yesterday is listed within the hour"


def test_a_cursor_that_moved_is_put_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing of only sealed versions continues from there, not from before."""
    world = World()
    world.sealer().run()
    cursor = leaf.Cursor("ev/v1/flood/h=x/0999", world.now)
    find = sweep.find

    def further(*args: Any, **options: Any) -> Any:
        moved = {"ev/v1/flood/h=x/": cursor}
        return msgspec.structs.replace(find(*args, **options), cursors=moved)

    monkeypatch.setattr(sweep, "find", further)
    world.now += MINUTE_MS
    done = world.sealer().run()
    assert (2, 1, 0) == (done.epoch, done.checkpoints, done.added)
    assert {"ev/v1/flood/h=x/": cursor} == first_leaf(world, 2).cursors
    world.now += MINUTE_MS
    assert (2, 0) == (world.sealer().run().epoch, world.sealer().run().checkpoints)


def test_an_idle_log_has_a_heartbeat() -> None:
    """A checkpoint follows an hour after the last, not earlier; after a void plan, at once."""
    world = World()
    assert 1 == world.sealer().run().epoch
    world.now += HOUR_MS - 1
    assert (1, 0) == (world.sealer().run().epoch, world.sealer().run().checkpoints)
    world.now += 1
    done = world.sealer().run()
    assert (2, 1, 0) == (done.epoch, done.checkpoints, done.added)
    world.store.add(log.plan_key("2026", 3), b"junk")
    world.now += MINUTE_MS
    done = world.sealer().run()
    assert (4, 1, 1) == (done.epoch, done.checkpoints, len(done.void))
    world.now += MINUTE_MS
    assert (4, ()) == (world.sealer().run().epoch, world.sealer().run().void)


def test_long_leaves_are_sealed_in_several_plans() -> None:
    """A writer decides the length of keys and metadata; a plan must fit its readers."""
    world = World()
    for number in range(9):
        body = b"%d" % number
        key = f"ev/v1/other/h=unknown/{sha256(body).hexdigest()}"
        world.store.put_new(key, body, metadata={"long": "x" * 1000})
    sealer = world.sealer()
    sealer._max_bytes = 3_000
    runs = [sealer.run(everything=True) for _ in range(6)]
    assert 9 == sum(run.added for run in runs)
    assert max(run.added for run in runs) == 2
    assert [] == [run.void for run in runs if run.void]


def test_new_evidence_is_counted_by_source() -> None:
    """Neither a backfill, a second version nor other bytes show that a source is alive."""
    world = World()

    def put(source: str, body: bytes, *, hour: str = "2026092113", of: bytes | None = None) -> None:
        key = f"ev/v1/{source}/h={hour}/{sha256(of or body).hexdigest()}.ndjson.zst"
        world.store.add(key, body)

    put("gcp_audit", b"one")
    put("gcp_audit", b"two")
    put("aws_cloudtrail", b"three")
    world.write(1)
    assert {"aws_cloudtrail": 1, "gcp_audit": 2} == world.sealer().run().sources
    put("gcp_audit", b"one")
    put("gcp_audit", b"other", of=b"stated")
    put("gcp_audit", b"old", hour=keys.hour_of(START - 5 * DAY_MS))
    done = world.sealer().run(everything=True)
    assert (3, {}) == (done.added, done.sources)
    assert {"key_hash": 1, "late": 1, "shadow": 1} == done.flags


@pytest.mark.parametrize("odd", ["", "-1", "9" * 5_000, "1.5"])
def test_records_are_counted_as_their_writers_state(odd: str) -> None:
    """What is no number, or no number of records, counts as none."""
    world = World()

    def put(source: str, number: int, **stated: str) -> None:
        body = b"%d" % number
        key = f"ev/v1/{source}/h=2026092113/{sha256(body).hexdigest()}.ndjson.zst"
        world.store.put_new(key, body, metadata=stated)

    put("okta", 1, records="10", rejected="3")
    put("okta", 2, records="5", rejected="5")
    put("gcp_audit", 3, records="7", rejected=odd)
    put("aws_cloudtrail", 4, records=odd, rejected="2")
    put("github_audit", 5)
    put("github_audit", 6, records="2", rejected="0")
    done = world.sealer().run()
    assert {"okta": 7, "gcp_audit": 7, "aws_cloudtrail": 0, "github_audit": 2} == done.mapped
    assert {"okta": 8, "gcp_audit": 0, "aws_cloudtrail": 2, "github_audit": 0} == done.rejected
