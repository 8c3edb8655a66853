"""A batch of SQS messages: what it names, and what to process together or alone. Pure.

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
"""A message received this often is processed alone: it, or one beside it, may kill the process."""

_LOCKED_IN_A_ROW = 3
"""After this many successes the rest is a backlog rather than poison, and is grouped again."""


class Message(msgspec.Struct, frozen=True):
    """One message of a batch."""

    id: str
    body: str
    receipt: str
    """Handle that deletes it, until it becomes visible again."""
    receives: int
    """How often it was received, including this time; approximate."""
    sent_ms: int
    """When it was sent, milliseconds since the epoch."""


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
    """The messages of one invocation."""

    queue_arn: str
    messages: tuple[Message, ...]


def read(event: object) -> Batch:
    """Read the event of an invocation.

    Raises `DeliveryRefusedError` when it is not a batch of SQS messages from one queue: there are
    no items to report as failed.
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
    """The objects that the messages of a batch name."""

    objects: Mapping[str, tuple[ObjectRef, ...]]
    """By message id; refused messages are not in it."""
    refused: Mapping[str, DeliveryRefusedError]
    """By message id."""


def named(messages: Iterable[Message]) -> Named:
    """Read what each message names; only a message that is not understood is refused."""
    objects: dict[str, tuple[ObjectRef, ...]] = {}
    refused: dict[str, DeliveryRefusedError] = {}
    for message in messages:
        try:
            objects[message.id] = s3_notification.objects(message.body)
        except DeliveryRefusedError as error:
            refused[message.id] = error
    return Named(objects, refused)


class Order(msgspec.Struct, frozen=True):
    """Which units of a batch to process together, and which to process alone afterwards."""

    together: tuple[str, ...]
    """Units, sorted by name."""
    alone: tuple[str, ...]
    """Units, in an order specific to this invocation."""


def order(messages: Iterable[Message], units: Mapping[str, Collection[str]], *, seed: str) -> Order:
    """Divide units into those to process together and alone, by their messages' receive counts.

    `units` are those each message names, by its id; a unit counts as received as often as the most
    received message that names it. An invocation that is killed acknowledges nothing but what it
    deleted, so units that go alone come in a different order each time (by a hash of the unit and
    `seed`, the invocation's id): one that is behind the poison now will soon be before it.
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
    """Return how many of the units that go alone to take next.

    One at a time until three in a row have locked; then twice as many each time, so that a backlog
    after an outage is not sent one by one, and poison still among it costs only what is grouped
    with it and what comes after.
    """
    if locked_in_a_row < _LOCKED_IN_A_ROW:
        return 1
    return 1 << (locked_in_a_row - _LOCKED_IN_A_ROW + 1)
