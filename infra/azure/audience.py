"""What the exporter's tokens are for: an application that stands for the AWS account."""

from __future__ import annotations

from cdktn import TerraformOutput
from cdktn_provider_azuread.app_role_assignment import AppRoleAssignment
from cdktn_provider_azuread.application import (
    Application,
    ApplicationApi,
    ApplicationAppRole,
)
from cdktn_provider_azuread.service_principal import ServicePrincipal
from constructs import Construct

from infra.azure.names import shared

WRITE_ROLE = "b7a2f4c0-6c1d-5f0e-9d0a-2f9a4f1c7e35"
"""Id of the application role, which we choose, and the same in every tenant."""

TOKEN_VERSION = 1
"""Entra's token format decides the issuer and the audience AWS sees: version 1 has
`https://sts.windows.net/<tenant>/` and the identifier URI, version 2 another issuer and a number
for an audience. https://learn.microsoft.com/entra/identity-platform/access-tokens"""


class AwsAudience(Construct):
    """An application without secrets, whose tokens are issued only to the exporter's identity.

    Assignment is required, so nobody else in the tenant can obtain a token with this audience in
    the first place; the AWS trust policy then requires the exporter's subject as well.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        tenant: str,
        audience: str,
        principal: str,
    ) -> None:
        super().__init__(scope, name)
        application = Application(
            self,
            "application",
            display_name=f"{shared(deployment)} in AWS",
            description="Audience of the tokens nhi-evidence presents to AWS",
            sign_in_audience="AzureADMyOrg",
            identifier_uris=[audience],
            api=ApplicationApi(requested_access_token_version=TOKEN_VERSION),
            app_role=[
                ApplicationAppRole(
                    id=WRITE_ROLE,
                    allowed_member_types=["Application"],
                    display_name="Write evidence",
                    description="May present a token to the evidence account",
                    value="Evidence.Write",
                    enabled=True,
                )
            ],
        )
        service = ServicePrincipal(
            self,
            "service",
            client_id=application.client_id,
            app_role_assignment_required=True,
        )
        AppRoleAssignment(
            self,
            "exporter",
            app_role_id=WRITE_ROLE,
            principal_object_id=principal,
            resource_object_id=service.object_id,
        )
        TerraformOutput(
            self,
            "issuer",
            value=f"https://sts.windows.net/{tenant}/",
            description="iss of the tokens: the OIDC provider of the evidence account",
        ).override_logical_id("exporter_issuer")
        TerraformOutput(
            self, "audience", value=audience, description="aud of the tokens"
        ).override_logical_id("exporter_audience")
