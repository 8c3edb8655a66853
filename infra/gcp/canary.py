"""The canary of a project: a service account that may list service accounts, and nothing else.

It has no key: an AWS role impersonates it through the pool of the exporter's project.
https://cloud.google.com/iam/docs/service-account-impersonation
"""

from __future__ import annotations

from cdktn_provider_google.project_iam_custom_role import ProjectIamCustomRole
from cdktn_provider_google.project_iam_member import ProjectIamMember
from cdktn_provider_google.service_account import ServiceAccount
from cdktn_provider_google.service_account_iam_member import ServiceAccountIamMember
from constructs import Construct

from infra.gcp.apis import switched_on
from nhi_evidence.config import federated, naming

SERVICES = ("cloudresourcemanager", "iam", "iamcredentials", "logging", "secretmanager")
"""What the probes call: nothing is recorded of a service that is not enabled."""


class Canary(Construct):
    """A service account of `project`, which only `member` may impersonate."""

    def __init__(
        self, scope: Construct, name: str, *, deployment: str, project: str, member: str
    ) -> None:
        super().__init__(scope, name)
        services = switched_on(self, project, SERVICES)
        account = ServiceAccount(
            self,
            "account",
            project=project,
            account_id=naming.google_canary_id(deployment),
            display_name="nhi-evidence canary",
            description="Probes whether calls are recorded; it may only list service accounts",
            depends_on=services,
        )
        role = ProjectIamCustomRole(
            self,
            "role",
            project=project,
            role_id=naming.google_canary_role(deployment),
            title="nhi-evidence canary",
            description="Lists service accounts, and nothing else",
            permissions=[federated.CANARY_PERMISSION],
            depends_on=services,
        )
        ProjectIamMember(
            self,
            "may",
            project=project,
            role=role.name,
            member=f"serviceAccount:{account.email}",
        )
        ServiceAccountIamMember(
            self,
            "taken",
            service_account_id=account.name,
            role=federated.CANARY_TAKEN_BY,
            member=member,
        )
