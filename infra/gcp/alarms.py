"""Who is told, and when, that audit logs stop coming, wait, or were set aside."""

from __future__ import annotations

from typing import NamedTuple

from cdktn_provider_google.monitoring_alert_policy import (
    MonitoringAlertPolicy,
    MonitoringAlertPolicyConditions,
    MonitoringAlertPolicyConditionsConditionAbsent,
    MonitoringAlertPolicyConditionsConditionAbsentAggregations,
    MonitoringAlertPolicyConditionsConditionThreshold,
    MonitoringAlertPolicyConditionsConditionThresholdAggregations,
    MonitoringAlertPolicyDocumentation,
)
from cdktn_provider_google.monitoring_notification_channel import MonitoringNotificationChannel
from constructs import Construct

from infra.gcp.names import NAME, TOPIC

SUBSCRIPTION = 'resource.type = "pubsub_subscription" AND metric.type = '
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
        f'{SUBSCRIPTION}"pubsub.googleapis.com/subscription/oldest_unacked_message_age"'
        f" AND NOT {SET_ASIDE}",
        3_600,
        300,
        "ALIGN_MAX",
        "The oldest delivery has waited an hour. Eventarc gives an event up after a day.",
    ),
    Threshold(
        "failing",
        "The exporter fails",
        'resource.type = "cloud_run_revision" AND metric.type = "run.googleapis.com/request_count"'
        f' AND resource.labels.service_name = "{NAME}-gcp-export"'
        ' AND metric.labels.response_code_class = "5xx"',
        0,
        900,
        "ALIGN_DELTA",
        "Calls fail for a quarter of an hour: the evidence store refuses or is out of reach.",
    ),
)


class Alarms(Construct):
    """An e-mail channel and a policy for each way the export can stop."""

    def __init__(self, scope: Construct, name: str, *, project: str, email: str) -> None:
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
            self._policy(
                threshold.name,
                threshold.title,
                threshold.meaning,
                MonitoringAlertPolicyConditions(
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
                ),
            )
        # The export itself is recorded, so a working sink is never silent for an hour.
        self._policy(
            "silent",
            "No audit logs arrive",
            "Nothing was published for an hour: the sink is gone, disabled or refused.",
            MonitoringAlertPolicyConditions(
                display_name="No audit logs arrive",
                condition_absent=MonitoringAlertPolicyConditionsConditionAbsent(
                    filter='resource.type = "pubsub_topic" AND metric.type = '
                    '"pubsub.googleapis.com/topic/send_message_operation_count"'
                    f' AND resource.labels.topic_id = "{TOPIC}"',
                    duration="3600s",
                    aggregations=[
                        MonitoringAlertPolicyConditionsConditionAbsentAggregations(
                            alignment_period="300s", per_series_aligner="ALIGN_DELTA"
                        )
                    ],
                ),
            ),
        )

    def _policy(
        self, name: str, title: str, meaning: str, condition: MonitoringAlertPolicyConditions
    ) -> None:
        MonitoringAlertPolicy(
            self,
            name,
            project=self._project,
            display_name=f"nhi-evidence: {title}",
            combiner="OR",
            conditions=[condition],
            notification_channels=self._channels,
            documentation=MonitoringAlertPolicyDocumentation(
                content=f"{meaning} See docs/deploy-gcp.md.", mime_type="text/markdown"
            ),
        )
