"""A SIEM's own input, as far as AWS sees it: messages of S3 from a queue, and what they name."""

from __future__ import annotations

import gzip
import json
from typing import Any

import boto3
from botocore.config import Config

from nhi_evidence.adapters.aws import s3_notification
from nhi_evidence.config import naming as names
from tests.e2e.deployment import EVIDENCE, STORE, SUBSCRIBER, Deployment

ROLE = names.role_arn(STORE.region, EVIDENCE, names.subscriber(STORE.id))


class Siem:
    """Takes the subscriber's role with the external id, from an account of its own."""

    def __init__(self, deployed: Deployment, own: dict[str, str]) -> None:
        """Act as whoever has the credentials `own`."""
        self._aws = deployed.aws
        credentials = self._client("sts", own).assume_role(
            RoleArn=ROLE, RoleSessionName="siem", ExternalId=SUBSCRIBER.external_id
        )["Credentials"]
        self._session = {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
        }
        self.s3, self.sqs = self.client("s3"), self.client("sqs")
        self._url = self.sqs.get_queue_url(
            QueueName=names.subscriber(STORE.id), QueueOwnerAWSAccountId=EVIDENCE
        )["QueueUrl"]
        self.keys: list[str] = []
        """Of every object that was announced, as often as it was."""

    def client(self, service: str) -> Any:
        """Return a client of the role's session."""
        return self._client(service, self._session)

    def take(self) -> list[dict[str, Any]]:
        """Return the lines of what is announced now, and delete the messages, as an input does."""
        lines: list[dict[str, Any]] = []
        messages = self.sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        for message in messages.get("Messages", []):
            for ref in s3_notification.objects(message["Body"]):
                self.keys.append(ref.key)
                body = self.s3.get_object(Bucket=ref.bucket, Key=ref.key)["Body"].read()
                lines += map(json.loads, gzip.decompress(body).splitlines())
            self.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return lines

    def _client(self, service: str, credentials: dict[str, str]) -> Any:
        session = boto3.session.Session(
            credentials["AWS_ACCESS_KEY_ID"],
            credentials["AWS_SECRET_ACCESS_KEY"],
            credentials.get("AWS_SESSION_TOKEN"),
            self._aws.region,
        )
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._aws.endpoint,
            verify=str(self._aws.certificate),
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
