"""The two Azure stacks: first the identity AWS has to trust, then what uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cdktn import TerraformStack
from cdktn_provider_azuread.provider import AzureadProvider
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import (
    DataAzurermUserAssignedIdentity,
)
from cdktn_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktn_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesTemplateDeployment,
)
from constructs import Construct

from infra.azure.activity_logs import ManagementGroupLogs, SubscriptionLogs
from infra.azure.alarms import Alarms, FunctionLogs, HubMetrics, Workspace
from infra.azure.audience import AwsAudience
from infra.azure.entra_logs import EntraLogs
from infra.azure.event_hub import LogHub
from infra.azure.federation import Federation
from infra.azure.function import ExportFunction
from infra.azure.host_storage import HostStorage
from infra.azure.identity import ExporterIdentity
from infra.azure.names import NAME, site_id
from infra.azure.resource_logs import ResourceLogs
from infra.declaration import Declaration, EventHub
from infra.state import keep_state
from infra.teardown import Teardown
from infra.unread import keep_unread
from nhi_evidence.config.tables import Azure

RESOURCE_PROVIDERS = (
    *("Microsoft.Authorization", "Microsoft.EventHub", "microsoft.insights"),
    *("Microsoft.ManagedIdentity", "Microsoft.Management", "Microsoft.OperationalInsights"),
    *("Microsoft.PolicyInsights", "Microsoft.Resources", "Microsoft.Storage", "Microsoft.Web"),
)
"""Resource providers that the two stacks use in the exporter's subscription, spelled as Azure
spells them: Terraform's provider compares case-sensitively, and skips what it does not find with
a warning."""

OBSERVED_PROVIDERS = ("microsoft.insights", "Microsoft.PolicyInsights")
"""Resource providers that a subscription needs to send its logs and evaluate its resources."""


class AzureIdentityStack(TerraformStack):
    """The identity and the audience of its tokens: both go into the AWS trust policy first.

    If the evidence account has an issuer, its functions are trusted here, too.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        azure: Azure,
        issuer: str | None = None,
        subjects: Mapping[str, Sequence[str]] = {},
        canaries: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, name)
        keep_state(self, deployment=deployment, azure_storage=azure.state_storage)
        _provider(self, azure)
        AzureadProvider(self, "azuread", tenant_id=azure.tenant)
        exporter = ExporterIdentity(self, "exporter", location=azure.location)
        AwsAudience(
            self,
            "aws",
            deployment=deployment,
            tenant=azure.tenant,
            audience=azure.audience,
            principal=exporter.identity.principal_id,
        )
        if issuer is not None and (subjects or canaries):
            Federation(
                self,
                "federation",
                deployment=deployment,
                subscriptions=azure.subscriptions,
                group=azure.management_group or azure.tenant,
                entra=azure.entra,
                issuer=issuer,
                subjects=subjects,
                canaries=canaries,
            )


class AzureExportStack(TerraformStack):
    """Diagnostic settings, hub, function: from a tenant's logs to the exporter."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        azure: Azure,
        declared: Declaration,
        package: Path,
        environment: Mapping[str, str],
        alarm_email: str | None,
        teardown: Teardown,
        silence_hours: int | None = None,
    ) -> None:
        super().__init__(scope, name)
        if not isinstance(declared.trigger, EventHub):
            raise TypeError(f"{declared.function.name}: its trigger is not an event_hub")
        subscription, location = azure.home, azure.location
        group = azure.management_group or azure.tenant
        keep_state(self, deployment=deployment, azure_storage=azure.state_storage)
        registered = _providers(self, azure)
        workspace = Workspace(self, "workspace", location=location).workspace
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
            self._sources(
                azure,
                deployment=deployment,
                group=group,
                hub=hub,
                registered=registered,
                workspace=workspace,
            )
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
        FunctionLogs(
            self,
            "function-logs",
            deployment=deployment,
            site=site_id(subscription),
            workspace=workspace,
            after=[function.site],
        )
        HubMetrics(self, "hub-metrics", deployment=deployment, hub=hub, workspace=workspace)
        if alarm_email:
            Alarms(
                self,
                "alarms",
                deployment=deployment,
                location=location,
                email=alarm_email,
                workspace=workspace,
                silence_hours=silence_hours,
                entra=azure.entra,
            )

    def _sources(
        self,
        azure: Azure,
        *,
        deployment: str,
        group: str,
        hub: LogHub,
        registered: Mapping[str, AzurermProvider],
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        """Send the logs of subscriptions, group, directory and resources to the hub."""
        location = azure.location
        SubscriptionLogs(
            self,
            "subscriptions",
            deployment=deployment,
            registered=registered,
            hub=hub,
            workspace=workspace,
        )
        ManagementGroupLogs(
            self, "group", deployment=deployment, group=group, location=location, hub=hub
        )
        if azure.entra:
            EntraLogs(self, "entra", deployment=deployment, hub=hub)
        if azure.resource_types:
            ResourceLogs(
                self,
                "resources",
                deployment=deployment,
                subscription=azure.home,
                subscriptions=azure.subscriptions,
                resource_types=azure.resource_types,
                group=group,
                location=location,
                hub=hub,
            )


def _provider(stack: TerraformStack, azure: Azure) -> AzurermProvider:
    """Add the provider of the exporter's subscription; it uses the current sign-in, not keys."""
    return AzurermProvider(
        stack,
        "azurerm",
        subscription_id=azure.home,
        tenant_id=azure.tenant,
        storage_use_azuread=True,
        resource_provider_registrations="none",
        resource_providers_to_register=list(RESOURCE_PROVIDERS),
        features=[
            AzurermProviderFeatures(
                # The function app is removed with the template that created it.
                template_deployment=[
                    AzurermProviderFeaturesTemplateDeployment(
                        delete_nested_items_during_deletion=True
                    )
                ]
            )
        ],
    )


def _providers(stack: TerraformStack, azure: Azure) -> dict[str, AzurermProvider]:
    """Return the provider for each subscription; all but the exporter's have an alias.

    They are sorted by id: the order in the configuration means nothing.
    """
    home = _provider(stack, azure)
    return {
        subscription: home
        if subscription == azure.home
        else AzurermProvider(
            stack,
            f"azurerm-{subscription}",
            alias=f"subscription-{subscription}",
            subscription_id=subscription,
            tenant_id=azure.tenant,
            resource_provider_registrations="none",
            resource_providers_to_register=list(OBSERVED_PROVIDERS),
            features=[AzurermProviderFeatures()],
        )
        for subscription in sorted(azure.subscriptions)
    }
