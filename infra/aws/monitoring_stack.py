"""Alarms and a dashboard, beside what they watch: metrics do not leave their region."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Absence, Alarm
from infra.aws.alarm_target import AlarmTarget
from infra.aws.canary_alarms import CanaryAlarms
from infra.aws.canary_stack import CanaryStack
from infra.aws.cost_alarms import AccountBudget
from infra.aws.coverage_alarms import CoverageAlarms
from infra.aws.coverage_stack import CoverageStack
from infra.aws.dashboard import Dashboard
from infra.aws.export_stack import AwsExportStack
from infra.aws.exporter_alarms import ExporterAlarms
from infra.aws.forward_alarms import ForwardAlarms
from infra.aws.forward_stack import ForwardStack
from infra.aws.reconcile_alarms import ReconcileAlarms
from infra.aws.reconcile_stack import ReconcileStack
from infra.aws.seal_alarms import SealAlarms
from infra.aws.seal_stack import SealStack
from infra.aws.store_alarms import StoreAlarms
from infra.aws.stream_alarms import StreamAlarms
from nhi_evidence.config import Config, EvidenceBucket
from nhi_evidence.config.aws.queues import ALARM_TOPIC
from nhi_evidence.config.aws.streams import plans
from nhi_evidence.config.silence import of_entry


class MonitoringStack(Stack):
    """What watches one account and region: its exporters, or its sealers, reconcilers and buckets.

    `buckets` are the evidence buckets here, `has_budget` whether the account's budget is made
    by this stack.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        config: Config,
        account: str,
        region: str,
        exports: AwsExportStack | None = None,
        seals: Sequence[SealStack] = (),
        reconciles: Sequence[ReconcileStack] = (),
        covering: Sequence[CoverageStack] = (),
        probing: Sequence[CanaryStack] = (),
        forwards: Sequence[ForwardStack] = (),
        buckets: Sequence[EvidenceBucket] = (),
        has_budget: bool = False,
    ) -> None:
        super().__init__(
            scope,
            name,
            env=Environment(account=account, region=region),
            description=f"nhi-evidence: alarms of {region}",
        )
        target = AlarmTarget(
            self,
            "Target",
            topics=config.alarms.topics,
            email=config.alarms.email,
            topic_name=ALARM_TOPIC,
            account=account,
            region=region,
        )
        alarms: list[Alarm | Absence] = []
        exported = [] if exports is None else exports.feeds
        for feed, entry, numbers in exported:
            trail = None if entry.trail is None else config.trail(entry.trail)
            alarms += ExporterAlarms(
                self,
                feed.exporter,
                feed=feed,
                numbers=numbers,
                silence_hours=of_entry(entry),
                keep_days=None if trail is None else trail.keep_days,
                target=target.arn,
            ).alarms
            for plan in plans(feed, entry):
                alarms += StreamAlarms(self, plan.name, plan=plan, target=target.arn).alarms
        for seal in seals:
            alarms += SealAlarms(
                self,
                seal.function_name,
                function=seal.function_name,
                signed=seal.signed,
                target=target.arn,
            ).alarms
        for reconcile in reconciles:
            alarms += ReconcileAlarms(
                self,
                reconcile.function_name,
                function=reconcile.function_name,
                target=target.arn,
            ).alarms
        for each in covering:
            alarms += CoverageAlarms(
                self, each.function_name, function=each.function_name, target=target.arn
            ).alarms
        for probe in probing:
            alarms += CanaryAlarms(
                self,
                probe.function_name,
                function=probe.function_name,
                reconciler=probe.reconciler,
                target=target.arn,
            ).alarms
        for forward in forwards:
            alarms += ForwardAlarms(
                self, forward.what.forwarder, what=forward.what, target=target.arn
            ).alarms
        for bucket in buckets:
            alarms += StoreAlarms(
                self, bucket.bucket, config=config, store=bucket, target=target.arn
            ).alarms
        if has_budget:
            AccountBudget(
                self,
                "Budget",
                usd=config.alarms.monthly_budget_usd,
                email=config.alarms.email,
                topic=target.arn,
            )
        Dashboard(
            self,
            "Dashboard",
            dashboard_name=f"nhi-evidence-{region}",
            exporters=[feed.exporter for feed, _, _ in exported],
            sealers=[seal.function_name for seal in seals],
            reconcilers=[one.function_name for one in reconciles],
            covering=[one.function_name for one in covering],
            probing=[one.function_name for one in probing],
            forwarders=[(one.what.forwarder, one.what.name) for one in forwards],
            buckets=[one.bucket for one in buckets],
            alarms=[
                cloudwatch.Alarm.from_alarm_name(self, f"{one.name}-status", one.name)
                for one in alarms
            ],
        )
