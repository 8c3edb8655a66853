"""Redelivery of an Event Hub: whatever the edges of the batches, every record counts once."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message
from nhi_evidence.event import Delivery
from nhi_evidence.evidence import counting, frame, keys, ranges
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock
from nhi_evidence.pipeline.scope import Scope
from tests.examples import examples
from tests.memory_store import MemoryStore
from tests.reading import raw_of

STREAM = "example-ns/audit-logs#2026-03-01/3"
MAPPER = Mapper("azure_monitor", scope=Scope.ALL)
BODY = st.sampled_from(
    [
        b"",
        b"text",
        b"\xff",
        b'{"records":[]}',
        b'[{"a":1},{"a":2}]',
        b'{"records":[{"category":"Administrative"},{"a":1} , 7]}',
        b'{"records":[{"a":1}',
    ]
)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Message], list[list[Message]]]:
    """Messages of a partition, and batches that together hold each at least once."""
    bodies = draw(st.lists(st.tuples(BODY, st.integers(0, 99)), min_size=1, max_size=12))
    first = draw(st.integers(0, 2**40))
    messages = [
        Message(body + b" " * blanks, first + n, str(n), "2026-03-02T08:15:30.000000Z")
        for n, (body, blanks) in enumerate(bodies)
    ]
    edges = st.tuples(st.integers(0, len(messages) - 1), st.integers(1, len(messages)))
    batches = [messages[start : start + size] for start, size in draw(st.lists(edges, max_size=6))]
    batches += [[*one, draw(st.sampled_from(one))] for one in batches[:2]]
    cut = draw(st.integers(0, len(messages)))
    batches += [half for half in (messages[:cut], messages[cut:]) if half]
    return messages, draw(st.permutations(batches))


def held(store: MemoryStore) -> list[tuple[ranges.Held, list[bytes]]]:
    """What each unit holds, read from the evidence objects alone."""
    found = []
    for index, key in enumerate(sorted(store.keys("ev/"))):
        lines = frame.unpack(store.get(key), limit=1 << 30)
        one = ranges.held(index, [lines])
        assert one is not None
        assert keys.encode_unit(f"{STREAM}/{one.claim.first}-{one.claim.last}") in key
        found.append((one, lines))
    return found


@examples(60)
@given(deliveries())
def test_every_record_is_counted_once(drawn: tuple[list[Message], list[list[Message]]]) -> None:
    """Shifted edges, duplicated messages, batches again: one count for each record, none lost."""
    messages, batches = drawn
    store = MemoryStore()
    for batch in batches:
        for run in event_hub.runs(STREAM, batch):
            delivery = Delivery(run.unit, event_hub.frame(run), hour="2026030208")
            lock(MAPPER, delivery, store, keep_source=False)
    units = held(store)
    stream = counting.count_ranges(one.claim for one, _ in units)[STREAM]
    assert [one.sequence for one in messages] == list(stream.counted)
    assert ((), (), ()) == (stream.contested, stream.gaps, stream.invalid)
    for message in messages:
        assert message.sequence is not None
        one, lines = units[stream.counted[message.sequence]]
        assert sha256(message.body).digest() == one.claim.hashes[message.sequence]
        begin, end = one.records[message.sequence]
        kept = [raw_of(line) for line in lines[1:] if line.startswith(b'{"i":')]
        alone = MAPPER.source.decode(
            event_hub.frame(event_hub.Run(STREAM, (message,))), MAPPER.limits
        )
        expected = [alone.record(index).raw for index in range(len(alone.spans))]  # type: ignore[union-attr]
        assert expected == kept[begin:end]


@examples(40)
@given(deliveries(), st.data())
def test_another_message_under_a_number_is_contested(
    drawn: tuple[list[Message], list[list[Message]]], data: st.DataObject
) -> None:
    """Neither of two different messages of one number is counted, and every other one is."""
    messages, batches = drawn
    chosen = data.draw(st.sampled_from(messages))
    forged = Message(chosen.body + b"!", chosen.sequence, chosen.offset, chosen.enqueued)
    store = MemoryStore()
    for batch in [*batches, [forged]]:
        for run in event_hub.runs(STREAM, batch):
            lock(MAPPER, Delivery(run.unit, event_hub.frame(run)), store, keep_source=False)
    stream = counting.count_ranges(one.claim for one, _ in held(store))[STREAM]
    assert (chosen.sequence,) == stream.contested
    assert [one.sequence for one in messages if one is not chosen] == list(stream.counted)
