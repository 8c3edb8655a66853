"""Alarms and a dashboard in the region of the metrics: CloudWatch keeps metrics in their region."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Absence, Alarm
from infra.aws.alarm_target import AlarmTarget
from infra.aws.canary_alarms import CanaryAlarms
from infra.aws.cost_alarms import AccountBudget
from infra.aws.coverage_alarms import CoverageAlarms
from infra.aws.dashboard import Dashboard
from infra.aws.exporter_alarms import ExporterAlarms
from infra.aws.forward_alarms import ForwardAlarms
from infra.aws.protected_stack import ProtectedStack
from infra.aws.reconcile_alarms import ReconcileAlarms
from infra.aws.replica_alarms import ReplicaAlarms
from infra.aws.seal_alarms import SealAlarms
from infra.aws.store_alarms import StoreAlarms
from infra.aws.stream_alarms import StreamAlarms
from infra.aws.watched import Watched
from nhi_evidence.config import Config, naming
from nhi_evidence.config.aws.streams import plans
from nhi_evidence.config.silence import of_entry, of_store


class MonitoringStack(ProtectedStack):
    """Monitors one account and region: its exporters, or its sealers, reconcilers and buckets.

    A region with nothing but replicas is monitored from the evidence account, too: S3 publishes the
    latency of replication there.

    `has_budget` is true for the one stack that makes the account's budget.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        account: str,
        region: str,
        watched: Watched,
        has_budget: bool = False,
    ) -> None:
        super().__init__(
            scope,
            name,
            account=account,
            region=region,
            description=f"alarms of {region}",
        )
        target = AlarmTarget(
            self,
            "Target",
            topics=config.alarms.topics,
            email=config.alarms.email,
            topic_name=naming.alarm_topic(config.id),
            account=account,
            region=region,
        ).arn
        alarms = [
            *self._alarms_of_exports(config, watched, target),
            *self._alarms_of_evidence(config, watched, target),
        ]
        if has_budget:
            AccountBudget(
                self,
                "Budget",
                budget_name=naming.budget(config.id),
                usd=config.alarms.monthly_budget_usd,
                email=config.alarms.email,
                topic=target,
            )
        Dashboard(
            self,
            "Dashboard",
            dashboard_name=naming.dashboard(config.id, region),
            watched=watched,
            alarms=[
                cloudwatch.Alarm.from_alarm_name(self, f"{alarm.name}-status", alarm.name)
                for alarm in alarms
            ],
        )

    def _alarms_of_exports(
        self, config: Config, watched: Watched, target: str
    ) -> Iterator[Alarm | Absence]:
        """Make the alarms of the exporters, and of the streams that feed them."""
        for feed, entry, numbers in () if watched.exports is None else watched.exports.feeds:
            trail = None if entry.trail is None else config.trail(entry.trail)
            yield from ExporterAlarms(
                self,
                feed.exporter,
                feed=feed,
                numbers=numbers,
                silence_hours=of_entry(entry),
                keep_days=None if trail is None else trail.keep_days,
                target=target,
            ).alarms
            for plan in plans(feed, entry):
                yield from StreamAlarms(self, plan.name, plan=plan, target=target).alarms

    def _alarms_of_evidence(
        self, config: Config, watched: Watched, target: str
    ) -> Iterator[Alarm | Absence]:
        """Make the alarms of the evidence account's functions and buckets."""
        for seal in watched.seals:
            name = seal.function_name
            yield from SealAlarms(
                self, name, function=name, signed=seal.signed, target=target
            ).alarms
        for reconcile in watched.reconciles:
            name = reconcile.function_name
            yield from ReconcileAlarms(self, name, function=name, target=target).alarms
        for coverage in watched.covering:
            name = coverage.function_name
            yield from CoverageAlarms(
                self,
                name,
                function=name,
                has_accounts=bool(config.coverage and config.coverage.accounts),
                target=target,
            ).alarms
        for probe in watched.probing:
            name = probe.function_name
            yield from CanaryAlarms(
                self, name, function=name, reconciler=probe.reconciler, target=target
            ).alarms
        for forward in watched.forwards:
            yield from ForwardAlarms(
                self,
                forward.what.forwarder,
                what=forward.what,
                silence_hours=of_store(config, forward.what.store.name),
                target=target,
            ).alarms
        for bucket in watched.buckets:
            yield from StoreAlarms(
                self, bucket.bucket, config=config, store=bucket, target=target
            ).alarms
        for store in watched.replicated:
            if store.replica is not None:
                yield from ReplicaAlarms(
                    self, store.replica.bucket, store=store, replica=store.replica, target=target
                ).alarms
