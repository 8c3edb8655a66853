"""An Entra tenant as an identity provider in IAM."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from nhi_evidence.config.aws.web_trust import entra_issuer


class EntraProvider(Construct):
    """An Entra tenant as an OIDC provider of the account, for one audience."""

    def __init__(self, scope: Construct, name: str, *, tenant: str, audience: str) -> None:
        super().__init__(scope, name)
        self.resource = iam.CfnOIDCProvider(
            self,
            "Provider",
            url=f"https://{entra_issuer(tenant)}",
            client_id_list=[audience],
        )
