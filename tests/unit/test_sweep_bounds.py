"""Nothing under one prefix keeps a run of the sealer from the others, or stays unsealed."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from nhi_evidence.evidence import keys, leaf, log, sweep
from nhi_evidence.evidence.flags import LockPolicy
from nhi_evidence.evidence.seal import Sealed, Sealer, fair_share
from nhi_evidence.stored import Version
from tests.memory_store import DAY_MS, MemoryStore
from tests.signing import LocalSigner

START = int(datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp()) * 1000
RUN_MS = 300_000
AT_ONCE = 30


class World:
    """A store sealed every five minutes by sealers without memory."""

    def __init__(self) -> None:
        self.now = START
        self.store = MemoryStore(now=lambda: self.now)

    def put(self, key: str) -> str:
        self.store.add(key, key.encode())
        return key

    def write(self, source: str, name: str, *, hour: str | None = None) -> str:
        """Put a writer's object under an hour, by default the current one."""
        folder = f"h={hour or keys.hour_of(self.now)}"
        return self.put(f"ev/v1/{source}/{folder}/{sha256(name.encode()).hexdigest()}.ndjson.zst")

    def run(self, *, max_leaves: int = 10_000) -> Sealed:
        done = Sealer(
            self.store,
            [LocalSigner("bounds")],
            lambda: self.now,
            name="example.org/evidence",
            lock_policy=LockPolicy(retention_ms=DAY_MS),
            max_leaves=max_leaves,
            at_once=AT_ONCE,
        ).run()
        self.now += RUN_MS
        assert () == done.void
        return done

    def sealed(self) -> set[str]:
        """Return the keys of everything in the log, each once."""
        names: list[str] = []
        for key in self.store.keys("log/v1/2026/plan/"):
            names += [one for one, _ in log.versions_in(self.store.get(key))]
        assert len(names) == len(set(names))
        return set(names)

    def first_leaf(self) -> leaf.EpochLeaf:
        first = log.first_leaf(self.store.get(list(self.store.keys("log/v1/2026/plan/"))[-1]))
        assert first is not None
        return first


ODD_KEYS = (
    "x",
    "x/y",
    "ev/",
    "ev/x",
    "ev/v1/x",
    "ev/v1/aws_cloudtrail/x",
    "ev/v1/aws_cloudtrail/h=2026033112",
    "ev/v1/aws_cloudtrail/h=2026033112/x",
    "ev/v1/aws_cloudtrail/h=unknown/x",
    "ev/v1/aws_cloudtrail/h=2026039999/x",
    "ev/v1/aws_cloudtrail//x",
    "ev/v1//x",
    "ev/v2/aws_cloudtrail/h=2026033112/x",
    "op/x",
    "logs/x",
    "ev/v1/aws_cloudtrail/h=2026033112/\u0001\U0001f600",
)


@pytest.mark.parametrize("first", [True, False], ids=["into-an-empty-log", "later"])
def test_a_key_of_any_form_is_sealed_within_an_hour(first: bool) -> None:
    """However odd, and whoever put it there; the log's own keys are not."""
    world = World()
    if not first:
        world.run()
    for key in ODD_KEYS:
        world.put(key)
    for _ in range(13):
        world.run()
    assert set(ODD_KEYS) == world.sealed()


@pytest.mark.parametrize("hour", ["unknown", "odd", None], ids=["unknown", "odd", "current"])
def test_a_flooded_folder_delays_no_other(hour: str | None) -> None:
    """With more objects than a run takes, others are sealed by the next run, and these in turn."""
    world = World()
    world.run()
    flood = {world.write("flooding", str(number), hour=hour) for number in range(13 * AT_ONCE)}
    runs = 0
    while not flood <= world.sealed():
        key = world.write("aws_cloudtrail", f"other {runs}")
        done = world.run()
        assert key in world.sealed()
        assert done.added <= AT_ONCE + 1, runs
        runs += 1
        assert runs < 30
    early = world.put(f"ev/v1/flooding/h={hour or keys.hour_of(world.now)}/{'0' * 64}.ndjson.zst")
    for _ in range(12 + 13 + 1):
        world.run()
    assert early in world.sealed(), "what sorts before a cursor waits for the next time round"


def test_a_flooded_level_delays_no_other_and_hides_nothing() -> None:
    """There are more odd folders and keys beside the hours than one run sees.

    The source's last hours are still listed, and a late object under an older hour is sealed within
    the hour's period plus the time to go through them.
    """
    world = World()
    world.run()
    flood = set()
    for number in range(6 * AT_ONCE):
        flood.add(world.put(f"ev/v1/flooding/a{number}/x"))
        flood.add(world.put(f"ev/v1/flooding/b{number}"))
    late = world.write("flooding", "late", hour=keys.hour_of(world.now - 20 * sweep.HOUR_MS))
    cycle = 12 + 1
    for number in range(12 + 2 * cycle):
        recent = {world.write(source, f"recent {number}") for source in ("aws", "flooding")}
        world.run()
        assert recent <= world.sealed()
        flood |= recent
    assert flood | {late} <= world.sealed()


@pytest.mark.slow
def test_cursors_stay_within_the_entry_that_holds_them() -> None:
    """With sixty folders, each too much for a run and with the longest name, no plan is void."""
    world = World()
    world.run()
    flood = set()
    for folder in range(60):
        name = f"{folder:03d}" + "\u0001" * 700
        flood |= {world.put(f"ev/v1/s{folder % 6}/{name}/{n:03d}") for n in range(AT_ONCE + 2)}
    runs = 0
    while not flood <= world.sealed():
        world.run()
        assert len(leaf.encode(world.first_leaf())) < 0xFFFF
        runs += 1
        assert runs < 200
    assert runs > 1


def test_each_source_has_a_share_of_a_plan() -> None:
    """The excess of one source waits; the objects of others do not."""
    flood = [Version(f"ev/v1/a/h=x/{n}", "1", n) for n in range(100)]
    others = [Version(f"ev/v1/{source}/h=x/{n}", "1", 100 + n) for source in "bc" for n in range(3)]
    chosen = fair_share([*flood, *others], 30)
    assert [*flood[:24], *others] == chosen
    assert flood == fair_share(flood, 100)
    assert flood[:7] == fair_share(flood, 7)


def test_the_rest_is_shared_evenly_among_sources_with_too_much() -> None:
    """The small source gets its three; of the 27 left, two floods get 13 and 14."""
    floods = {
        source: [Version(f"ev/v1/{source}/h=x/{n}", "1", n) for n in range(100)] for source in "ab"
    }
    small = [Version(f"ev/v1/c/h=x/{n}", "1", n) for n in range(3)]
    chosen = fair_share([*floods["a"], *floods["b"], *small], 30)
    assert [*floods["a"][:13], *floods["b"][:14], *small] == chosen
