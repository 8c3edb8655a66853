"""The exporter as a function app that reads the hub as its managed identity."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from cdktn import AssetType, Fn, ITerraformDependable, TerraformAsset, TerraformOutput
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import (
    DataAzurermUserAssignedIdentity,
)
from cdktn_provider_azurerm.resource_group_template_deployment import (
    ResourceGroupTemplateDeployment,
)
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.service_plan import ServicePlan
from constructs import Construct

from infra.accepted import accept
from infra.azure.event_hub import LogHub
from infra.azure.host_storage import HostStorage
from infra.azure.names import NAME, site_name
from infra.azure.site_template import template
from infra.declaration import Declaration
from nhi_evidence.config.azure_app import CONSUMER_GROUP, INSTANCES, connections


class ExportFunction(Construct):
    """A plan that scales to zero when nothing arrives, and one app in it.

    Values of `environment` may be expressions over the template's parameters.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        subscription: str,
        location: str,
        declared: Declaration,
        package: Path,
        identity: DataAzurermUserAssignedIdentity,
        hub: LogHub,
        storage: HostStorage,
        environment: Mapping[str, str],
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, name)
        plan = self._make_plan(location)
        receiver = RoleAssignment(
            self,
            "receiver",
            scope=hub.hub.id,
            role_definition_name="Azure Event Hubs Data Receiver",
            principal_id=identity.principal_id,
            principal_type="ServicePrincipal",
        )
        values = {
            "site": site_name(subscription),
            "location": location,
            "plan": plan.id,
            "identity": identity.id,
            "clientId": identity.client_id,
            "storage": storage.account.name,
            "packages": f"{storage.account.primary_blob_endpoint}{storage.packages.name}",
            "namespace": hub.namespace.name,
            "hub": hub.hub.id,
            "consumerGroup": hub.consumer_group.name,
            # Nothing reads it: a new value makes the template, and `reference` in it, run again.
            "generation": hub.generation.id,
        }
        settings = {
            **connections(
                client_id="[parameters('clientId')]",
                storage="[parameters('storage')]",
                namespace="[concat(parameters('namespace'), '.servicebus.windows.net')]",
            ),
            CONSUMER_GROUP: "[parameters('consumerGroup')]",
            **environment,
        }
        self.site = ResourceGroupTemplateDeployment(
            self,
            "site",
            name=f"{NAME}-function",
            resource_group_name=NAME,
            deployment_mode="Incremental",
            template_content=json.dumps(
                template(
                    parameters=values,
                    settings=settings,
                    python=declared.function.python,
                    memory_mb=declared.function.memory_mb,
                    instances=INSTANCES,
                ),
                sort_keys=True,
            ),
            parameters_content=Fn.jsonencode({key: {"value": one} for key, one in values.items()}),
            depends_on=[receiver, storage.grant, *after],
        )
        self._publish(package, site_name(subscription), subscription)

    def _make_plan(self, location: str) -> ServicePlan:
        plan = ServicePlan(
            self,
            "plan",
            name=NAME,
            location=location,
            resource_group_name=NAME,
            os_type="Linux",
            sku_name="FC1",
        )
        accept(
            plan,
            {
                "CKV_AZURE_212": "The plan scales to zero while nothing arrives, and the hub "
                "keeps what arrives: there is nothing to fail over to.",
                "CKV_AZURE_225": "Losing a zone loses no work: another instance reads what was "
                "not acknowledged, and checkpoints survive a zone.",
            },
        )
        return plan

    def _publish(self, package: Path, site: str, subscription: str) -> None:
        """Put the package beside the stack, and output the command that publishes it."""
        digest = sha256(package.read_bytes()).hexdigest()
        asset = TerraformAsset(
            self, "package", path=str(package), type=AssetType.FILE, asset_hash=digest
        )
        TerraformOutput(
            self,
            "publish",
            value=f"az functionapp deployment source config-zip --subscription {subscription}"
            f" --resource-group {NAME} --name {site} --src {asset.path}",
            description="Run in this folder after each apply that changed it",
        ).override_logical_id("publish")
