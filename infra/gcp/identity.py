"""The service account that the exporter runs as and the AWS writer role trusts."""

from __future__ import annotations

from collections.abc import Sequence

from cdktn import ITerraformDependable, TerraformOutput
from cdktn_provider_google.service_account import ServiceAccount
from constructs import Construct

from infra.gcp.names import EXPORTER


class ExporterIdentity(Construct):
    """A service account without keys and, initially, without any role.

    Its `unique_id` is the `sub` of its identity tokens, which no later account of the same name
    gets: the AWS trust policy pins that number, never the address.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        account = ServiceAccount(
            self,
            "account",
            project=project,
            account_id=EXPORTER,
            display_name="nhi-evidence exporter",
            description="Reads batched audit logs and writes locked evidence to AWS",
            depends_on=after,
        )
        TerraformOutput(
            self,
            "subject",
            static_id=True,
            value=account.unique_id,
            description="sub of its tokens: gcp.service_account_id of nhi-evidence.toml",
        ).override_logical_id("exporter_subject")
        TerraformOutput(self, "email", static_id=True, value=account.email).override_logical_id(
            "exporter_email"
        )
