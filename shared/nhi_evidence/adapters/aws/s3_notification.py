"""S3 event notifications: direct, wrapped by SNS, or through EventBridge.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus, unquote_plus

import msgspec

from nhi_evidence.errors import DeliveryRefusedError

NO_VERSION = "null"
"""Version id of an object stored without versioning: the next PUT replaces it."""


class ObjectRef(msgspec.Struct, frozen=True):
    """An object that a notification names."""

    bucket: str
    key: str
    version: str | None = None
    size: int | None = None
    """Bytes, as announced: a hint that only decides how far ahead is read."""

    def __str__(self) -> str:
        """Return it as a URI, with its version if it has one."""
        version = f"@{self.version}" if self.version else ""
        return f"s3://{self.bucket}/{self.key}{version}"


def objects(message: str) -> tuple[ObjectRef, ...]:
    """Return every object that a message names, in order; none for S3's test message or a folder.

    Raises `DeliveryRefusedError` when the message is not an S3 notification of a created object: a
    message that is not understood must reach a human, not vanish.
    """
    try:
        body = msgspec.json.decode(message)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise DeliveryRefusedError(f"notification is not JSON: {error}") from error
    return _objects(body, unwrap=True)


def again(ref: ObjectRef) -> str:
    """Return a notification that makes the exporter process an object again."""
    stored: dict[str, str | int] = {"key": quote_plus(ref.key, safe="/")}
    if ref.size is not None:
        stored["size"] = ref.size
    if ref.version is not None:
        stored["versionId"] = ref.version
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "nhi-evidence:replay"},
        "s3": {"bucket": {"name": ref.bucket}, "object": stored},
    }
    return msgspec.json.encode({"Records": [record]}).decode()


def _objects(body: Any, *, unwrap: bool) -> tuple[ObjectRef, ...]:
    if not isinstance(body, dict):
        raise DeliveryRefusedError("notification is not an object")
    if unwrap and body.get("Type") == "Notification" and isinstance(body.get("Message"), str):
        return _objects(_inner(body["Message"]), unwrap=False)
    if body.get("Event") == "s3:TestEvent":
        return ()
    if body.get("source") == "aws.s3":
        created = _from_event_bridge(body)
        return () if _is_folder(body.get("detail"), created.key) else (created,)
    records = body.get("Records")
    if not isinstance(records, list) or not records:
        raise DeliveryRefusedError(f"notification names no object; keys: {sorted(body)[:10]}")
    named = [(record, _from_record(record)) for record in records]
    return tuple(ref for record, ref in named if not _is_folder(record.get("s3"), ref.key))


def _inner(message: str) -> Any:
    try:
        return msgspec.json.decode(message)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise DeliveryRefusedError(f"SNS message is not JSON: {error}") from error


def _from_record(record: Any) -> ObjectRef:
    name = record.get("eventName") if isinstance(record, dict) else None
    if not isinstance(name, str) or "ObjectCreated:" not in name:
        raise DeliveryRefusedError(f"notification of {name!r}, not of a created object")
    return ObjectRef(
        _text(record, "s3", "bucket", "name"),
        unquote_plus(_text(record, "s3", "object", "key")),
        _version(record, "s3", "object", "versionId"),
        _size(record, "s3", "object", "size"),
    )


def _from_event_bridge(body: dict[str, Any]) -> ObjectRef:
    if body.get("detail-type") != "Object Created":
        raise DeliveryRefusedError(f"event of {body.get('detail-type')!r}, not of a created object")
    return ObjectRef(
        _text(body, "detail", "bucket", "name"),
        _text(body, "detail", "object", "key"),
        _version(body, "detail", "object", "version-id"),
        _size(body, "detail", "object", "size"),
    )


def _is_folder(event: Any, key: str) -> bool:
    """Whether an object is the console's marker for a folder: empty, with a key ending in `/`.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-folders.html
    """
    stored = event.get("object") if isinstance(event, dict) else None
    size = stored.get("size") if isinstance(stored, dict) else None
    return key.endswith("/") and size == 0 and not isinstance(size, bool)


def _value(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _version(value: Any, *path: str) -> str | None:
    version = _value(value, *path)
    return version if isinstance(version, str) and version not in {"", NO_VERSION} else None


def _size(value: Any, *path: str) -> int | None:
    size = _value(value, *path)
    return size if isinstance(size, int) and size >= 0 else None


def _text(value: Any, *path: str) -> str:
    text = _value(value, *path)
    if not isinstance(text, str) or not text:
        raise DeliveryRefusedError(f"notification has no {'.'.join(path)}")
    return text
