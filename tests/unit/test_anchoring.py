"""An outside party's statement is kept as long as the log it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from nhi_evidence.errors import SettingsError
from nhi_evidence.evidence import log
from nhi_evidence.evidence.anchoring import Anchoring
from nhi_evidence.stored import AnchorForm
from tests.memory_store import DAY_MS
from tests.tamper.sealed_store import NAME, SealedStore


class Outsider:
    """Attests every checkpoint."""

    name = "tsa.example"
    form = AnchorForm.TIMESTAMP

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:
        assert path(checkpoint.count(b"no size")) == []
        return b"said"


@pytest.mark.parametrize("kept_ms", [None, 90 * DAY_MS])
def test_an_anchor_is_locked_like_the_log(kept_ms: int | None) -> None:
    """Until the shard's year, retention and grace are over, if configured."""
    world = SealedStore()
    anchoring = Anchoring(
        world.store, NAME, [world.key], witnesses=[Outsider()], kept_ms=kept_ms, now=world.now
    )
    done = anchoring.run()
    assert done is not None
    assert (Outsider.name,) == done.made
    key = log.anchor_key("2026", 3, "tsa.example.tsr")
    expected = world.now + DAY_MS if kept_ms is None else log.lock_end("2026", world.now, kept_ms)
    assert expected == world.store.first(key).retain_until


def test_two_witnesses_of_one_name_are_refused() -> None:
    """Two addresses of one host: the second would never be asked, and be reported as there."""
    world = SealedStore()
    with pytest.raises(SettingsError, match=r"tsa\.example\.tsr: named twice"):
        Anchoring(world.store, NAME, [world.key], witnesses=[Outsider(), Outsider()])
