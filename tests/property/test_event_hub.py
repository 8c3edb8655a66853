"""Event Hub redelivery: whatever the batch edges, every record counts once."""

from __future__ import annotations

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message
from nhi_evidence.event import Decoded, Delivery
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.lines import UnitLine
from nhi_evidence.evidence.verify import streams
from nhi_evidence.evidence.verify.report import Run
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.examples import examples
from tests.memory_store import MemoryStore
from tests.reading import counted, raw_of

STREAM = "example-ns/audit-logs#2026-03-01/3"
MAPPER = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)
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
    """Return messages of a partition, and batches that contain each at least once."""
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


class Stored:
    """The stream as stored, read only from the objects."""

    def __init__(self, store: MemoryStore) -> None:
        """Read every run, and weigh runs like a verifier."""
        self.units: dict[Run, tuple[UnitLine, list[bytes]]] = {}
        for key in store.keys("ev/"):
            table, lines = objects.read_object(store.get(key))
            for unit, own in objects.lines_of(table, lines):
                run = streams.run_of("azure_monitor", unit, ObjectLeaf(key, "v", 0, 0))
                assert isinstance(run, Run)
                self.units[run] = unit, list(own)
        weighed = streams.Weighed(sorted(self.units, key=streams.place), {}, self._hashes_of)
        self.findings = [(finding.code, finding.detail) for finding in weighed.findings]

    def _hashes_of(self, run: Run) -> tuple[str, ...]:
        messages = self.units[run][0].messages
        assert messages is not None
        return messages.h

    def records(self, number: int) -> list[tuple[str, list[bytes]]]:
        """Return hash and raw records of a message, for each run with it."""
        matching = []
        for run, (unit, lines) in self.units.items():
            if run.first <= number <= run.last:
                assert unit.messages is not None
                place = number - run.first
                begin = sum(unit.messages.n[:place])
                raws = [raw_of(line) for line in lines if b'"k":"out_of_scope_ids"' not in line]
                matching.append(
                    (unit.messages.h[place], raws[begin : begin + unit.messages.n[place]])
                )
        return matching


def deliver(batch: list[Message], store: MemoryStore) -> None:
    """Lock the runs of a batch together, as the exporter does."""
    runs = event_hub.runs(STREAM, batch)
    lock_batch(
        MAPPER, [Delivery(run.unit, event_hub.frame(run)) for run in runs], store
    ).ensure_locked()


@examples(60)
@given(deliveries())
def test_every_record_is_counted_once(drawn: tuple[list[Message], list[list[Message]]]) -> None:
    """Despite shifted edges, duplicated messages and repeated batches, each record counts once."""
    messages, batches = drawn
    store = MemoryStore()
    for batch in batches:
        deliver(batch, store)
    stored = Stored(store)
    assert [] == stored.findings
    for message in messages:
        assert message.sequence is not None
        alone = MAPPER.source.decode(
            event_hub.frame(event_hub.Run(STREAM, (message,))), MAPPER.settings.limits
        )
        assert isinstance(alone, Decoded)
        expected = [alone.record(index).raw for index in range(len(alone.spans))]
        records = stored.records(message.sequence)
        assert records
        assert all((sha256(message.body).hexdigest(), expected) == one for one in records)
    numbers = {number for run in stored.units for number in range(run.first, run.last + 1)}
    assert {message.sequence for message in messages} == numbers
    assert {"counted"} == {status for status, *_ in counted(store).values()}


@examples(40)
@given(deliveries(), st.data())
def test_another_message_under_a_number_is_contested(
    drawn: tuple[list[Message], list[list[Message]]], data: st.DataObject
) -> None:
    """Two different messages of one number are both shown, and no other is affected."""
    messages, batches = drawn
    chosen = data.draw(st.sampled_from(messages))
    forged = Message(chosen.body + b"!", chosen.sequence, chosen.offset, chosen.enqueued)
    store = MemoryStore()
    for batch in [*batches, [forged]]:
        deliver(batch, store)
    findings = set(Stored(store).findings)
    assert {("range_contested", f"number {chosen.sequence}")} == findings


@examples(30)
@given(deliveries(), st.randoms())
def test_the_order_of_messages_decides_nothing(
    drawn: tuple[list[Message], list[list[Message]]], random: Random
) -> None:
    """The same batch in any order gives the same objects, byte for byte."""
    messages, batches = drawn
    forged = [Message(one.body + b"!", one.sequence) for one in messages[:2]]
    for batch in [*batches, [*messages, *forged]]:
        shuffled = list(batch)
        random.shuffle(shuffled)
        first, other = MemoryStore(), MemoryStore()
        deliver(batch, first)
        deliver(shuffled, other)
        assert first.objects == other.objects
