"""Alarms and a dashboard, beside what they watch: metrics do not leave their region."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws.alarm import Alarm
from infra.aws.alarm_target import AlarmTarget
from infra.aws.cost_alarms import AccountBudget, ObjectRateAlarm
from infra.aws.dashboard import Dashboard
from infra.aws.export_stack import AwsExportStack
from infra.aws.exporter_alarms import ExporterAlarms
from infra.aws.seal_alarms import SealAlarms
from infra.aws.seal_stack import SealStack
from nhi_evidence.config import Config, EvidenceBucket


class MonitoringStack(Stack):
    """What watches one account and region: its exporters, or its sealers and their buckets.

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
            topic=config.alarms.topic,
            email=config.alarms.email,
            topic_name="nhi-evidence-alarms",
            account=account,
            region=region,
        )
        alarms: list[Alarm] = []
        exported = [] if exports is None else exports.feeds
        for feed, entry in exported:
            trail = None if entry.trail is None else config.trail(entry.trail)
            alarms += ExporterAlarms(
                self,
                feed.exporter,
                feed=feed,
                keep_days=None if trail is None else trail.keep_days,
                target=target.arn,
            ).alarms
        for seal in seals:
            alarms += SealAlarms(
                self,
                seal.function_name,
                function=seal.function_name,
                signed=seal.signed,
                target=target.arn,
            ).alarms
        for bucket in buckets:
            rate = ObjectRateAlarm(
                self,
                bucket.bucket,
                store=bucket.name,
                bucket=bucket.bucket,
                per_hour=config.alarms.objects_per_hour,
                target=target.arn,
            )
            alarms.append(rate.alarm)
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
            exporters=[feed.exporter for feed, _ in exported],
            sealers=[seal.function_name for seal in seals],
            buckets=[one.bucket for one in buckets],
            alarms=[
                cloudwatch.Alarm.from_alarm_name(self, f"{one.name}-status", one.name)
                for one in alarms
            ],
        )
