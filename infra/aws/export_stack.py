"""The log-archive account, one region: from delivered files to the evidence account."""

from __future__ import annotations

from aws_cdk import CfnOutput
from constructs import Construct

from infra.aws.bucket_notifications import BucketNotifications
from infra.aws.file_exporter import FileExporter
from infra.aws.protected_stack import ProtectedStack
from infra.aws.redelivery import Redelivery, redelivery
from infra.aws.streamed_files import StreamedFiles
from infra.aws.trail_bucket import TrailBucket
from infra.bundle import Bundle
from nhi_evidence import sources
from nhi_evidence.adapters.aws.function_settings import exporter_settings
from nhi_evidence.config import Config
from nhi_evidence.config.aws.feed import Feed
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.aws.streams import plans
from nhi_evidence.config.tables import SourceEntry
from nhi_evidence.errors import SettingsError


class AwsExportStack(ProtectedStack):
    """Every exporter of one region, with the buckets and streams that are created for them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        region: str,
        bundle: Bundle,
        architecture: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            name,
            account=config.log_archive.account,
            region=region,
            description=f"exports delivered files of {region}",
        )
        self.feeds: list[tuple[Feed, SourceEntry, Redelivery]] = []
        for feed, entry in feeds(config):
            if feed.region == region:
                numbers = redelivery(bundle.declaration, entry.batch_window_seconds)
                self.feeds.append((feed, entry, numbers))
                self._export(config, feed, entry, bundle, architecture)

    def _export(
        self,
        config: Config,
        feed: Feed,
        entry: SourceEntry,
        bundle: Bundle,
        architecture: str | None,
    ) -> None:
        exporter = FileExporter(
            self,
            feed.exporter,
            config=config,
            feed=feed,
            bundle=bundle,
            settings=exporter_settings(config, feed, entry),
            window=entry.batch_window_seconds,
            architecture=architecture,
        )
        log_format = _log_format(feed.source)
        if log_format is not None:
            CfnOutput(
                self,
                f"{feed.exporter}-log-format",
                value=log_format,
                description="The format to enable access logging with, on every stage",
            )
        if feed.notifies == "existing-bucket":
            BucketNotifications(
                self, f"{feed.exporter}-notifications", feed=feed, delivery=exporter.delivery
            )
        elif entry.streams:
            streamed = StreamedFiles(
                self, f"{feed.exporter}-streams", feed=feed, plans=plans(feed, entry)
            )
            # S3 tests the destination before it accepts it.
            streamed.bucket.add_resource_dependency(exporter.delivery.policy)
        elif feed.notifies == "new-bucket" and entry.trail is not None:
            self._make_bucket(config, feed, entry.trail, exporter)
        elif feed.notifies == "elsewhere":
            CfnOutput(
                self,
                f"{feed.exporter}-queue",
                value=feed.queue_arn,
                description=(
                    f"The owner of {feed.bucket} has to have it notify this queue of created "
                    "objects"
                ),
            )

    def _make_bucket(self, config: Config, feed: Feed, name: str, exporter: FileExporter) -> None:
        bucket = TrailBucket(
            self, f"Trail-{name}", config=config, trail=config.trail(name), feed=feed
        )
        # S3 tests the destination before it accepts it.
        bucket.resource.add_resource_dependency(exporter.delivery.policy)


def _log_format(source: str) -> str | None:
    """Return the format a source's log must be written in, where the format is configurable."""
    try:
        return sources.table(source, "log_format.json").decode().strip()
    except SettingsError:
        return None
