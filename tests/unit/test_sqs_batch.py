"""Which messages of a batch are processed together, and which alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nhi_evidence.adapters.aws import sqs_batch
from nhi_evidence.adapters.aws.sqs_batch import Message
from nhi_evidence.embedded import sqs_messages
from nhi_evidence.errors import DeliveryRefusedError


def message(name: str, receives: int) -> Message:
    return Message(name, "", f"receipt of {name}", receives, 0)


def order(receives: dict[str, int], units: dict[str, set[str]], seed: str = "1") -> sqs_batch.Order:
    messages = [message(name, number) for name, number in receives.items()]
    return sqs_batch.order(messages, units, seed=seed)


def test_an_event_is_read() -> None:
    """It gives id, body, receipt and receive count of each message, and the queue's ARN."""
    event = sqs_messages.event(["a", "b", "a"], receives=4)
    batch = sqs_batch.read(event)
    assert [record["messageId"] for record in event["Records"]] == [
        message.id for message in batch.messages
    ]
    assert 3 == len({message.id for message in batch.messages})
    assert [("a", 4), ("b", 4), ("a", 4)] == [
        (message.body, message.receives) for message in batch.messages
    ]
    assert batch.queue_arn == event["Records"][0]["eventSourceARN"]


OTHER_QUEUE = {
    "Records": [
        *sqs_messages.event(["a"])["Records"],
        {**sqs_messages.event(["b"])["Records"][0], "eventSourceARN": "arn:aws:sqs:x:1:other"},
    ]
}


@pytest.mark.parametrize(
    "event",
    [{}, [], None, {"Records": []}, {"Records": [{}]}, {"Records": ["x"]}, OTHER_QUEUE],
    ids=lambda event: json.dumps(event)[:30],
)
def test_anything_but_a_batch_of_one_queue_is_refused(event: Any) -> None:
    """There is nothing to answer per item, so it must fail as a whole."""
    with pytest.raises(DeliveryRefusedError, match="not a batch"):
        sqs_batch.read(event)


def test_from_the_third_receive_on_a_unit_is_processed_alone() -> None:
    """Twice is no sign of trouble: messages sometimes come twice."""
    ordered = order({"m1": 1, "m2": 2, "m3": 3}, {"m1": {"a"}, "m2": {"b"}, "m3": {"c", "d"}})
    assert ("a", "b") == ordered.together
    assert {"c", "d"} == set(ordered.alone)


def test_the_most_received_message_of_a_unit_decides() -> None:
    """A new notification does not put a poisonous unit back among the others."""
    ordered = order({"m1": 5, "m2": 1}, {"m1": {"a"}, "m2": {"a", "b"}})
    assert (("b",), ("a",)) == (ordered.together, ordered.alone)


def test_units_processed_alone_come_in_another_order_each_time() -> None:
    """A unit behind the poison in one invocation is ahead of it in another."""
    receives = {f"m{n}": 3 for n in range(20)}
    units = {name: {f"unit of {name}"} for name in receives}
    orders = {order(receives, units, seed=str(seed)).alone for seed in range(20)}
    assert 20 == len(orders)
    assert {frozenset(one) for one in orders} == {frozenset(next(iter(orders)))}
    assert order(receives, units).alone == order(receives, units).alone
    for name in receives:
        places = [
            order(receives, units, seed=str(seed)).alone.index(f"unit of {name}")
            for seed in range(20)
        ]
        assert min(places) < 8


def test_a_backlog_is_not_processed_one_by_one() -> None:
    """After three locked in a row, batches double each time; a failure starts over."""
    assert [1, 1, 1, 2, 4, 8] == [sqs_batch.group_size(streak) for streak in range(6)]
