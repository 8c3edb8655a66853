"""The Activity Log of every subscription, and of the management group above them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cdktn import TerraformProvider
from cdktn_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktn_provider_azurerm.management_group_template_deployment import (
    ManagementGroupTemplateDeployment,
)
from cdktn_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
)
from constructs import Construct

from infra.azure.event_hub import LogHub
from infra.azure.names import management_group_id, shared
from nhi_evidence.config.azure_names import ACTIVITY_CATEGORIES, GROUP_CATEGORIES

_SCHEMA = (
    "https://schema.management.azure.com/schemas/2019-08-01/managementGroupDeploymentTemplate.json#"
)


class SubscriptionLogs(Construct):
    """One diagnostic setting per subscription: to the hub, and to the workspace alarms query.

    `registered` are the Terraform providers that act in each subscription, and register there what
    a diagnostic setting and a policy need.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        registered: Mapping[str, TerraformProvider],
        hub: LogHub,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, name)
        for subscription, provider in registered.items():
            MonitorDiagnosticSetting(
                self,
                subscription,
                provider=provider,
                name=shared(deployment),
                target_resource_id=f"/subscriptions/{subscription}",
                eventhub_authorization_rule_id=hub.rule.id,
                eventhub_name=hub.hub.name,
                log_analytics_workspace_id=workspace.id,
                enabled_log=[
                    MonitorDiagnosticSettingEnabledLog(category=category)
                    for category in ACTIVITY_CATEGORIES
                ],
            )


class ManagementGroupLogs(Construct):
    """Role assignments and policies made above the subscriptions.

    It is a template, since the provider has no resource for it. What the group and a subscription
    both deliver has one event id and is counted once.

    A template overwrites a setting of the same name without a word: the name is this deployment's.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        group: str,
        location: str,
        hub: LogHub,
    ) -> None:
        super().__init__(scope, name)
        template = {
            "$schema": _SCHEMA,
            "contentVersion": "1.0.0.0",
            "parameters": {"rule": {"type": "string"}, "hub": {"type": "string"}},
            "resources": [
                {
                    "type": "Microsoft.Insights/diagnosticSettings",
                    "apiVersion": "2020-01-01-preview",
                    "name": shared(deployment),
                    "properties": {
                        "eventHubAuthorizationRuleId": "[parameters('rule')]",
                        "eventHubName": "[parameters('hub')]",
                        "logs": [
                            {"category": category, "enabled": True} for category in GROUP_CATEGORIES
                        ],
                    },
                }
            ],
        }
        ManagementGroupTemplateDeployment(
            self,
            "setting",
            name=shared(deployment),
            location=location,
            management_group_id=management_group_id(group),
            template_content=json.dumps(template, sort_keys=True),
            parameters_content=json.dumps(
                {"rule": {"value": hub.rule.id}, "hub": {"value": hub.hub.name}}
            ),
        )
