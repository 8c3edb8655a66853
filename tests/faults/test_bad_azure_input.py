"""Every bad input from an Event Hub is locked, as a rejected record or as received."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given

from nhi_evidence.adapters.azure import event_hub_trigger
from nhi_evidence.adapters.azure.exporter import Exporter, Settings
from nhi_evidence.azure import event_hub
from nhi_evidence.azure.event_hub import Message
from nhi_evidence.errors import SettingsError, StoreUnavailableError
from nhi_evidence.event import Delivery, Limits, Rejection
from nhi_evidence.pipeline.export import Mapper, Normalized
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.cases.reader import cases, read
from tests.examples import examples
from tests.memory_store import MemoryStore
from tests.ocsf_schema import problems
from tests.property.strategies import JSON
from tests.reading import Unit, counted

ACTIVITY = Mapper("azure_activity", scope=Scope.ALL, keep_out_of_scope_raw=True)
MONITOR = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)
GOOD: dict[str, Any] = read(cases("azure_activity")["identity-02-application"]).record


def encode(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def without(name: str) -> dict[str, Any]:
    return {attribute: value for attribute, value in GOOD.items() if attribute != name}


def locked(*records: bytes) -> Unit:
    body = b'{"records":[' + b",".join(records) + b"]}"
    run = event_hub.Run("n/h#1/0", (Message(body, 1),))
    store = MemoryStore()
    outcome = lock_batch(MONITOR, [Delivery(run.unit, event_hub.frame(run))], store)
    unit = Unit(store)
    assert {} == outcome.unmapped
    assert unit.seen == sum(locked.records for locked in outcome.objects)
    assert unit.rebuilt() == event_hub.frame(run)
    return unit


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (encode(without("category")), "category_missing"),
        (encode({**GOOD, "category": None}), "category_missing"),
        (encode({**GOOD, "category": 7}), "category_malformed"),
        (encode({**GOOD, "category": ["Administrative"]}), "category_malformed"),
        (encode({**GOOD, "category": "Unheard"}), "category_unknown"),
        (encode(without("time")), "event_time_missing"),
        (encode({**GOOD, "time": None}), "event_time_missing"),
        (encode({**GOOD, "time": ["2026-03-02T08:15:30Z"]}), "event_time_malformed"),
        (encode({**GOOD, "time": 1772439330}), "event_time_malformed"),
        (encode({**GOOD, "time": "2026-03-02T08:15:30"}), "event_time_malformed"),
        (encode({**GOOD, "time": "2026-13-02T08:15:30Z"}), "event_time_malformed"),
        (encode({**GOOD, "time": ""}), "event_time_malformed"),
        (encode(without("operationName")), "event_name_missing"),
        (encode({**GOOD, "operationName": ""}), "event_name_missing"),
        (encode({**GOOD, "operationName": "GetBlob"}), "event_source_missing"),
        (encode({**GOOD, "operationName": "/write"}), "event_source_missing"),
        (encode(GOOD).replace(b"Informati", b"\xff"), "invalid_utf8"),
        (encode({**GOOD, "level": "x"}).replace(b'"x"', b'"\\ud800"'), "malformed_json"),
        (encode(GOOD)[:-1] + b',"x":NaN}', "malformed_json"),
        (encode(GOOD)[:-1] + b',"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nesting_too_deep"),
        (b"7", "record_not_an_object"),
        (b"null", "record_not_an_object"),
        (b'"text"', "record_not_an_object"),
        (b"[1]", "record_not_an_object"),
        (b"nonsense", "malformed_json"),
        (encode({**GOOD, "level": "x" * (2 << 20)}), "record_too_large"),
    ],
)
def test_a_bad_record_is_kept_raw_and_affects_no_other(record: bytes, reason: str) -> None:
    """It is rejected with its reason; the records around it are mapped."""
    unit = locked(encode(GOOD), record, encode(GOOD))
    assert {1: reason} == unit.reasons()
    assert record == unit.raw()[1]
    assert [True, False, True] == ["n" in line for line in unit.lines]


@pytest.mark.parametrize("attribute", sorted(GOOD))
@given(value=JSON)
@examples(12)
def test_any_shape_of_any_attribute_is_accounted_for(attribute: str, value: Any) -> None:
    """It is mapped to valid OCSF or rejected with a reason, and never a crash."""
    mapped = ACTIVITY.map(encode({**GOOD, attribute: value}))
    if isinstance(mapped, Rejection):
        assert mapped.reason
        return
    assert isinstance(mapped, Normalized)
    assert [] == problems(json.loads(msgspec.json.encode(mapped.record)))


@pytest.mark.parametrize("name", sorted([*GOOD["identity"]["claims"], "scp", "xms_act_fct", "amr"]))
@given(value=JSON)
@examples(8)
def test_any_shape_of_any_claim_is_accounted_for(name: str, value: Any) -> None:
    """A malformed claim counts as absent; the actor is still decided."""
    identity = {**GOOD["identity"], "claims": {**GOOD["identity"]["claims"], name: value}}
    mapped = ACTIVITY.map(encode({**GOOD, "identity": identity}))
    assert isinstance(mapped, Normalized | Rejection)
    if isinstance(mapped, Normalized):
        record = json.loads(msgspec.json.encode(mapped.record))
        assert record["nhi"]["decision_rule"].startswith("AZ-")
        assert [] == problems(record)


class Event:
    """A message as the trigger passes it."""

    offset = "7"
    enqueued_time = None

    def __init__(self, body: bytes, number: int | None, context: Any) -> None:
        self._body = body
        self.sequence_number = number
        self.metadata = {"PartitionContext": context}

    def get_body(self) -> bytes:
        return self._body


SETTINGS = Settings(
    hub_namespace="ns",
    hub="hub",
    hub_creation_id="1",
    bucket="bucket",
    bucket_owner="111122223333",
    bucket_region="eu-west-1",
    writer_role_arn="role",
    token_audience="api://x",
    keep_out_of_scope_raw=True,
)
PARTITION = {"PartitionId": "3"}


def test_a_message_that_breaks_its_run_is_kept_and_blocks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its neighbors are mapped; it is locked as received, and the failure is logged."""
    mapper = Mapper("azure_monitor", scope=Scope.ALL, keep_out_of_scope_raw=True)
    genuine = mapper.source.decode

    def failing(data: bytes, limits: Limits) -> Any:
        if b"poison" in data:
            raise ZeroDivisionError("a defect")
        return genuine(data, limits)

    monkeypatch.setattr(mapper.source, "decode", failing)
    store = MemoryStore()
    bodies = [encode(GOOD), encode({**GOOD, "level": "poison"}), encode(GOOD)]
    events = [Event(body, 5 + n, PARTITION) for n, body in enumerate(bodies)]
    apart = [Event(encode(GOOD), 20, PARTITION)]  # another run of the batch
    together, singly = Exporter(SETTINGS, mapper, store).export([*events, *apart], written={})
    names = [f"ns/hub#1/3/{number}-{number}" for number in (5, 6, 7, 20)]
    assert ({names[3]}, {}) == (together.locked, together.unmapped)
    assert set(names[:3]) == singly.locked
    assert {names[1]: ZeroDivisionError} == {
        name: type(error) for name, error in singly.unmapped.items()
    }
    assert [1, 1] == [len(outcome.objects) for outcome in (together, singly)]
    kept = {name: Unit(store, name) for name in names}
    assert [1, 0, 1, 1] == [unit.seen for unit in kept.values()]
    guilty = kept[names[1]]
    assert "mapper_failed" == guilty.rejection
    assert b"poison" in b"".join(guilty.raw())
    assert {"first": 6, "h": [sha256(bodies[1]).hexdigest()], "n": [0]} == guilty.messages
    assert {"counted"} == {status for status, *_ in counted(store).values()}
    again = list(Exporter(SETTINGS, mapper, store).export([*events, *apart], written={}))
    assert [[False], [False]] == [[one.created for one in outcome.objects] for outcome in again]


def test_an_unavailable_store_fails_the_batch() -> None:
    """The exception keeps the checkpoint where it is, and nothing is acknowledged."""

    class Away:
        def put_new(self, *_: object, **__: object) -> Any:
            raise StoreUnavailableError("away")

    exporter = Exporter(SETTINGS, MONITOR, Away())
    with pytest.raises(StoreUnavailableError, match="away"):
        list(exporter.export([Event(encode(GOOD), 5, PARTITION)], written={}))


@pytest.mark.parametrize(
    "context", [None, {}, "", "{", "[]", {"PartitionId": None}, {"PartitionId": ""}, 7]
)
def test_a_batch_without_a_partition_claims_no_range(context: Any) -> None:
    """It is named after its bytes: numbers of two partitions must not mix in one stream."""
    stream, messages = event_hub_trigger.messages(
        event_hub_trigger.Hub("ns", "hub", "1"), [Event(b"{}", 5, context)]
    )
    assert ("ns/hub#1/unknown", [None]) == (stream, [one.sequence for one in messages])


@pytest.mark.parametrize(
    "context",
    [
        {**PARTITION, "EventHubName": "other"},
        {**PARTITION, "FullyQualifiedNamespace": "other.servicebus.windows.net"},
    ],
)
def test_a_batch_of_another_hub_is_refused(context: Any) -> None:
    """The error names the wrong setting."""
    with pytest.raises(SettingsError, match=r"NHI_EVIDENCE_HUB.*'other'"):
        event_hub_trigger.messages(
            event_hub_trigger.Hub("ns", "hub", "1"), [Event(b"{}", 5, context)]
        )
