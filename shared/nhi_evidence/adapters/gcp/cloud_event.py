"""CloudEvents of Google Cloud that name or carry audit logs.

https://github.com/googleapis/google-cloudevents: a finished Cloud Storage object, a Pub/Sub
message, which the Functions Framework also makes of what a push subscription sends. Whoever may
call the function may claim anything, so both name where they come from, and
only configured places are read.
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
    """An event as the Functions Framework hands it over."""

    @property
    def data(self) -> Any:
        """Its data: decoded where it was JSON, text or bytes otherwise."""
        ...

    def __getitem__(self, attribute: str) -> Any:
        """Return an attribute; `id`, `source` and `type` are always there."""
        ...


class ObjectRef(msgspec.Struct, frozen=True):
    """One generation of an object an event names."""

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
    """Attributes of a notification of Cloud Storage.

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
    """Return the object a finalized event names.

    Raises `DeliveryRefusedError` when it names none: an event that is not understood must reach a
    human, not vanish.
    """
    try:
        return msgspec.convert(event.data, ObjectRef)
    except msgspec.ValidationError as error:
        raise DeliveryRefusedError(f"event {event['id']} names no object: {error}") from error


def topic_of(event: CloudEvent) -> str:
    """Return the topic a published event says it is of, as `projects/<project>/topics/<topic>`."""
    return str(event["source"]).removeprefix(_PUBSUB)


def announced_object(event: CloudEvent) -> ObjectRef:
    """Return the object that a notification of Cloud Storage, published to a topic, announces.

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

    A message that is not whole, or whose data is not base64, is a delivery that says so, with
    the bytes that came. Raises `DeliveryRefusedError` for a topic that is not one of `topics`
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
    """Return an attribute that need not be there, as text."""
    try:
        return str(event[name])
    except KeyError:
        return ""


def _hour(instant: str) -> str:
    """Return the end of a unit's name for an instant (RFC 3339); nothing where it is none."""
    try:
        moment = datetime.fromisoformat(instant)
        return "" if moment.tzinfo is None else f"!h={moment.astimezone(UTC):%Y%m%d%H}"
    except (ValueError, OverflowError):
        return ""


def _bytes(data: Any) -> bytes:
    """Return what came in place of a message, as bytes."""
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else msgspec.json.encode(data)
