"""CloudEvents of Google Cloud that name or carry audit logs.

https://github.com/googleapis/google-cloudevents: a finished Cloud Storage object, or a Pub/Sub
message, to which the Functions Framework also converts what a push subscription sends. Whoever may
call the function can claim anything, so both state their origin, and only configured origins are
read.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from nhi_evidence.errors import DeliveryRefusedError
from nhi_evidence.event import LONGEST_DETAIL, Delivery, Undecodable

STORED = "google.cloud.storage.object.v1.finalized"
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"

_PUBSUB = "//pubsub.googleapis.com/"
_FINALIZED = "OBJECT_FINALIZE"


class CloudEvent(Protocol):
    """An event as the Functions Framework passes it."""

    @property
    def data(self) -> Any:
        """Its data: decoded if it was JSON, otherwise text or bytes."""
        ...

    def __getitem__(self, attribute: str) -> Any:
        """Return an attribute; `id`, `source` and `type` always exist."""
        ...


class ObjectRef(msgspec.Struct, frozen=True):
    """The generation of an object that an event names."""

    bucket: str
    name: str
    generation: str

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}@{self.generation}"


class _Message(msgspec.Struct, frozen=True, rename="camel"):
    message_id: str
    data: str = ""
    publish_time: str = ""
    ordering_key: str = ""
    attributes: dict[str, str] = {}


class _Notification(msgspec.Struct, frozen=True, rename="camel"):
    """Attributes of a Cloud Storage notification.

    https://docs.cloud.google.com/storage/docs/pubsub-notifications#attributes
    """

    event_type: str
    bucket_id: str
    object_id: str
    object_generation: str


class _Published(msgspec.Struct, frozen=True):
    message: _Message
    subscription: str = ""


def stored_object(event: CloudEvent) -> ObjectRef:
    """Return the object that a finalized event names.

    Raises `DeliveryRefusedError` when it names none: an event that is not understood must reach a
    human, not vanish.
    """
    try:
        return msgspec.convert(event.data, ObjectRef)
    except msgspec.ValidationError as error:
        raise DeliveryRefusedError(f"event {event['id']} names no object: {error}") from error


def topic_of(event: CloudEvent) -> str:
    """Return the topic that a published event states, as `projects/<project>/topics/<topic>`."""
    return str(event["source"]).removeprefix(_PUBSUB)


def announced_object(event: CloudEvent) -> ObjectRef:
    """Return the object announced by a Cloud Storage notification that was published to a topic.

    Raises `DeliveryRefusedError` when it announces no finished object.
    """
    try:
        message = msgspec.convert(event.data, _Published).message
        notification = msgspec.convert(message.attributes, _Notification)
    except msgspec.ValidationError as error:
        raise DeliveryRefusedError(f"event {event['id']} announces no object: {error}") from error
    if notification.event_type != _FINALIZED:
        raise DeliveryRefusedError(
            f"event {event['id']} announces {notification.event_type}, not {_FINALIZED}"
        )
    return ObjectRef(notification.bucket_id, notification.object_id, notification.object_generation)


def published(event: CloudEvent, topics: Collection[str]) -> Delivery:
    """Return the message of a published event as a delivery.

    A message that is malformed, or whose data is not base64, becomes a delivery that says so, with
    the bytes as received. Raises `DeliveryRefusedError` for a topic that is not one of `topics`
    (`projects/<project>/topics/<topic>`).
    """
    topic = topic_of(event)
    if topic not in topics:
        raise DeliveryRefusedError(f"event {event['id']}: {topic} is not a configured topic")
    try:
        publication = msgspec.convert(event.data, _Published)
    except msgspec.ValidationError as error:
        undecodable = Undecodable("message_malformed", str(error)[:LONGEST_DETAIL])
        unit = f"event/{topic}/{event['id']}{_hour(_attribute(event, 'time'))}"
        return Delivery(unit, _bytes(event.data), undecodable=undecodable)
    message = publication.message
    place = publication.subscription or topic
    unit = f"msg/{place}/{message.message_id}{_hour(message.publish_time)}"
    metadata = {
        "topic": topic,
        "publish_time": message.publish_time,
        "ordering_key": message.ordering_key,
        **{f"attribute.{name}": value for name, value in message.attributes.items()},
    }
    metadata = {name: value for name, value in metadata.items() if value}
    try:
        body = b64decode(message.data, validate=True)
    except (Base64Error, ValueError) as error:
        cause = Undecodable("damaged_base64", str(error))
        return Delivery(unit, message.data.encode(), source_metadata=metadata, undecodable=cause)
    return Delivery(unit, body, source_metadata=metadata)


def _attribute(event: CloudEvent, name: str) -> str:
    """Return an optional attribute as text; empty if absent."""
    try:
        return str(event[name])
    except KeyError:
        return ""


def _hour(instant: str) -> str:
    """Return a unit name's ending for an instant (RFC 3339); empty if it is not one."""
    try:
        moment = datetime.fromisoformat(instant)
        return "" if moment.tzinfo is None else f"!h={moment.astimezone(UTC):%Y%m%d%H}"
    except (ValueError, OverflowError):
        return ""


def _bytes(data: Any) -> bytes:
    """Return what was received in place of a message, as bytes."""
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else msgspec.json.encode(data)
