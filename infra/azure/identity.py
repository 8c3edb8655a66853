"""The managed identity that the exporter runs as and the AWS writer role trusts."""

from __future__ import annotations

from cdktn import TerraformOutput
from cdktn_provider_azurerm.resource_group import ResourceGroup
from cdktn_provider_azurerm.user_assigned_identity import UserAssignedIdentity
from constructs import Construct

from infra.azure.names import NAME


class ExporterIdentity(Construct):
    """A user-assigned identity in the exporter's resource group, initially without any role.

    It outlives the function app, so its object id, the `sub` that AWS pins, stays when the app is
    re-created. A re-created identity has another.
    """

    def __init__(self, scope: Construct, name: str, *, location: str) -> None:
        super().__init__(scope, name)
        group = ResourceGroup(self, "group", name=NAME, location=location)
        self.identity = UserAssignedIdentity(
            self, "identity", name=NAME, location=location, resource_group_name=group.name
        )
        TerraformOutput(
            self,
            "subject",
            value=self.identity.principal_id,
            description="sub of its tokens: azure.managed_identity_object_id of nhi-evidence.toml",
        ).override_logical_id("exporter_subject")
