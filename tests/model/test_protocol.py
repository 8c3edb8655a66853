"""I1 to I9 under random schedules, which wrong protocols do not survive."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.errors import EvidenceError
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import counting, leaf, log
from nhi_evidence.evidence.counting import Claim, Status, Unit
from nhi_evidence.evidence.epochs import Run
from nhi_evidence.evidence.seal import Sealer
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import Outcome, lock_batch
from nhi_evidence.ports import EvidenceWriter
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
    """Mutant: seals what is newer than the newest plan, instead of what is in no plan."""

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


def lowest_leaf_wins(
    claims: Iterable[Claim], _accepted: Sequence[str] = ()
) -> dict[tuple[str, str], Unit]:
    """Mutant: of two claims to a unit, counts the one sealed first."""
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


def counts_twice(
    claims: Iterable[Claim], accepted: Sequence[str] = ()
) -> dict[tuple[str, str], Unit]:
    """Mutant: counts a unit again that was redelivered in another batch."""
    units = counting.count(claims, accepted)
    return {
        name: msgspec.structs.replace(
            unit, counted=(*unit.counted, *unit.duplicates), duplicates=()
        )
        for name, unit in units.items()
    }


def acknowledges_early(
    mapper: Mapper, deliveries: Sequence[Delivery], writer: EvidenceWriter
) -> Outcome:
    """Mutant: acknowledges a batch when the first of its objects is locked."""
    outcome = lock_batch(mapper, deliveries, writer)
    if outcome.objects:
        outcome.locked |= {delivery.unit for delivery in deliveries}
    return outcome


def live(
    tape: bytes,
    *,
    sealer: type[Sealer] = Sealer,
    count: invariants.Count,
    lock: Callable[..., Outcome] = lock_batch,
) -> None:
    world = World(tape, sealer=sealer, lock=lock)
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
@examples(100)
def test_schedules_shrink(tape: bytes) -> None:
    """The same, with a failure reduced to the shortest tape that shows it."""
    live(tape, count=counting.count)


@pytest.mark.parametrize(
    "mutant",
    [
        {"sealer": Watermark},
        {"sealer": SignsFirst},
        {"count": lowest_leaf_wins},
        {"count": counts_twice},
        # It takes seconds to draw enough schedules that break it.
        pytest.param({"lock": acknowledges_early}, marks=pytest.mark.slow),
    ],
    ids=["watermark", "signs-first", "lowest-leaf-wins", "counts-twice", "acknowledges-early"],
)
def test_mutants_fail(mutant: dict[str, Any]) -> None:
    """Each wrong protocol breaks an invariant, again and again."""
    broken = 0
    for tape in tapes(SEED, MUTANT_SCHEDULES):
        try:
            live(tape, **{"count": counting.count, **mutant})
        except (AssertionError, EvidenceError):
            broken += 1
            if broken > 5:
                return
    pytest.fail(f"{mutant} broke in {broken} of {MUTANT_SCHEDULES} schedules only")
