"""The evidence account's functions in Entra: applications without a secret.

Each has federated credentials for AWS's issuer (`sts:GetWebIdentityToken`) and for the one subject
that may use it, and the permissions it needs.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktn import TerraformOutput
from cdktn_provider_azuread.app_role_assignment import AppRoleAssignment
from cdktn_provider_azuread.application import (
    Application,
    ApplicationRequiredResourceAccess,
    ApplicationRequiredResourceAccessResourceAccess,
)
from cdktn_provider_azuread.application_federated_identity_credential import (
    ApplicationFederatedIdentityCredential,
)
from cdktn_provider_azuread.data_azuread_service_principal import DataAzureadServicePrincipal
from cdktn_provider_azuread.directory_role_assignment import DirectoryRoleAssignment
from cdktn_provider_azuread.service_principal import ServicePrincipal
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from cdktn_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from constructs import Construct

from infra.azure.names import NAME, management_group_id, role_definition, shared
from nhi_evidence.config.federated import ENTRA_AUDIENCE

GRAPH = "00000003-0000-0000-c000-000000000000"
"""Client id of Microsoft Graph, the same in every tenant."""
PERMISSIONS = {
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
}
"""Application permissions of Graph to their ids, the same in every tenant:
https://learn.microsoft.com/graph/permissions-reference"""
SECURITY_READER = "5d6b6bb7-de71-4623-b4af-96380a352509"
"""Template id of the directory role, the same in every tenant: it reads the tenant's own settings.
https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""
ACTIVITY = "Microsoft.Insights/eventtypes/values/read"
"""The only action that listing the Activity Log takes."""


class FederatedApplication(Construct):
    """An application that only AWS roles can act as, with Graph permissions."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        display_name: str,
        issuer: str,
        subjects: Sequence[str],
        permissions: Sequence[str],
        output: str,
        description: str,
    ) -> None:
        super().__init__(scope, name)
        wanted = [
            ApplicationRequiredResourceAccessResourceAccess(id=PERMISSIONS[each], type="Role")
            for each in permissions
        ]
        application = Application(
            self,
            "application",
            display_name=display_name,
            description=description,
            sign_in_audience="AzureADMyOrg",
            required_resource_access=[
                ApplicationRequiredResourceAccess(resource_app_id=GRAPH, resource_access=wanted)
            ]
            if wanted
            else [],
        )
        self.principal = ServicePrincipal(self, "service", client_id=application.client_id)
        for number, subject in enumerate(sorted(subjects)):
            ApplicationFederatedIdentityCredential(
                self,
                f"aws-{number}",
                application_id=application.id,
                display_name=f"{NAME}-{number}",
                issuer=issuer,
                subject=subject,
                audiences=[ENTRA_AUDIENCE],
            )
        if wanted:
            graph = DataAzureadServicePrincipal(self, "graph", client_id=GRAPH)
            for each in permissions:
                AppRoleAssignment(
                    self,
                    each,
                    app_role_id=PERMISSIONS[each],
                    principal_object_id=self.principal.object_id,
                    resource_object_id=graph.object_id,
                )
        TerraformOutput(
            self, "client", value=application.client_id, description=description
        ).override_logical_id(output)


class Federation(Construct):
    """The reconciling function and the one that reads settings, each as an application.

    `canaries` are AWS roles that act as one more application, which may do nothing: its calls are
    probes.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        subscriptions: Sequence[str],
        group: str,
        entra: bool,
        issuer: str,
        subjects: Mapping[str, Sequence[str]],
        canaries: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, name)
        if canaries:
            harmless = FederatedApplication(
                self,
                "canary",
                display_name=f"{shared(deployment)} canary",
                issuer=issuer,
                subjects=canaries,
                permissions=[],
                output="canary_client",
                description="client_id of canaries.entra in nhi-evidence.toml",
            )
            TerraformOutput(
                self,
                "canary-principal",
                value=harmless.principal.object_id,
                description="object_id of canaries.entra in nhi-evidence.toml",
            ).override_logical_id("canary_object")
        if subjects.get("reconcile"):
            lists = FederatedApplication(
                self,
                "reconcile",
                display_name=f"{shared(deployment)} reconcile",
                issuer=issuer,
                subjects=subjects["reconcile"],
                permissions=["AuditLog.Read.All"] if entra else [],
                output="reconcile_client",
                description="azure.reconcile_client_id of nhi-evidence.toml",
            )
            self._lists_activity(deployment, lists.principal, sorted(subscriptions))
        if subjects.get("coverage"):
            reads = FederatedApplication(
                self,
                "coverage",
                display_name=f"{shared(deployment)} coverage",
                issuer=issuer,
                subjects=subjects["coverage"],
                permissions=["Organization.Read.All"],
                output="coverage_client",
                description="coverage.azure_client_id of nhi-evidence.toml",
            )
            RoleAssignment(
                self,
                "reads",
                scope=management_group_id(group),
                role_definition_name="Reader",
                principal_id=reads.principal.object_id,
                principal_type="ServicePrincipal",
            )
            DirectoryRoleAssignment(
                self,
                "reads-tenant",
                role_id=SECURITY_READER,
                principal_object_id=reads.principal.object_id,
            )

    def _lists_activity(
        self, deployment: str, principal: ServicePrincipal, subscriptions: Sequence[str]
    ) -> None:
        """Allow listing the Activity Log of each subscription: one action, and no other."""
        scopes = [f"/subscriptions/{subscription}" for subscription in subscriptions]
        role = RoleDefinition(
            self,
            "activity",
            # A tenant has one custom role of a name.
            name=f"{shared(deployment)} lists the Activity Log",
            description="Lists the Activity Log, and nothing else",
            scope=scopes[0],
            assignable_scopes=scopes,
            permissions=[RoleDefinitionPermissions(actions=[ACTIVITY], not_actions=[])],
        )
        for number, scope in enumerate(scopes):
            RoleAssignment(
                self,
                f"lists-{number}",
                scope=scope,
                # Azure returns the id a role has in the assignment's own subscription; by any other
                # id, each apply would take the right away and give it again.
                # https://github.com/Azure/azure-rest-api-specs/issues/10939
                role_definition_id=f"{scope}{role_definition(role.role_definition_id)}",
                principal_id=principal.object_id,
                principal_type="ServicePrincipal",
            )
