"""I1 to I9 under random schedules; and that three wrong protocols do not survive them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.errors import EvidenceError
from nhi_evidence.evidence import counting, leaf, log
from nhi_evidence.evidence.counting import Claim, Status, Unit
from nhi_evidence.evidence.epochs import Run
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.stored import Version
from tests.examples import examples
from tests.model import invariants
from tests.model.world import World

SCHEDULES = 20_000
WORKERS = 2
TAPE_BYTES = 400
SEED = 20261124
MUTANT_SCHEDULES = 2_000


class Watermark(Sealer):
    """Mutant: takes what is newer than the newest plan, instead of what no plan holds."""

    def _unsealed(self, listed: Sequence[Version], head: log.Position) -> list[Version]:
        newest = self._epochs.newest(head)
        return [one for one in listed if newest is None or one.modified > newest.modified]


class SignsFirst(Sealer):
    """Mutant: signs what it is about to commit."""

    def _commit(
        self,
        head: log.Position,
        first: leaf.EpochLeaf,
        leaves: Sequence[leaf.Leaf],
        run: Run,
    ) -> tuple[log.Position, bool]:
        body = log.write_plan([leaf.encode(one) for one in (first, *leaves)])
        after = log.advance(head, body).after
        key = log.checkpoint_key(after.shard, after.epoch)
        self._store.put_new(key, self._signers.sign(after.checkpoint, first.at), metadata={})
        return super()._commit(head, first, leaves, run)


def lowest_leaf_wins(claims: Iterable[Claim]) -> dict[tuple[str, str], Unit]:
    """Mutant: of two claims to a unit, the one sealed first is counted."""
    units: dict[tuple[str, str], Unit] = {}
    for claim in sorted(claims, key=lambda claim: claim.index):
        if (claim.source, claim.unit) not in units:
            weighed = Unit(claim.source, claim.unit, Status.COUNTED, (claim,), (), ())
            units[claim.source, claim.unit] = weighed
        else:
            before = units[claim.source, claim.unit]
            units[claim.source, claim.unit] = Unit(
                claim.source,
                claim.unit,
                Status.COUNTED,
                before.counted,
                (*before.duplicates, claim),
                (),
            )
    return units


def live(tape: bytes, *, sealer: type[Sealer] = Sealer, count: invariants.Count) -> None:
    world = World(tape, sealer=sealer)
    world.run()
    invariants.check(world, count)


def tapes(seed: int, number: int) -> Iterable[bytes]:
    """Random tapes of all lengths."""
    source = random.Random(seed)  # noqa: S311 a schedule, repeatable by its seed
    for _ in range(number):
        yield source.randbytes(source.randrange(TAPE_BYTES))


def survive(seed: int, number: int) -> str | None:
    """Live through schedules in a process of its own; return the first failure."""
    for tape in tapes(seed, number):
        try:
            live(tape, count=counting.count)
        except (AssertionError, EvidenceError) as error:
            return f"{tape.hex()}: {error!r}"
    return None


@pytest.mark.slow
def test_no_schedule_breaks_an_invariant() -> None:
    """I1 to I9 hold over SCHEDULES random schedules of writers, sealers, crashes and attackers."""
    with ProcessPoolExecutor(WORKERS) as pool:
        each = partial(survive, number=SCHEDULES // WORKERS)
        failures = [one for one in pool.map(each, range(SEED, SEED + WORKERS)) if one]
    assert [] == failures


@given(st.binary(max_size=TAPE_BYTES))
@examples(200)
def test_schedules_shrink(tape: bytes) -> None:
    """The same, where a failure is reduced to the shortest tape that shows it."""
    live(tape, count=counting.count)


@pytest.mark.parametrize("mutant", [Watermark, SignsFirst, lowest_leaf_wins])
def test_mutants_fail(mutant: type[Sealer] | invariants.Count) -> None:
    """A watermark, signing before the commit, and counting the lowest leaf are each caught."""
    broken = 0
    for tape in tapes(SEED, MUTANT_SCHEDULES):
        try:
            if isinstance(mutant, type):
                live(tape, sealer=mutant, count=counting.count)
            else:
                live(tape, count=mutant)
        except (AssertionError, EvidenceError):
            broken += 1
            if broken > 5:
                return
    pytest.fail(f"{mutant.__name__} broke in {broken} of {MUTANT_SCHEDULES} schedules only")
