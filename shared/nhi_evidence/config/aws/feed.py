"""Where files come from: a bucket, whose it is, and how its notifications reach the queue."""

from __future__ import annotations

from typing import Literal

import msgspec

from nhi_evidence.config.naming import bucket_arn, exporter, queue_arn, role_arn, writer

Notifies = Literal["new-bucket", "existing-bucket", "topic", "elsewhere"]


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """One source's files from one bucket, on their way into one evidence bucket."""

    source: str
    """Source pack."""
    store: str
    """Name of the evidence bucket, as the configuration calls it."""
    name: str
    """What tells it from other feeds of the same source: the trail's name, or the bucket."""
    account: str
    """The account of the exporter and its queue."""
    region: str
    """Of bucket, queue and exporter."""
    bucket: str
    owner: str
    """The account the bucket belongs to."""
    prefix: str
    """The only keys that are read."""
    accounts: tuple[str, ...] = ()
    """Accounts whose folders are accepted; empty: all under the prefix."""
    kms_key: str | None = None
    topic: str | None = None
    """SNS topic the bucket notifies already."""
    notifies: Notifies
    """Who makes the bucket notify the queue; `elsewhere`: whoever owns it."""

    @property
    def exporter(self) -> str:
        """Name of the exporter's function, role and queue."""
        return exporter(self.store, self.source, self.name)

    @property
    def role_arn(self) -> str:
        """Role of the exporter: the one principal the writer role trusts for this feed."""
        return role_arn(self.region, self.account, self.exporter)

    def writer_arn(self, evidence_account: str) -> str:
        """Role the exporter writes with."""
        return role_arn(self.region, evidence_account, writer(self.store, self.source))

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket that is read."""
        return bucket_arn(self.region, self.bucket)

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
