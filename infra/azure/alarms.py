"""Who is notified, and when, that logs stop arriving, are not read, or cannot be written."""

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
    MonitorDiagnosticSettingEnabledMetric,
)
from cdktn_provider_azurerm.monitor_scheduled_query_rules_alert_v2 import (
    MonitorScheduledQueryRulesAlertV2,
    MonitorScheduledQueryRulesAlertV2Action,
    MonitorScheduledQueryRulesAlertV2Criteria,
    MonitorScheduledQueryRulesAlertV2CriteriaDimension,
    MonitorScheduledQueryRulesAlertV2CriteriaFailingPeriods,
)
from constructs import Construct

from infra.azure import queries
from infra.azure.event_hub import LogHub
from infra.azure.names import NAME, shared
from nhi_evidence.config.azure_app import PARTITIONS


class Workspace(Construct):
    """What alarms query: the function's log, the hub's counts, and every Activity Log."""

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
    """The function's log, in the workspace; no instrumentation key is involved."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        site: str,
        workspace: LogAnalyticsWorkspace,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        MonitorDiagnosticSetting(
            self,
            "setting",
            name=shared(deployment, "function"),
            target_resource_id=site,
            log_analytics_workspace_id=workspace.id,
            enabled_log=[MonitorDiagnosticSettingEnabledLog(category="FunctionAppLogs")],
            depends_on=after,
        )


class HubMetrics(Construct):
    """The hub's counts per minute, in the workspace: a query can find that there were none."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        hub: LogHub,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, name)
        MonitorDiagnosticSetting(
            self,
            "setting",
            name=shared(deployment, "hub"),
            target_resource_id=hub.namespace.id,
            log_analytics_workspace_id=workspace.id,
            enabled_metric=[MonitorDiagnosticSettingEnabledMetric(category="AllMetrics")],
        )


class Searched(NamedTuple):
    """An alert on a query of the workspace: any row it returns is a reason."""

    name: str
    query: str
    frequency: str
    window: str
    """How far back the query looks: ISO 8601."""
    meaning: str
    by: str | None = None
    """Column of which each value is an alert of its own."""
    periods: int = 1
    """How many evaluations in a row must return a row."""


ALWAYS = (
    Searched(
        "failing",
        queries.FAILURES,
        "PT15M",
        "PT15M",
        "The exporter has failed for half an hour: the evidence store refuses or is unreachable.",
        periods=2,
    ),
    Searched(
        "rejected",
        queries.REJECTED,
        "PT15M",
        "PT15M",
        "A message could not be decoded, or a record broke the mapper; it was locked as received.",
    ),
    Searched(
        "lagging",
        queries.behind(queries.LAG_SECONDS),
        "PT15M",
        "PT30M",
        "A partition is read an hour late; after seven days, unread logs are lost.",
        by="Partition",
    ),
    Searched(
        "losing",
        queries.behind(queries.LOSS_SECONDS),
        "PT15M",
        "PT30M",
        "Half the time is gone after which the hub deletes what waits in a partition.",
        by="Partition",
    ),
    Searched(
        "throttled",
        queries.THROTTLED,
        "PT15M",
        "PT15M",
        "The hub has refused messages for half an hour, for lack of throughput units. Which logs "
        "Azure Monitor gave up, nothing shows.",
        # A burst before it grows by itself is no reason.
        periods=2,
    ),
    Searched(
        "unread",
        queries.UNREAD,
        "PT15M",
        "PT3H",
        "Logs reach the hub and nothing reads them; after seven days they are lost.",
    ),
    Searched(
        "partition-unread",
        queries.partition_unread(PARTITIONS),
        "PT30M",
        "PT6H",
        "Many messages arrived, and a partition was not read once in six hours.",
        by="Partition",
    ),
)
"""Alerts that suit every tenant."""


def removals(deployment: str) -> Searched:
    """Return the alert on deleted settings; those of another deployment are not ours."""
    return Searched(
        "setting-removed",
        queries.removed_settings(deployment),
        "PT15M",
        "PT1H",
        "A diagnostic setting that sends logs here was deleted: apply again, or run its "
        "remediation.",
        by="Setting",
    )


def silences(hours: int, *, entra: bool) -> tuple[Searched, ...]:
    """Return the alerts on silence for so many hours; 0 allows any silence.

    A query looks back two days: only the evidence account's alarms cover a longer silence.
    """
    if not 0 < hours <= queries.LONGEST_HOURS:
        return ()
    of_directory = Searched(
        "directory-silent",
        queries.DIRECTORY_SILENT,
        "PT1H",
        "P2D",
        "No sign-in of a managed identity has arrived for two days, or ever, though the exporter "
        "itself signs in every day: the directory's diagnostic setting is gone or denied.",
    )
    return (
        Searched(
            "silent",
            queries.silent(hours),
            "PT30M",
            "P2D",
            f"Nothing has reached the hub for {hours} hours, or ever: the diagnostic settings are "
            "gone or denied.",
        ),
        Searched(
            "no-success",
            queries.no_success(hours),
            "PT30M",
            "P2D",
            f"Nothing has been locked for {hours} hours, or ever: nothing arrives, the package is "
            "not published, or every batch fails.",
        ),
        Searched(
            "category-silent",
            queries.CATEGORY_SILENT,
            "PT1H",
            "P2D",
            "A category of logs that arrived all day has not arrived for twelve hours: a setting "
            "is gone, changed or denied, or the source is idle.",
            by="Category",
        ),
        *((of_directory,) if entra else ()),
    )


class Alarms(Construct):
    """An action group with one address, and an alert for every way the export can stop."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        location: str,
        email: str,
        workspace: LogAnalyticsWorkspace,
        silence_hours: int | None,
        entra: bool,
    ) -> None:
        super().__init__(scope, name)
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
        hours = queries.NO_SUCCESS_HOURS if silence_hours is None else silence_hours
        for searched in (*ALWAYS, removals(deployment), *silences(hours, entra=entra)):
            self._search(searched)

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
            # Notify when it begins and resolve when it ends, not at every evaluation in between.
            auto_mitigation_enabled=True,
            criteria=[
                MonitorScheduledQueryRulesAlertV2Criteria(
                    query=searched.query,
                    operator="GreaterThan",
                    threshold=0,
                    time_aggregation_method="Count",
                    dimension=dimensions,
                    failing_periods=MonitorScheduledQueryRulesAlertV2CriteriaFailingPeriods(
                        minimum_failing_periods_to_trigger_alert=searched.periods,
                        number_of_evaluation_periods=searched.periods,
                    ),
                )
            ],
            action=MonitorScheduledQueryRulesAlertV2Action(action_groups=[self._group.id]),
        )
