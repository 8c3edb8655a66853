"""Events as Cloud Storage and Pub/Sub send them, and deliveries that cannot be decoded."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, NamedTuple

from nhi_evidence.demo.story import gcp_files
from nhi_evidence.embedded.cloud_run_runtime import CloudEvent
from nhi_evidence.embedded.gcs import GcsObject

BUCKET = "example-audit-files"


TOPIC = "projects/example-prod/topics/audit"


SUBSCRIPTION = "projects/example-prod/subscriptions/eventarc-audit"


STORED = "google.cloud.storage.object.v1.finalized"


FILES = "projects/example-prod/topics/files"


PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"


ENTRY = gcp_files()[0].body.splitlines()[0]


def stored(named: GcsObject, number: str = "1") -> CloudEvent:
    data = {
        "kind": "storage#object",
        "bucket": named.bucket,
        "name": named.name,
        "generation": named.generation,
        "metageneration": "1",
        "size": named.size,
    }
    return CloudEvent(
        id=number,
        type=STORED,
        source=f"//storage.googleapis.com/projects/_/buckets/{named.bucket}",
        subject=f"objects/{named.name}",
        data=json.dumps(data).encode(),
    )


def published(data: object, number: str, *, topic: str = TOPIC) -> CloudEvent:
    text = json.dumps(data).encode() if not isinstance(data, bytes) else data
    source = f"//pubsub.googleapis.com/{topic}"
    return CloudEvent(id=number, type=PUBLISHED, source=source, data=text)


def message(data: str, number: str) -> dict[str, Any]:
    return {
        "message": {"data": data, "messageId": number, "publishTime": "2026-03-02T08:15:31.5Z"},
        "subscription": SUBSCRIPTION,
    }


def notification(named: GcsObject, number: str, *, kind: str = "OBJECT_FINALIZE") -> bytes:
    """Return the push of a notification, as Pub/Sub wraps what Cloud Storage publishes."""
    attributes = {
        "notificationConfig": f"projects/_/buckets/{named.bucket}/notificationConfigs/1",
        "eventType": kind,
        "payloadFormat": "JSON_API_V1",
        "bucketId": named.bucket,
        "objectId": named.name,
        "objectGeneration": named.generation,
        "eventTime": "2026-03-02T08:20:00.000000Z",
    }
    resource = json.dumps({"kind": "storage#object", "name": named.name}).encode()
    pushed = message(b64encode(resource).decode(), number)
    pushed["message"] |= {"attributes": attributes, "message_id": number}
    return json.dumps({**pushed, "subscription": SUBSCRIPTION}).encode()


HALF = ENTRY[: len(ENTRY) // 2]


class Undecodable(NamedTuple):
    """An event that carries no readable entry, and what must become of it."""

    data: object
    unit: str
    reason: str
    kept: bytes


UNDECODABLE = {
    "base64": Undecodable(
        message("not base64!", "9101"),
        f"msg/{SUBSCRIPTION}/9101",
        "damaged_base64",
        b"not base64!",
    ),
    "empty": Undecodable(message("", "9102"), f"msg/{SUBSCRIPTION}/9102", "empty_file", b""),
    "no message": Undecodable(
        {"subscription": "x"}, f"event/{TOPIC}/9103", "message_malformed", b'{"subscription":"x"}'
    ),
    "half an event": Undecodable(
        b'{"message": {"da', f"event/{TOPIC}/9104", "message_malformed", b'{"message": {"da'
    ),
    "no entry": Undecodable(
        message(b64encode(b"<html>").decode(), "9105"),
        f"msg/{SUBSCRIPTION}/9105",
        "malformed_json",
        b"<html>",
    ),
}


BROKEN = {
    "StoreUnavailableError": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    "TokenUnavailableError": {"GCE_METADATA_HOST": "127.0.0.1:9"},
    "TokenRefusedError": {"NHI_EVIDENCE_AUDIENCE": "somebody-else"},
    "NHI_EVIDENCE_BUCKET is not set": {"NHI_EVIDENCE_BUCKET": ""},
    "neither NHI_EVIDENCE_SOURCE_BUCKETS nor NHI_EVIDENCE_SOURCE_TOPICS": {
        "NHI_EVIDENCE_SOURCE_BUCKETS": "",
        "NHI_EVIDENCE_SOURCE_TOPICS": "",
    },
}
