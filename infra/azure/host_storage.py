"""What the Functions host keeps: its package, its leases, and how far it has read."""

from __future__ import annotations

from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.storage_account import StorageAccount
from cdktn_provider_azurerm.storage_container import StorageContainer
from constructs import Construct

from infra.azure.names import NAME, storage_name
from infra.azure.regions import replication


class HostStorage(Construct):
    """A storage account that knows no keys, and nobody but the exporter's identity."""

    def __init__(
        self, scope: Construct, name: str, *, subscription: str, location: str, principal: str
    ) -> None:
        super().__init__(scope, name)
        self.account = StorageAccount(
            self,
            "account",
            name=storage_name(subscription),
            location=location,
            resource_group_name=NAME,
            account_tier="Standard",
            # Checkpoints decide where reading goes on: they outlive one zone, where there are any.
            account_replication_type=replication(location),
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            shared_access_key_enabled=False,
            default_to_oauth_authentication=True,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            local_user_enabled=False,
        )
        self.packages = StorageContainer(
            self,
            "packages",
            name="packages",
            storage_account_id=self.account.id,
            container_access_type="private",
        )
        # The role the host documents for its storage.
        # https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
        self.grant = RoleAssignment(
            self,
            "exporter",
            scope=self.account.id,
            role_definition_name="Storage Blob Data Owner",
            principal_id=principal,
            principal_type="ServicePrincipal",
        )
