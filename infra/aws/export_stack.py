"""The log-archive account, one region: from delivered files to the evidence account."""

from __future__ import annotations

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from infra.aws import plan
from infra.aws.bucket_notifications import BucketNotifications
from infra.aws.feed import Feed
from infra.aws.file_exporter import FileExporter
from infra.aws.organization_trail import OrganizationTrail
from infra.bundle import Bundle
from nhi_evidence.config import Config
from nhi_evidence.config.tables import SourceEntry
from nhi_evidence.errors import SettingsError


class AwsExportStack(Stack):
    """Every exporter of one region, and the trails that are to be made there."""

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
            env=Environment(account=config.log_archive.account, region=region),
            description=f"nhi-evidence: exports delivered files of {region}",
            termination_protection=True,
        )
        self.feeds: list[tuple[Feed, SourceEntry]] = []
        for feed, entry in plan.feeds(config):
            if feed.region == region:
                self.feeds.append((feed, entry))
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
            feed=feed,
            bundle=bundle,
            settings=plan.exporter_settings(config, feed, entry),
            architecture=architecture,
        )
        if feed.notifies == "existing-bucket":
            BucketNotifications(
                self, f"{feed.exporter}-notifications", feed=feed, delivery=exporter.delivery
            )
        elif feed.notifies == "new-bucket" and entry.trail is not None:
            self._make_trail(config, feed, entry.trail, exporter)
        elif feed.notifies == "elsewhere":
            CfnOutput(
                self,
                f"{feed.exporter}-queue",
                value=feed.queue_arn,
                description=f"To be notified of created objects by {feed.bucket}, by its owner",
            )

    def _make_trail(self, config: Config, feed: Feed, name: str, exporter: FileExporter) -> None:
        trail = config.trail(name)
        management = config.organization.management_account
        if management is None:
            raise SettingsError(f"the new trail {name} needs organization.management_account")
        made = OrganizationTrail(
            self,
            f"Trail-{name}",
            trail=f"nhi-evidence-{name}",
            bucket=trail.bucket,
            region=trail.region,
            organization=config.organization.id,
            management_account=management,
            key_prefix=trail.prefix,
            data_events=trail.data_events or (),
            evidence_buckets=[one.bucket for one in config.evidence.buckets],
            queue_arn=feed.queue_arn,
            notified_prefix=feed.prefix,
            keep_days=trail.keep_days,
            kms_key=trail.kms_key,
        )
        # S3 tries the destination before it accepts it.
        made.bucket.add_resource_dependency(exporter.delivery.policy)
