"""What comes while a verification lists the store is not taken for sealed by the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nhi_evidence.stored import Version
from tests.tamper.forged_epochs import forge_epoch
from tests.tamper.sealed_store import HOUR_MS, SealedStore


def _meanwhile(world: SealedStore, act: Callable[[], object]) -> None:
    """Do something once, in a listing of everything: after the evidence, before the log."""
    versions = world.store.versions
    acts = [act]

    def listed(prefix: str, *, after: str = "") -> Iterator[Version]:
        if prefix or not acts:
            yield from versions(prefix, after=after)
            return
        yield from versions("ev/")
        acts.pop()()
        yield from versions("", after="ev0")

    world.store.versions = listed  # type: ignore[method-assign]


@pytest.mark.parametrize("is_sealed", [True, False])
def test_an_object_that_a_sealer_leaves_out_is_found(is_sealed: bool) -> None:
    """The plan is younger than the object, so by its time alone the object would be sealed."""
    world = SealedStore()
    put: list[str] = []

    def act() -> None:
        edited = world.edit(world.key_of("ev/"))
        edited.header["codec"] = "other"
        put.append(world.put(edited, world.key_of("ev/")))
        world.now += 1
        if is_sealed:
            world.seal()
        else:
            forge_epoch(world, [])

    _meanwhile(world, act)
    state = world.verify(deep=False).state
    assert 1 == len(put)
    world.now += 3 * HOUR_MS
    again = world.verify(since=state, deep=False)
    expected = [] if is_sealed else [("unsealed", put[0])]
    assert expected == [(each.code, each.key) for each in again.findings]
