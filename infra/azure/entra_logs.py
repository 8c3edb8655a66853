"""The tenant's own logs: who signs in, who changes the directory, who reads it."""

from __future__ import annotations

from cdktn_provider_azurerm.monitor_aad_diagnostic_setting import (
    MonitorAadDiagnosticSetting,
    MonitorAadDiagnosticSettingEnabledLog,
)
from constructs import Construct

from infra.azure.event_hub import LogHub
from infra.azure.names import shared

CATEGORIES = (
    "AuditLogs",
    # Agents signing in as users, and people through applications.
    "SignInLogs",
    "NonInteractiveUserSignInLogs",
    # Secrets, certificates and federated credentials of applications, expired ones included.
    "ServicePrincipalSignInLogs",
    "ManagedIdentitySignInLogs",
    "MicrosoftServicePrincipalSignInLogs",
    # The only record of reads of the directory.
    "MicrosoftGraphActivityLogs",
)
"""https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options"""


class EntraLogs(Construct):
    """The tenant's diagnostic setting. It takes a Security Administrator, and Entra ID P1."""

    def __init__(self, scope: Construct, name: str, *, deployment: str, hub: LogHub) -> None:
        super().__init__(scope, name)
        MonitorAadDiagnosticSetting(
            self,
            "setting",
            name=shared(deployment),
            eventhub_authorization_rule_id=hub.rule.id,
            eventhub_name=hub.hub.name,
            enabled_log=[
                MonitorAadDiagnosticSettingEnabledLog(category=category) for category in CATEGORIES
            ],
        )
