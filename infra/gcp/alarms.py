"""Who is told, and when, that audit logs stop coming, wait, or were set aside."""

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

from infra.gcp.dead_letters import LONGEST_SECONDS
from infra.gcp.names import NAME, TOPIC
from infra.gcp.topic import REPLAY_SECONDS

SUBSCRIPTION = 'resource.type = "pubsub_subscription" AND metric.type = '
AGE = f'{SUBSCRIPTION}"pubsub.googleapis.com/subscription/oldest_unacked_message_age"'
SERVICE = f"{NAME}-gcp-export"
SET_ASIDE = f'resource.labels.subscription_id = "{NAME}-dead-letters"'

RECORDS_THE_EXPORT = "storage.googleapis.com"
"""With the Data Access logs of this service, every batched file is itself recorded as it is written
and read: a working export is never silent, however quiet the organization."""

HOUR = 3_600
QUIET_HOURS = 6
"""How long an organization that records nothing of the export may be silent by itself."""

WINDOW_SECONDS = 600
"""What an absence is looked for in; it must last for the rest of the time before it is told."""


class Threshold(NamedTuple):
    """A metric above a value for a time."""

    name: str
    title: str
    filter: str
    above: float
    seconds: int
    aligner: str
    meaning: str


class Absence(NamedTuple):
    """A count that stays at nothing for a time, or that has never been anything.

    As a query, since a metric-absence condition needs one measurement before it can be met: what
    was never there it would never miss.
    https://docs.cloud.google.com/monitoring/alerts/metric-absence
    """

    name: str
    title: str
    counter: str
    """A selector of the query language; its points are counted over `WINDOW_SECONDS`."""
    seconds: int
    """From the last point, or from the first deployment, until somebody is told."""
    meaning: str

    @property
    def query(self) -> str:
        """The condition: nothing was counted, or there is nothing to count."""
        return f"(sum(increase({self.counter}[{WINDOW_SECONDS}s])) or vector(0)) == 0"


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
        "The oldest delivery has waited an hour. It is tried again for 14 days.",
    ),
    Threshold(
        "losing",
        "Audit logs are about to be lost",
        f"{AGE} AND NOT {SET_ASIDE}",
        REPLAY_SECONDS // 2,
        300,
        "ALIGN_MAX",
        "Half the time is gone after which the oldest entry that waits for its file is forgotten;"
        " a file is kept for twice as long.",
    ),
    Threshold(
        "dead-letters-old",
        "Audit logs that were set aside are about to be lost",
        f"{AGE} AND {SET_ASIDE}",
        LONGEST_SECONDS // 2,
        300,
        "ALIGN_MAX",
        "Half the time is gone after which the oldest message that was set aside is forgotten.",
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
        "Calls fail for a quarter of an hour: the evidence store refuses or is out of reach.",
    ),
)


class Logged(NamedTuple):
    """Lines of the function's log; any one is a reason."""

    name: str
    title: str
    filter: str
    meaning: str


LOGGED = (
    Logged(
        "rejected",
        "Audit logs could not be read",
        f'resource.type = "cloud_run_revision" AND resource.labels.service_name = "{SERVICE}"'
        ' AND (jsonPayload.message = "unmapped" OR jsonPayload.object.rejected_deliveries > 0)',
        "A file could not be decoded, or a record broke the mapper. It is locked as it came.",
    ),
)
RATE_LIMIT = "3600s"
"""Between two notifications of one kind of line; Google Cloud demands that there is one."""


def absences(data_access: Collection[str], silence_hours: int | None) -> tuple[Absence, ...]:
    """Return what must never be missing for longer than `silence_hours`; none for 0 hours.

    Where the configuration does not say (None), the services whose Data Access logs are on decide.
    """
    if silence_hours == 0:
        return ()
    recorded = RECORDS_THE_EXPORT in data_access
    seconds = HOUR * (silence_hours or (1 if recorded else QUIET_HOURS))
    hours = f"{seconds // HOUR} hour{'s' if seconds > HOUR else ''}"
    caveat = "" if recorded else " A small organization may also be that quiet by itself."
    return (
        Absence(
            "silent",
            "No audit logs arrive",
            "pubsub_googleapis_com:topic_send_message_operation_count"
            f'{{monitored_resource="pubsub_topic",topic_id="{TOPIC}"}}',
            seconds,
            f"Nothing was published for {hours}: the sink is gone, disabled or refused.{caveat}",
        ),
        Absence(
            "no-success",
            "Nothing is locked",
            "run_googleapis_com:request_count"
            f'{{monitored_resource="cloud_run_revision",service_name="{SERVICE}",'
            'response_code_class="2xx"}',
            seconds,
            f"The exporter has not succeeded once for {hours}: it is not called, since its "
            f"subscription or the bucket's notification is gone, or it fails.{caveat}",
        ),
    )


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
                # The metrics appear with their first point; the policy comes before it.
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
