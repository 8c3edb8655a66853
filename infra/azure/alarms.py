"""Who is told, and when, that logs stop coming, are not read, or cannot be written."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktn_provider_azurerm.monitor_action_group import (
    MonitorActionGroup,
    MonitorActionGroupEmailReceiver,
)
from cdktn_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
)
from cdktn_provider_azurerm.monitor_metric_alert import (
    MonitorMetricAlert,
    MonitorMetricAlertAction,
    MonitorMetricAlertCriteria,
    MonitorMetricAlertCriteriaDimension,
)
from cdktn_provider_azurerm.monitor_scheduled_query_rules_alert_v2 import (
    MonitorScheduledQueryRulesAlertV2,
    MonitorScheduledQueryRulesAlertV2Action,
    MonitorScheduledQueryRulesAlertV2Criteria,
)
from constructs import Construct

from infra.azure.event_hub import LogHub
from infra.azure.names import HUB, NAME

FAILURES = 'FunctionAppLogs | where Level in ("Error", "Critical")'


class FunctionLogs(Construct):
    """What the function says, in a workspace; no instrumentation key is involved."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        location: str,
        site: str,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        self.workspace = LogAnalyticsWorkspace(
            self,
            "workspace",
            name=NAME,
            location=location,
            resource_group_name=NAME,
            sku="PerGB2018",
            retention_in_days=30,
            local_authentication_enabled=False,
        )
        MonitorDiagnosticSetting(
            self,
            "setting",
            name=f"{NAME}-function",
            target_resource_id=site,
            log_analytics_workspace_id=self.workspace.id,
            enabled_log=[MonitorDiagnosticSettingEnabledLog(category="FunctionAppLogs")],
            depends_on=after,
        )


class Alarms(Construct):
    """An action group with one address, and an alert for each way the export can stop."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        location: str,
        email: str,
        hub: LogHub,
        logs: FunctionLogs,
    ) -> None:
        super().__init__(scope, name)
        self._hub = hub
        self._group = MonitorActionGroup(
            self,
            "group",
            name=NAME,
            short_name="nhi-evid",
            resource_group_name=NAME,
            email_receiver=[MonitorActionGroupEmailReceiver(name="alarms", email_address=email)],
        )
        self._metrics(
            "silent",
            "Nothing has reached the hub for six hours: a diagnostic setting is gone or refused.",
            "PT6H",
            [_total("IncomingMessages", "LessThan", 1)],
        )
        self._metrics(
            "unread",
            "Logs reach the hub and nobody reads them; after seven days they are gone.",
            "PT1H",
            [
                _total("IncomingMessages", "GreaterThan", 0),
                _total("OutgoingMessages", "LessThan", 1),
            ],
        )
        MonitorScheduledQueryRulesAlertV2(
            self,
            "failing",
            name=f"{NAME}-failing",
            resource_group_name=NAME,
            location=location,
            scopes=[logs.workspace.id],
            description="The exporter fails: the evidence store refuses or is out of reach.",
            severity=1,
            evaluation_frequency="PT15M",
            window_duration="PT15M",
            # The table appears with its first row.
            skip_query_validation=True,
            criteria=[
                MonitorScheduledQueryRulesAlertV2Criteria(
                    query=FAILURES,
                    operator="GreaterThan",
                    threshold=0,
                    time_aggregation_method="Count",
                )
            ],
            action=MonitorScheduledQueryRulesAlertV2Action(action_groups=[self._group.id]),
        )

    def _metrics(
        self, name: str, meaning: str, window: str, criteria: list[MonitorMetricAlertCriteria]
    ) -> None:
        MonitorMetricAlert(
            self,
            name,
            name=f"{NAME}-{name}",
            resource_group_name=NAME,
            scopes=[self._hub.namespace.id],
            description=meaning,
            severity=1,
            frequency="PT15M",
            window_size=window,
            criteria=criteria,
            action=[MonitorMetricAlertAction(action_group_id=self._group.id)],
        )


def _total(metric: str, operator: str, threshold: int) -> MonitorMetricAlertCriteria:
    return MonitorMetricAlertCriteria(
        metric_namespace="Microsoft.EventHub/namespaces",
        metric_name=metric,
        aggregation="Total",
        operator=operator,
        threshold=threshold,
        dimension=[
            MonitorMetricAlertCriteriaDimension(name="EntityName", operator="Include", values=[HUB])
        ],
    )
