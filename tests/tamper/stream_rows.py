"""Rows of the matrix about the runs of an Event Hub's partition."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.event import Delivery
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.memory_store import DAY_MS
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR_MS, SealedStore

STREAM = "example-ns/audit-logs#2026-01-01/0"
AGAIN = "example-ns/audit-logs#2026-01-05/0"
WHERE = f"azure_monitor: {STREAM}"
MAPPER = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)


ENQUEUED = "2026-01-09T23:00:00Z"


def _message(number: int, body: str = "", enqueued: str = ENQUEUED) -> Message:
    text = body or json.dumps({"records": [{"category": "Administrative", "n": number}]})
    return Message(text.encode(), number, str(number), enqueued)


def _write(
    world: SealedStore, messages: Iterable[Message], *, stream: str = STREAM, unit: str = ""
) -> str:
    run = Run(stream, tuple(messages))
    delivery = Delivery(unit or run.unit, event_hub.frame(run))
    (locked,) = lock_batch(MAPPER, [delivery], world.store).objects
    return locked.key


def write_run(world: SealedStore, first: int, last: int, *, stream: str = STREAM) -> str:
    """Lock a run of messages; return the key of its object."""
    return _write(world, map(_message, range(first, last + 1)), stream=stream)


@row("runs of a stream that overlap with the same bytes")
def overlap(world: SealedStore) -> Done:
    for first, last in ((1, 4), (3, 6), (5, 5), (7, 9)):
        write_run(world, first, last)
    world.seal()
    return Done(set())


@row("a run of a stream that never came")
def gap(world: SealedStore) -> Done:
    write_run(world, 1, 3)
    write_run(world, 7, 9)
    world.seal()
    return Done({("range_gap", WHERE)})


@row("a run of a stream with one bit flipped, whose messages are nowhere else")
def flipped_run(world: SealedStore) -> Done:
    write_run(world, 1, 3)
    key = write_run(world, 4, 6)
    write_run(world, 7, 9)
    world.seal()
    body = bytearray(world.store.get(key))
    body[len(body) // 2] ^= 1
    world.rewrite(key, bytes(body))
    return Done({("object_altered", key), ("range_gap", WHERE)})


@row("overlapping runs of a stream with different bytes under one number")
def other_bytes(world: SealedStore) -> Done:
    write_run(world, 1, 4)
    _write(world, [_message(4, "another"), _message(5)])
    world.seal()
    return Done({("range_contested", WHERE)})


@row("a run that claims more numbers than it has messages")
def claims_more(world: SealedStore) -> Done:
    write_run(world, 1, 3)
    key = _write(world, map(_message, (4, 5)), unit=f"{STREAM}/4-9!h=2026010923")
    world.seal()
    return Done({("range_invalid", key)})


@row("a run that claims the numbers of others")
def claims_others(world: SealedStore) -> Done:
    write_run(world, 1, 6)
    key = _write(world, map(_message, (7, 8)), unit=f"{STREAM}/2-3!h=2026010923")
    world.seal()
    return Done({("range_invalid", key)})


@row("a hub removed and recreated under its name, its numbers starting again")
def hub_again(world: SealedStore) -> Done:
    write_run(world, 100, 103)
    write_run(world, 1, 2, stream=AGAIN)
    world.seal()
    return Done(set())


@row("a run of a stream removed after lock and grace")
def expired_run(world: SealedStore) -> Done:
    write_run(world, 1, 3)
    key = write_run(world, 4, 6)
    write_run(world, 7, 9)
    world.seal()
    world.store.remove(key)
    world.now += 2 * DAY_MS + HOUR_MS
    return Done(set())


@row("a run of a stream that never came, between one and another named into an expired hour")
def named_into_an_expired_hour(world: SealedStore) -> Done:
    key = write_run(world, 1, 3, stream=AGAIN)
    world.seal()
    world.now += 2 * DAY_MS + HOUR_MS
    world.store.remove(key)
    _write(world, [_message(number, enqueued="2026-01-12T00:00:00Z") for number in (1, 2)])
    write_run(world, 5, 6)
    world.seal()
    return Done({("range_gap", WHERE)})
