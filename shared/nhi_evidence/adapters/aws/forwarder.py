"""What an AWS execution environment of the function that forwards builds once, and does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.adapters import environ
from nhi_evidence.adapters.aws import session, sqs_batch
from nhi_evidence.adapters.aws.s3_notification import NO_VERSION, ObjectRef
from nhi_evidence.adapters.aws.sqs_batch import Batch
from nhi_evidence.adapters.store.s3_store import S3EvidenceWriter, bounded
from nhi_evidence.errors import (
    DeliveryRefusedError,
    EvidenceError,
    SettingsError,
    SourceUnavailableError,
)
from nhi_evidence.evidence import forwarding, keys
from nhi_evidence.evidence.forwarding import Place, UnsoundObjectError
from nhi_evidence.ports import EvidenceWriter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Settings(msgspec.Struct, frozen=True):
    """`NHI_EVIDENCE_*` environment of the function that forwards."""

    bucket: str
    bucket_owner: str
    subscriber_bucket: str
    subscriber_bucket_owner: str


class Forwarded(msgspec.Struct, frozen=True):
    """The result for one evidence object."""

    uri: str
    records: int
    parts: int
    created: int
    """Parts that did not exist yet; 0 for an object that was forwarded before."""


class Answer(msgspec.Struct):
    """The result for the messages of a batch."""

    forwarded: list[Forwarded] = msgspec.field(default_factory=list)
    unsound: dict[str, Exception] = msgspec.field(default_factory=dict)
    """By location, objects that are not valid evidence objects; they are not tried again."""
    refused: dict[str, Exception] = msgspec.field(default_factory=dict)
    """By id, messages that name something not to be read."""
    failed: dict[str, Exception] = msgspec.field(default_factory=dict)
    """By id, messages whose object could not be read or written."""
    oldest_sent_ms: int | None = None
    """When the oldest message to be redelivered was sent, milliseconds since the epoch."""

    @property
    def again(self) -> list[str]:
        """Ids of all messages to be redelivered."""
        return [*self.refused, *self.failed]

    def age(self, now_ms: int) -> int:
        """Return for how many seconds the oldest of those has waited; 0 if there is none."""
        sent = self.oldest_sent_ms
        return 0 if sent is None else max(0, now_ms - sent) // 1000


class EvidenceObjects:
    """Reads versions of evidence objects of one bucket, and nothing else."""

    def __init__(self, client: S3Client, bucket: str, *, owner: str) -> None:
        """Read from `bucket`, which must belong to the account `owner`."""
        self._client = client
        self._bucket = bucket
        self._owner = owner

    def read(self, ref: ObjectRef) -> tuple[Place, Mapping[str, str], bytes]:
        """Return where an object is, its user metadata, and its bytes as stored.

        Raises `DeliveryRefusedError` for another bucket, a key that is not an evidence key, and a
        notification without a version; `SourceUnavailableError` when S3 does not return it.
        """
        if ref.bucket != self._bucket:
            raise DeliveryRefusedError(f"{ref}: bucket is not the evidence bucket")
        if keys.parse_key(ref.key).kind != "ev":
            raise DeliveryRefusedError(f"{ref}: key is not an evidence key")
        if ref.version is None or ref.version == NO_VERSION:
            raise DeliveryRefusedError(f"{ref}: no version is named; evidence is versioned")
        try:
            answer = self._client.get_object(
                Bucket=ref.bucket,
                Key=ref.key,
                VersionId=ref.version,
                ExpectedBucketOwner=self._owner,
            )
            body = bounded(ref.key, answer["Body"])
        except (ClientError, BotoCoreError) as error:
            raise SourceUnavailableError(f"{ref}: {error}") from error
        return Place(ref.bucket, ref.key, ref.version), answer["Metadata"], body


class Forwarder(msgspec.Struct, frozen=True):
    """Forwards new evidence objects, as announced by messages, to the subscriber's bucket."""

    source: EvidenceObjects
    writer: EvidenceWriter
    """Writes to the subscriber's bucket; it only creates, so a repeat changes nothing."""

    def forward(self, batch: Batch) -> Answer:
        """Forward every object a batch names.

        The results for single messages and objects are in the answer. Any other failure is raised,
        and the batch redelivered.
        """
        answer = Answer()
        named = sqs_batch.named(batch.messages)
        answer.refused.update(named.refused)
        for message_id, refs in named.objects.items():
            try:
                for ref in refs:
                    self._object(ref, answer)
            except DeliveryRefusedError as error:
                answer.refused[message_id] = error
            except EvidenceError as error:
                answer.failed[message_id] = error
        again = set(answer.again)
        sent = [message.sent_ms for message in batch.messages if message.id in again]
        answer.oldest_sent_ms = min(sent, default=None)
        return answer

    def _object(self, ref: ObjectRef, answer: Answer) -> None:
        place, metadata, body = self.source.read(ref)
        records = parts = created = 0
        try:
            forwarding.check(place, metadata, body)
            for part in forwarding.parts(place, body):
                receipt = self.writer.put_new(
                    part.key, part.body, metadata={"evidence": place.key, "version": place.version}
                )
                records, parts = records + part.records, parts + 1
                created += receipt.created
        except UnsoundObjectError as error:
            answer.unsound[place.uri] = error
            return
        answer.forwarded.append(Forwarded(place.uri, records, parts, created))


@cache
def aws_forwarder() -> Forwarder:
    """Read the settings and build the clients, on first use. Raises `SettingsError`."""
    settings = environ.read_settings(Settings)
    if settings.subscriber_bucket == settings.bucket:
        raise SettingsError("the subscriber's bucket is the evidence bucket: name another")
    client = session.own_client()
    return Forwarder(
        EvidenceObjects(client, settings.bucket, owner=settings.bucket_owner),
        S3EvidenceWriter(
            client, settings.subscriber_bucket, owner=settings.subscriber_bucket_owner
        ),
    )
