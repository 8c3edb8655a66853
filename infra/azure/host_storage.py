"""Storage of the Functions host: its package, its leases, and how far it has read."""

from __future__ import annotations

from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.storage_account import (
    StorageAccount,
    StorageAccountBlobProperties,
    StorageAccountBlobPropertiesContainerDeleteRetentionPolicy,
    StorageAccountBlobPropertiesDeleteRetentionPolicy,
)
from cdktn_provider_azurerm.storage_container import StorageContainer
from constructs import Construct

from infra.accepted import accept
from infra.azure.names import NAME, storage_name
from infra.azure.regions import replication

SOFT_DELETE_DAYS = 7

_NETWORK = (
    "The plan runs without a customer network, and the host reaches its storage at public "
    "addresses. Keys, local users and anonymous reads are off: only the exporter's identity and "
    "holders of an Azure role have access."
)

ACCOUNT = {
    "CKV_AZURE_33": "The host uses no queues of this account.",
    "CKV_AZURE_59": _NETWORK,
    "CKV_AZURE_206": "Replicated across the region's zones, if it has any. It holds how far the "
    "hub was read, and the hub is in the same region.",
    "CKV2_AZURE_1": "It holds no evidence, only checkpoints and the package. A disabled "
    "customer-managed key would stop the export.",
    "CKV2_AZURE_33": _NETWORK,
}
"""What a scanner demands of the account, and why it does not apply."""


class HostStorage(Construct):
    """A storage account without keys, which admits only the exporter's identity."""

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
            # Checkpoints decide where reading resumes, so they survive the loss of a zone, if there
            # are zones.
            account_replication_type=replication(location),
            min_tls_version="TLS1_2",
            https_traffic_only_enabled=True,
            shared_access_key_enabled=False,
            default_to_oauth_authentication=True,
            allow_nested_items_to_be_public=False,
            cross_tenant_replication_enabled=False,
            local_user_enabled=False,
            # A deleted checkpoint or package can be restored for a week.
            blob_properties=StorageAccountBlobProperties(
                delete_retention_policy=StorageAccountBlobPropertiesDeleteRetentionPolicy(
                    days=SOFT_DELETE_DAYS
                ),
                container_delete_retention_policy=(
                    StorageAccountBlobPropertiesContainerDeleteRetentionPolicy(
                        days=SOFT_DELETE_DAYS
                    )
                ),
            ),
        )
        accept(self.account, ACCOUNT)
        self.packages = StorageContainer(
            self,
            "packages",
            name="packages",
            storage_account_id=self.account.id,
            container_access_type="private",
        )
        accept(
            self.packages,
            {
                "CKV2_AZURE_21": "Left out of the logs on purpose: what the host does to its own "
                "storage would be recorded, then read by the host, which would "
                "write again."
            },
        )
        # The role that the documentation of the host names for its storage.
        # https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
        self.grant = RoleAssignment(
            self,
            "exporter",
            scope=self.account.id,
            role_definition_name="Storage Blob Data Owner",
            principal_id=principal,
            principal_type="ServicePrincipal",
        )
