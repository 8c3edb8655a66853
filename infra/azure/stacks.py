"""The two Azure stacks: first the identity AWS is to trust, then all that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cdktn import TerraformStack
from cdktn_provider_azuread.provider import AzureadProvider
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import (
    DataAzurermUserAssignedIdentity,
)
from cdktn_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesTemplateDeployment,
)
from constructs import Construct

from infra.azure.activity_logs import ManagementGroupLogs, SubscriptionLogs
from infra.azure.alarms import Alarms, FunctionLogs
from infra.azure.audience import AwsAudience
from infra.azure.entra_logs import EntraLogs
from infra.azure.event_hub import LogHub
from infra.azure.function import ExportFunction
from infra.azure.host_storage import HostStorage
from infra.azure.identity import ExporterIdentity
from infra.azure.names import NAME, site_id
from infra.azure.resource_logs import ResourceLogs
from infra.declaration import Declaration, EventHub
from infra.state import keep_state
from infra.teardown import Teardown, keep_unread
from nhi_evidence.config.tables import Azure

RESOURCE_PROVIDERS = (
    *("Authorization", "EventHub", "Insights", "Management", "ManagedIdentity"),
    *("OperationalInsights", "PolicyInsights", "Resources", "Storage", "Web"),
)
"""What the two stacks use, and nothing else is registered in the subscription."""


class AzureIdentityStack(TerraformStack):
    """The identity and the audience of its tokens: both go into the AWS trust first."""

    def __init__(self, scope: Construct, name: str, *, azure: Azure) -> None:
        super().__init__(scope, name)
        keep_state(self, azure_storage=azure.state_storage)
        _provider(self, azure)
        AzureadProvider(self, "azuread", tenant_id=azure.tenant)
        exporter = ExporterIdentity(self, "exporter", location=azure.location)
        AwsAudience(
            self,
            "aws",
            tenant=azure.tenant,
            audience=azure.audience,
            principal=exporter.identity.principal_id,
        )


class AzureExportStack(TerraformStack):
    """Diagnostic settings, hub, function: from a tenant's logs to the exporter."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        azure: Azure,
        declared: Declaration,
        package: Path,
        environment: Mapping[str, str],
        alarm_email: str | None,
        teardown: Teardown,
    ) -> None:
        super().__init__(scope, name)
        if not isinstance(declared.trigger, EventHub):
            raise TypeError(f"{declared.function.name}: its trigger is no event_hub")
        subscription, location = azure.subscriptions[0], azure.location
        group = azure.management_group or azure.tenant
        keep_state(self, azure_storage=azure.state_storage)
        _provider(self, azure)
        identity = DataAzurermUserAssignedIdentity(
            self, "exporter", name=NAME, resource_group_name=NAME
        )
        hub = LogHub(
            self,
            "logs",
            subscription=subscription,
            location=location,
            consumer_group=declared.trigger.consumer_group,
        )
        if teardown.has_sources:
            self._sources(azure, group, hub)
        storage = HostStorage(
            self,
            "host",
            subscription=subscription,
            location=location,
            principal=identity.principal_id,
        )
        keep_unread(teardown, hub.namespace, hub.hub, storage.account)
        function = ExportFunction(
            self,
            "export",
            subscription=subscription,
            location=location,
            declared=declared,
            package=package,
            identity=identity,
            hub=hub,
            storage=storage,
            environment=environment,
        )
        logs = FunctionLogs(
            self,
            "function-logs",
            location=location,
            site=site_id(subscription),
            after=[function.site],
        )
        if alarm_email:
            Alarms(self, "alarms", location=location, email=alarm_email, hub=hub, logs=logs)

    def _sources(self, azure: Azure, group: str, hub: LogHub) -> None:
        """Send the logs of subscriptions, group, directory and resources to the hub."""
        subscription, location = azure.subscriptions[0], azure.location
        SubscriptionLogs(self, "subscriptions", subscriptions=azure.subscriptions, hub=hub)
        ManagementGroupLogs(self, "group", group=group, location=location, hub=hub)
        if azure.entra:
            EntraLogs(self, "entra", hub=hub)
        if azure.resource_types:
            ResourceLogs(
                self,
                "resources",
                subscription=subscription,
                resource_types=azure.resource_types,
                group=group,
                location=location,
                hub=hub,
            )


def _provider(stack: TerraformStack, azure: Azure) -> None:
    """Act as whoever is signed in, in the first subscription; storage without keys."""
    AzurermProvider(
        stack,
        "azurerm",
        subscription_id=azure.subscriptions[0],
        tenant_id=azure.tenant,
        storage_use_azuread=True,
        resource_provider_registrations="none",
        resource_providers_to_register=[f"Microsoft.{one}" for one in RESOURCE_PROVIDERS],
        features=[
            AzurermProviderFeatures(
                # The function app goes with the template that made it.
                template_deployment=[
                    AzurermProviderFeaturesTemplateDeployment(
                        delete_nested_items_during_deletion=True
                    )
                ]
            )
        ],
    )
