"""A batch of SQS messages: what it names, what goes together and what goes alone. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256

import msgspec

from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.errors import DeliveryRefusedError

ALONE_FROM = 3
"""From so many receives on a message goes alone: it, or one beside it, may kill the process."""

_LOCKED_IN_A_ROW = 3
"""After so many that locked, what is left is a backlog rather than poison, and grouped again."""


class Message(msgspec.Struct, frozen=True):
    """One message of a batch."""

    id: str
    body: str
    receipt: str
    """What deletes it, until it is visible again."""
    receives: int
    """How often it was handed out, this time included; approximate."""
    sent_ms: int
    """When it was sent, since the epoch."""


class _Attributes(msgspec.Struct, rename="pascal"):
    approximate_receive_count: int
    sent_timestamp: int


class _Record(msgspec.Struct, rename="camel"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: _Attributes
    queue_arn: str = msgspec.field(name="eventSourceARN")


class _Event(msgspec.Struct):
    records: list[_Record] = msgspec.field(name="Records")


class Batch(msgspec.Struct, frozen=True):
    """What Lambda hands over at once."""

    queue_arn: str
    messages: tuple[Message, ...]


def read(event: object) -> Batch:
    """Read the event Lambda hands over.

    Raises `DeliveryRefusedError` when it is no batch of SQS messages: it has no items to answer.
    """
    try:
        records = msgspec.convert(event, _Event, strict=False).records
    except msgspec.ValidationError as error:
        raise DeliveryRefusedError(f"not a batch of SQS messages: {error}") from error
    queues = {record.queue_arn for record in records}
    if len(queues) != 1:
        raise DeliveryRefusedError(f"not a batch of one queue: {sorted(queues)}")
    messages = tuple(
        Message(
            record.message_id,
            record.body,
            record.receipt_handle,
            record.attributes.approximate_receive_count,
            record.attributes.sent_timestamp,
        )
        for record in records
    )
    return Batch(queues.pop(), messages)


class Named(msgspec.Struct, frozen=True):
    """The objects the messages of a batch name."""

    objects: Mapping[str, tuple[ObjectRef, ...]]
    """By message id; messages that are refused are not in it."""
    refused: Mapping[str, DeliveryRefusedError]
    """By message id."""


def named(messages: Iterable[Message]) -> Named:
    """Read what each message names; one that is not understood is refused alone."""
    objects: dict[str, tuple[ObjectRef, ...]] = {}
    refused: dict[str, DeliveryRefusedError] = {}
    for message in messages:
        try:
            objects[message.id] = s3_notification.objects(message.body)
        except DeliveryRefusedError as error:
            refused[message.id] = error
    return Named(objects, refused)


class Order(msgspec.Struct, frozen=True):
    """What of a batch goes together, and what alone after it."""

    together: tuple[str, ...]
    """Units, sorted by name."""
    alone: tuple[str, ...]
    """Units, in an order of this invocation's own."""


def order(messages: Iterable[Message], units: Mapping[str, Collection[str]], *, seed: str) -> Order:
    """Tell the units that go together from those that go alone, by their messages' receives.

    `units` are those each message names, by its id; a unit is received as often as the message
    of it that was received most. An invocation that is killed acknowledges nothing but what it
    deleted, so those that go alone come in another order each time (by a hash of `seed`, the
    invocation's id, and the unit): whoever stands behind the poison once stands before it soon.
    """
    receives: dict[str, int] = {}
    for message in messages:
        for unit in units.get(message.id, ()):
            receives[unit] = max(receives.get(unit, 0), message.receives)
    alone = [unit for unit, number in receives.items() if number >= ALONE_FROM]
    return Order(
        together=tuple(sorted(receives.keys() - set(alone))),
        alone=tuple(sorted(alone, key=lambda unit: sha256(f"{seed}\0{unit}".encode()).digest())),
    )


def group_size(locked_in_a_row: int) -> int:
    """Return how many of the units that go alone are taken next.

    One at a time until three in a row have locked; then twice as many each time, so that a
    backlog after an outage is not sent one by one, and poison still among it costs only what
    is grouped with it and what comes after.
    """
    if locked_in_a_row < _LOCKED_IN_A_ROW:
        return 1
    return 1 << (locked_in_a_row - _LOCKED_IN_A_ROW + 1)
