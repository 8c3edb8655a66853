"""Runs of Event Hub messages and the bytes they are delivered as."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest

from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message, Run
from nhi_evidence.event import Decoded, Delivery, Limits, Undecodable
from nhi_evidence.event import Message as NumberedMessage
from nhi_evidence.evidence import objects
from nhi_evidence.evidence.leaf import ObjectLeaf
from nhi_evidence.evidence.verify.report import Run as StoredRun
from nhi_evidence.evidence.verify.streams import run_of
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.sources import azure_monitor
from tests.memory_store import MemoryStore
from tests.reading import Unit

STREAM = "example-ns/insights#2026-03-02T08:00:00Z/3"


def message(number: int | None, body: bytes = b"{}") -> Message:
    return Message(body, number, str(number), "2026-03-02T08:15:30.123Z")


def numbers(runs: list[Run]) -> list[list[int | None]]:
    return [[one.sequence for one in run.messages] for run in runs]


def test_a_hole_in_the_numbers_ends_a_run() -> None:
    """A range is valid only if it holds every number it claims."""
    runs = event_hub.runs(STREAM, [message(n) for n in (5, 6, 9, 10, 12)])
    assert [[5, 6], [9, 10], [12]] == numbers(runs)
    assert f"{STREAM}/9-10!h=2026030208" == runs[1].unit


def test_a_message_delivered_twice_is_taken_once() -> None:
    """Equal bytes under one number are one message, in any order."""
    runs = event_hub.runs(STREAM, [message(6), message(5), message(6)])
    assert [[5, 6]] == numbers(runs)


def test_two_messages_of_one_number_both_stay() -> None:
    """Different bytes under one number are contested when counting, not by the writer."""
    runs = event_hub.runs(STREAM, [message(5), message(6, b"one"), message(6, b"other")])
    assert [[5, 6], [6]] == numbers(runs)


def test_a_run_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message above the limit is a run of its own, so it affects no other."""
    monkeypatch.setattr(event_hub, "RUN_BYTES", 100)
    sizes = [60, 30, 30, 500, 10]
    runs = event_hub.runs(STREAM, [message(n, b"x" * size) for n, size in enumerate(sizes)])
    assert [[0, 1], [2], [3], [4]] == numbers(runs)


def test_a_message_without_a_number_is_named_by_its_bytes() -> None:
    """It claims no range, and the same bytes give the same unit."""
    first, other = event_hub.runs(STREAM, [message(None, b"a"), message(None, b"b")])
    assert first.unit != other.unit
    assert first.unit == event_hub.runs(STREAM, [message(None, b"a")])[0].unit
    assert event_hub.claimed(first.unit) is None


BODIES = [b"", b"\n", b"{}", b"\xff\x00\r\n", b'{"k":"run","v":1}\n', "ü📦".encode()]


def test_a_framed_run_gives_every_message_back_byte_for_byte() -> None:
    """Any bytes work: empty, newlines, not UTF-8, a frame inside a frame."""
    run = Run(STREAM, tuple(message(n, body) for n, body in enumerate(BODIES)))
    data = event_hub.frame(run)
    opening, framed = event_hub.read(data)
    assert (STREAM, len(BODIES)) == (opening.stream, opening.messages)
    assert BODIES == [data[one.start : one.end] for one in framed]
    assert list(range(len(BODIES))) == [one.sequence for one in framed]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data + b'{"sequence":9,"size":0}\n\n',
        lambda data: data.replace(b'"sequence":1', b'"sequence":7'),
        lambda data: data.replace(b'"size":2', b'"size":1'),
        lambda data: data.replace(b'"size":2', b'"size":-2'),
        lambda data: data.replace(b'"v":1', b'"v":2'),
        lambda data: data.replace(b'"messages":2', b'"messages":3'),
        lambda data: data.replace(b'"messages":2', b'"messages":2,"more":1'),
        lambda data: data.partition(b"\n")[0],
        lambda data: data.partition(b"\n")[0] + b"\n",
    ],
)
def test_a_damaged_run_is_refused(damage: Any) -> None:
    """Anything but an exact framed run is kept whole as a rejection unit."""
    data = damage(event_hub.frame(Run(STREAM, (message(0), message(1)))))
    decoded = azure_monitor.decode(data, Limits())
    assert isinstance(decoded, Undecodable)
    assert "run_malformed" == decoded.reason


@dataclass
class Body:
    """A message and the records in it."""

    body: bytes
    records: list[bytes]


MESSAGES = [
    Body(b'{"records":[{"a":1}, {"b" : 2}]}', [b'{"a":1}', b'{"b" : 2}']),
    Body(b' [ {"a":1},{"b":2} ]\n', [b'{"a":1}', b'{"b":2}']),
    Body(b'{"records": [ {"a":1},{"b":nope},{"c":3}]}', [b'{"a":1}', b'{"b":nope}', b'{"c":3}']),
    Body(b'{"category":"Administrative"}', [b'{"category":"Administrative"}']),
    Body(b'{"records":[]}', []),
    Body(b"[]", []),
    Body(b"some text", [b"some text"]),
    Body(b"", [b""]),
    Body(b"\xff\xfe", [b"\xff\xfe"]),
    Body(b'{"records":[{"a":1}', [b'{"records":[{"a":1}']),
    Body(b'{"records":[{"a":1}],"more":1}', [b'{"records":[{"a":1}],"more":1}']),
    Body(b'{"records":[{"a":1}],"records":[]}', [b'{"records":[{"a":1}],"records":[]}']),
]


@pytest.mark.parametrize("form", MESSAGES)
def test_every_form_of_message_is_cut_into_exact_records(form: Body) -> None:
    """A list in an envelope, a bare list, one object; anything else is one record as it is."""
    data = event_hub.frame(Run(STREAM, (message(4, form.body),)))
    decoded = azure_monitor.decode(data, Limits())
    assert isinstance(decoded, Decoded)
    assert form.records == [decoded.record(index).raw for index in range(len(decoded.spans))]
    assert [(4, len(form.records))] == [(each.number, each.records) for each in decoded.messages]


def locked(
    run: Run, store: MemoryStore, *, unit: str = "", limits: Limits | None = None
) -> StoredRun | str | None:
    """Lock a run; return what its unit line states about its messages."""
    body = event_hub.frame(run)
    _, framed = event_hub.read(body)
    delivery = Delivery(
        unit or run.unit,
        body,
        messages=tuple(NumberedMessage(one.sequence or 0, one.start, one.end, 0) for one in framed),
    )
    mapper = Mapper("azure_monitor", keep_out_of_scope_raw=True, limits=limits)
    lock_batch(mapper, [delivery], store).ensure_locked()
    (key,) = store.keys("ev/")
    table, _ = objects.read_object(store.get(key))
    return run_of("azure_monitor", table.units[0], ObjectLeaf(key, "v", 0, 0))


def test_a_sealed_run_states_its_messages() -> None:
    """The range and the records of every message can be read from the evidence object alone."""
    run = Run(STREAM, tuple(message(7 + n, one.body) for n, one in enumerate(MESSAGES)))
    store = MemoryStore()
    stored = locked(run, store)
    assert isinstance(stored, StoredRun)
    assert (STREAM, 7, 18) == (stored.stream, stored.first, stored.last)
    unit = Unit(store)
    assert unit.messages is not None
    assert [sha256(one.body).hexdigest() for one in MESSAGES] == unit.messages["h"]
    assert [len(one.records) for one in MESSAGES] == unit.messages["n"]
    assert [raw for one in MESSAGES for raw in one.records] == unit.raw()
    assert event_hub.frame(run) == unit.rebuilt()


def test_a_rejection_unit_states_its_messages_too() -> None:
    """A run kept whole because of a record above the limit still counts as a range."""
    run = Run(STREAM, (message(7, b"x" * 40), message(8)))
    store = MemoryStore()
    stored = locked(run, store, limits=Limits(record_bytes=39))
    unit = Unit(store)
    assert "record_limit" == unit.rejection
    assert isinstance(stored, StoredRun)
    assert (7, 8) == (stored.first, stored.last)
    assert unit.messages is not None
    assert [0, 0] == unit.messages["n"]


def test_a_name_that_claims_more_than_it_holds_is_not_a_valid_range() -> None:
    """The name makes the claim, but the object has the messages."""
    run = Run(STREAM, (message(7), message(8)))
    stored = locked(run, MemoryStore(), unit=f"{STREAM}/7-9!h=2026030208")
    assert "2 messages from 7" == stored


@pytest.mark.parametrize(
    ("enqueued", "ending"),
    [
        ("2026-03-02T08:59:59.999Z", "!h=2026030208"),
        (None, ""),
        ("", ""),
        ("soon", ""),
        ("2026-03-02", ""),
    ],
)
def test_the_hour_of_a_run_is_that_of_its_first_message(enqueued: str | None, ending: str) -> None:
    """As stated by the hub; if it states none, the name claims none."""
    run = Run(STREAM, (Message(b"{}", 5, "5", enqueued), message(6)))
    assert f"{STREAM}/5-6{ending}" == run.unit
    assert (STREAM, 5, 6) == event_hub.claimed(run.unit)
    hour = ending.removeprefix("!h=") or "unknown"
    assert hour == Mapper("azure_monitor", keep_out_of_scope_raw=True).hour(run.unit)
