"""Where files come from: a bucket, its owner, and how its notifications reach the queue."""

from __future__ import annotations

from typing import Literal

import msgspec

from nhi_evidence import partitions
from nhi_evidence.config.documents import Condition
from nhi_evidence.config.naming import bucket_arn, exporter, queue_arn, role_arn, writer

Notifies = Literal["new-bucket", "existing-bucket", "topic", "elsewhere"]


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One source's files from one bucket, on their way into one evidence bucket."""

    source: str
    """Source pack."""
    store: str
    """Deployment id of the evidence bucket, which is part of every name."""
    name: str
    """Distinguishes it from other feeds of the same source: the trail's name, or the bucket."""
    account: str
    """The account of the exporter and its queue."""
    region: str
    """Region of bucket, queue and exporter."""
    bucket: str
    owner: str
    """The account that owns the bucket."""
    prefix: str
    """Only keys under this prefix are read."""
    accounts: tuple[str, ...] = ()
    """Accounts whose folders are accepted; empty: all under the prefix."""
    kms_key: str | None = None
    topic: str | None = None
    """SNS topic that the bucket already notifies."""
    notifies: Notifies
    """How the bucket comes to notify the queue; `elsewhere`: its owner has to configure it."""

    @property
    def exporter(self) -> str:
        """Name of the exporter's function, role and queue."""
        return exporter(self.store, self.source, self.name)

    @property
    def role_arn(self) -> str:
        """Role of the exporter: the only principal that the writer role trusts for this feed."""
        return role_arn(self.region, self.account, self.exporter)

    def writer_arn(self, evidence_account: str) -> str:
        """Return the ARN of the role with which the exporter writes."""
        return role_arn(self.region, evidence_account, writer(self.store, self.source))

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket to be read."""
        return bucket_arn(self.region, self.bucket)

    @property
    def through_s3(self) -> Condition:
        """Condition on a KMS key: S3 asks, to read an object of the feed's region for the caller.

        https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
        documents the first form; whether other partitions have a domain of their own is not said.
        """
        known = partitions.of_region(self.region)
        domains = dict.fromkeys(["amazonaws.com", *([known.dns_suffix] if known else [])])
        return {"StringEquals": {"kms:ViaService": [f"s3.{self.region}.{one}" for one in domains]}}

    @property
    def queue_arn(self) -> str:
        """ARN of the exporter's queue."""
        return queue_arn(self.region, self.account, self.exporter)

    @property
    def dead_letters(self) -> str:
        """Name of the queue for what could not be exported."""
        return f"{self.exporter}-dead"

    @property
    def dead_letters_arn(self) -> str:
        """ARN of the queue for what could not be exported."""
        return f"{self.queue_arn}-dead"
