"""Who is told, and when, that logs stop coming, are not read, or cannot be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
    MonitorScheduledQueryRulesAlertV2CriteriaDimension,
)
from constructs import Construct

from infra.azure import queries
from infra.azure.event_hub import LogHub
from infra.azure.names import HUB, NAME


class Workspace(Construct):
    """Where alarms look: what the function says, and the Activity Log of every subscription."""

    def __init__(self, scope: Construct, name: str, *, location: str) -> None:
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


class FunctionLogs(Construct):
    """What the function says, in the workspace; no instrumentation key is involved."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        site: str,
        workspace: LogAnalyticsWorkspace,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        MonitorDiagnosticSetting(
            self,
            "setting",
            name=f"{NAME}-function",
            target_resource_id=site,
            log_analytics_workspace_id=workspace.id,
            enabled_log=[MonitorDiagnosticSettingEnabledLog(category="FunctionAppLogs")],
            depends_on=after,
        )


class Searched(NamedTuple):
    """An alert on what a query of the workspace returns; any row is a reason."""

    name: str
    query: str
    frequency: str
    window: str
    """How far back the query looks: ISO 8601."""
    meaning: str
    by: str | None = None
    """Column whose every value is an alert of its own."""


SEARCHED = (
    Searched(
        "failing",
        queries.FAILURES,
        "PT15M",
        "PT15M",
        "The exporter fails: the evidence store refuses or is out of reach.",
    ),
    Searched(
        "lagging",
        queries.LAG,
        "PT15M",
        "PT30M",
        "A partition is read an hour behind what arrives in it; after seven days logs are lost.",
        by="Partition",
    ),
    Searched(
        "setting-removed",
        queries.REMOVED_SETTINGS,
        "PT15M",
        "PT1H",
        "A diagnostic setting that sends logs here was deleted: apply again, or remediate.",
    ),
)


SILENT_WINDOWS = {1: "PT1H", 6: "PT6H", 12: "PT12H", 24: "P1D"}
"""The windows of a metric alert that are whole hours and worth the name of silence."""


def _no_success(hours: int) -> Searched:
    return Searched(
        "no-success",
        queries.no_success(hours),
        "PT30M",
        "P2D",
        f"Nothing has been locked for {hours} hours, or never: nothing arrives, the package is"
        " not published, or every batch fails.",
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
        workspace: LogAnalyticsWorkspace,
        silence_hours: int | None,
    ) -> None:
        super().__init__(scope, name)
        self._hub = hub
        self._location = location
        self._workspace = workspace
        self._group = MonitorActionGroup(
            self,
            "group",
            name=NAME,
            short_name="nhi-evid",
            resource_group_name=NAME,
            email_receiver=[MonitorActionGroupEmailReceiver(name="alarms", email_address=email)],
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
        for searched in SEARCHED:
            self._search(searched)
        self._silence(queries.NO_SUCCESS_HOURS if silence_hours is None else silence_hours)

    def _silence(self, hours: int) -> None:
        """Tell of nothing for so many hours, 0 being for ever; longer, the evidence account does.

        The metric's window is the next longer one Azure has.
        """
        window = next((text for most, text in SILENT_WINDOWS.items() if most >= hours), None)
        if hours and window is not None:
            self._metrics(
                "silent",
                f"Nothing has reached the hub for {hours} hours: a diagnostic setting is gone or"
                " refused.",
                window,
                [_total("IncomingMessages", "LessThan", 1)],
            )
        if 0 < hours <= queries.LONGEST_HOURS:
            self._search(_no_success(hours))

    def _search(self, searched: Searched) -> None:
        dimensions = (
            None
            if searched.by is None
            else [
                MonitorScheduledQueryRulesAlertV2CriteriaDimension(
                    name=searched.by, operator="Include", values=["*"]
                )
            ]
        )
        MonitorScheduledQueryRulesAlertV2(
            self,
            searched.name,
            name=f"{NAME}-{searched.name}",
            resource_group_name=NAME,
            location=self._location,
            scopes=[self._workspace.id],
            description=searched.meaning,
            severity=1,
            evaluation_frequency=searched.frequency,
            window_duration=searched.window,
            # A table appears with its first row.
            skip_query_validation=True,
            criteria=[
                MonitorScheduledQueryRulesAlertV2Criteria(
                    query=searched.query,
                    operator="GreaterThan",
                    threshold=0,
                    time_aggregation_method="Count",
                    dimension=dimensions,
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
