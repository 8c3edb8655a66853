"""Who is notified, and when, that audit logs stop arriving, wait, or were set aside."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from cdktn_provider_google.monitoring_alert_policy import (
    MonitoringAlertPolicy,
    MonitoringAlertPolicyAlertStrategy,
    MonitoringAlertPolicyAlertStrategyNotificationRateLimit,
    MonitoringAlertPolicyConditions,
    MonitoringAlertPolicyConditionsConditionMatchedLog,
    MonitoringAlertPolicyConditionsConditionPrometheusQueryLanguage,
    MonitoringAlertPolicyConditionsConditionThreshold,
    MonitoringAlertPolicyConditionsConditionThresholdAggregations,
    MonitoringAlertPolicyDocumentation,
)
from cdktn_provider_google.monitoring_notification_channel import MonitoringNotificationChannel
from constructs import Construct

from infra.gcp.alarm_rules import HOUR, LOGGED, SERVICE, WINDOW_SECONDS, Absence, Logged, absences
from infra.gcp.names import NAME
from nhi_evidence.config.gcp_delivery import LONGEST_SECONDS, REPLAY_SECONDS

SUBSCRIPTION = 'resource.type = "pubsub_subscription" AND metric.type = '
AGE = f'{SUBSCRIPTION}"pubsub.googleapis.com/subscription/oldest_unacked_message_age"'
SET_ASIDE = f'resource.labels.subscription_id = "{NAME}-dead-letters"'


class Threshold(NamedTuple):
    """A metric above a value for a time."""

    name: str
    title: str
    filter: str
    above: float
    seconds: int
    aligner: str
    meaning: str


THRESHOLDS = (
    Threshold(
        "dead-letters",
        "Audit logs could not be delivered",
        f'{SUBSCRIPTION}"pubsub.googleapis.com/subscription/num_undelivered_messages"'
        f" AND {SET_ASIDE}",
        0,
        0,
        "ALIGN_MAX",
        "Messages were set aside after a hundred attempts. They are kept for 31 days.",
    ),
    Threshold(
        "waiting",
        "Audit logs wait to be locked",
        f"{AGE} AND NOT {SET_ASIDE}",
        HOUR,
        300,
        "ALIGN_MAX",
        "The oldest delivery has waited an hour. It is retried for 14 days.",
    ),
    Threshold(
        "losing",
        "Audit logs are about to be lost",
        f"{AGE} AND NOT {SET_ASIDE}",
        REPLAY_SECONDS // 2,
        300,
        "ALIGN_MAX",
        "Half the time is gone after which the oldest entry that waits for its file is deleted; "
        "a file is kept for twice as long.",
    ),
    Threshold(
        "dead-letters-old",
        "Audit logs that were set aside are about to be lost",
        f"{AGE} AND {SET_ASIDE}",
        LONGEST_SECONDS // 2,
        300,
        "ALIGN_MAX",
        "Half the time is gone after which the oldest message that was set aside is deleted.",
    ),
    Threshold(
        "failing",
        "The exporter fails",
        'resource.type = "cloud_run_revision" AND metric.type = "run.googleapis.com/request_count"'
        f' AND resource.labels.service_name = "{SERVICE}"'
        ' AND metric.labels.response_code_class = "5xx"',
        0,
        900,
        "ALIGN_DELTA",
        "Calls have failed for a quarter of an hour: the evidence store refuses or is unreachable.",
    ),
)


RATE_LIMIT = "3600s"
"""Between two notifications about one kind of line; Google Cloud requires an interval."""


class Alarms(Construct):
    """An e-mail channel and a policy for each way the export can stop."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        email: str,
        data_access: Collection[str],
        silence_hours: int | None,
    ) -> None:
        super().__init__(scope, name)
        channel = MonitoringNotificationChannel(
            self,
            "channel",
            project=project,
            type="email",
            display_name="nhi-evidence alarms",
            labels={"email_address": email},
        )
        self._project = project
        self._channels = [channel.name]
        for threshold in THRESHOLDS:
            self._policy(threshold, _above(threshold))
        limited = MonitoringAlertPolicyAlertStrategy(
            notification_rate_limit=MonitoringAlertPolicyAlertStrategyNotificationRateLimit(
                period=RATE_LIMIT
            )
        )
        for logged in LOGGED:
            self._policy(logged, _matched(logged), strategy=limited)
        for absence in absences(data_access, silence_hours):
            self._policy(absence, _absent(absence))

    def _policy(
        self,
        alarm: Threshold | Absence | Logged,
        condition: MonitoringAlertPolicyConditions,
        *,
        strategy: MonitoringAlertPolicyAlertStrategy | None = None,
    ) -> None:
        MonitoringAlertPolicy(
            self,
            alarm.name,
            project=self._project,
            display_name=f"nhi-evidence: {alarm.title}",
            combiner="OR",
            conditions=[condition],
            alert_strategy=strategy,
            notification_channels=self._channels,
            documentation=MonitoringAlertPolicyDocumentation(
                content=f"{alarm.meaning} See docs/deploy-gcp.md.", mime_type="text/markdown"
            ),
        )


def _above(threshold: Threshold) -> MonitoringAlertPolicyConditions:
    return MonitoringAlertPolicyConditions(
        display_name=threshold.title,
        condition_threshold=MonitoringAlertPolicyConditionsConditionThreshold(
            filter=threshold.filter,
            comparison="COMPARISON_GT",
            threshold_value=threshold.above,
            duration=f"{threshold.seconds}s",
            aggregations=[
                MonitoringAlertPolicyConditionsConditionThresholdAggregations(
                    alignment_period="300s", per_series_aligner=threshold.aligner
                )
            ],
        ),
    )


def _absent(absence: Absence) -> MonitoringAlertPolicyConditions:
    return MonitoringAlertPolicyConditions(
        display_name=absence.title,
        condition_prometheus_query_language=(
            MonitoringAlertPolicyConditionsConditionPrometheusQueryLanguage(
                query=absence.query,
                duration=f"{absence.seconds - WINDOW_SECONDS}s",
                evaluation_interval="60s",
                # The metrics exist only from their first point on, and the policy is created before
                # that.
                disable_metric_validation=True,
            )
        ),
    )


def _matched(logged: Logged) -> MonitoringAlertPolicyConditions:
    return MonitoringAlertPolicyConditions(
        display_name=logged.title,
        condition_matched_log=MonitoringAlertPolicyConditionsConditionMatchedLog(
            filter=logged.filter
        ),
    )
