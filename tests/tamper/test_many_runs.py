"""Overlapping runs of a stream: a writer may put thousands of them into one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.event import Delivery
from nhi_evidence.evidence.verify import report
from nhi_evidence.evidence.verify.asking import RunHashes
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.tamper.sealed_store import SealedStore

STREAM = "example-ns/audit-logs#2026-01-01/0"
MAPPER = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)


def _messages(first: int, last: int) -> tuple[Message, ...]:
    return tuple(
        Message(b'{"records":[]}', number, str(number), "2026-01-09T23:00:00Z")
        for number in range(first, last + 1)
    )


def _locked(world: SealedStore, spans: Iterable[tuple[int, int]]) -> str:
    """Lock a run for each span of numbers, all in one object; return its key."""
    runs = [Run(STREAM, _messages(*span)) for span in spans]
    batch = [Delivery(run.unit, event_hub.frame(run)) for run in runs]
    (locked,) = lock_batch(MAPPER, batch, world.store).objects
    return locked.key


class _Counting:
    """What reads bodies of a store, and counts them."""

    def __init__(self, world: SealedStore) -> None:
        self.read: list[str] = []
        self._bodies = world.store.bodies
        world.store.bodies = self.bodies  # type: ignore[method-assign]

    def bodies(self, versions: Iterable[tuple[str, str]]) -> Iterator[bytes | None]:
        wanted = list(versions)
        self.read += [key for key, _ in wanted]
        return self._bodies(wanted)


def test_an_object_of_many_overlapping_runs_is_read_again_once() -> None:
    world = SealedStore()
    key = _locked(world, [(first, first + 5) for first in range(1, 60)])
    world.seal()
    counting = _Counting(world)
    report = world.verify(deep=False)
    assert ([], 290) == (report.findings, report.units["duplicate messages"])
    assert 1 == counting.read.count(key)


def test_of_many_objects_those_read_last_are_kept() -> None:
    """Beyond the bound, the one that was asked for longest ago is read again."""
    world = SealedStore()
    spans = ((1, 2), (2, 3), (3, 4))
    keys = [_locked(world, [span]) for span in spans]
    counting = _Counting(world)
    hashes = RunHashes(world.store, most=2 * 2 * 32)

    def ask(number: int) -> None:
        key, (first, last) = keys[number], spans[number]
        version = next(iter(world.store.versions(key))).id
        unit = world.edit(key).units[0].line
        run = report.Run("azure_monitor", STREAM, first, last, "", 0, key, version, unit["unit"])
        assert unit["messages"]["h"] == hashes.of(run)

    for number in (0, 1, 0, 2, 0, 1):
        ask(number)
    assert [keys[0], keys[1], keys[2], keys[1]] == counting.read
