"""Sending messages to the exporter's queue as an operator, and deleting them as the exporter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.errors import EvidenceError, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_AT_ONCE = 10
"""Maximum messages in one request: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""


class QueueError(EvidenceError):
    """SQS did not accept or delete messages; the text says why."""


class Queue:
    """A queue to which messages are sent."""

    def __init__(self, client: SQSClient, name: str, *, account: str) -> None:
        """Find the queue `name` of an account. Raises `SettingsError` when there is none."""
        self._client = client
        try:
            self.url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)[
                "QueueUrl"
            ]
        except (ClientError, BotoCoreError) as error:
            raise SettingsError(
                f"queue {name} of account {account}: {error}; "
                "are these credentials of that account, and is the exporter deployed?"
            ) from error

    def send(self, bodies: Sequence[str]) -> int:
        """Send every message; return how many were accepted.

        Raises `QueueError` at the first request that was not accepted in full: sending all of them
        again is safe.
        """
        taken = 0
        for start in range(0, len(bodies), _AT_ONCE):
            batch = bodies[start : start + _AT_ONCE]
            try:
                answer = self._client.send_message_batch(
                    QueueUrl=self.url,
                    Entries=[{"Id": str(at), "MessageBody": body} for at, body in enumerate(batch)],
                )
            except (ClientError, BotoCoreError) as error:
                raise QueueError(
                    f"{taken} of {len(bodies)} messages taken, then: {error}"
                ) from error
            taken += len(answer.get("Successful", []))
            if failed := answer.get("Failed", []):
                causes = sorted({entry.get("Message", entry["Code"]) for entry in failed})
                raise QueueError(
                    f"{taken} of {len(bodies)} messages taken, then: {'; '.join(causes)}"
                )
        return taken


class HandledMessages:
    """Deletes messages of a queue that a function has finished, ahead of its answer.

    Lambda does the same after the function's answer, with the same permission, `sqs:DeleteMessage`.
    https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    def __init__(self, client: SQSClient, queue_arn: str) -> None:
        """Delete from the queue with this ARN."""
        *_, account, name = queue_arn.split(":")
        self._client = client
        self._url = f"{client.meta.endpoint_url}/{account}/{name}"

    def delete(self, receipts: Mapping[str, str]) -> None:
        """Delete messages, given as receipt handles by id.

        Raises `QueueError` when any was not deleted. Deleting one again changes nothing.
        """
        pairs = list(receipts.items())
        for start in range(0, len(pairs), _AT_ONCE):
            batch = pairs[start : start + _AT_ONCE]
            try:
                answer = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": receipt}
                        for index, (_, receipt) in enumerate(batch)
                    ],
                )
            except (ClientError, BotoCoreError) as error:
                raise QueueError(f"{self._url}: messages not deleted: {error}") from error
            if failed := answer.get("Failed", []):
                causes = sorted({entry.get("Message", entry["Code"]) for entry in failed})
                raise QueueError(f"{self._url}: messages not deleted: {'; '.join(causes)}")
