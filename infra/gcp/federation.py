"""The evidence account's functions in Google Cloud: a pool, a provider, and read permissions.

No key and no service account: AWS vouches for one role (`sts:GetWebIdentityToken`), and the
provider accepts only that subject.
https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktn import ITerraformDependable, TerraformOutput
from cdktn_provider_google.iam_workload_identity_pool import IamWorkloadIdentityPool
from cdktn_provider_google.iam_workload_identity_pool_provider import (
    IamWorkloadIdentityPoolProvider,
    IamWorkloadIdentityPoolProviderOidc,
)
from cdktn_provider_google.organization_iam_member import OrganizationIamMember
from cdktn_provider_google.project_iam_member import ProjectIamMember
from constructs import Construct

from infra.gcp.apis import switched_on
from infra.gcp.canary import Canary
from nhi_evidence.config import federated

POOL = "nhi-evidence"
PROVIDER = "aws"

SERVICES = ("sts",)
"""Exchanges a token of AWS for Google's; the project of the pool has to have it enabled:
https://docs.cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds"""

LISTS = "roles/logging.privateLogViewer"
"""Data Access logs are private: `roles/logging.viewer` does not list them."""

READS = (
    "roles/iam.securityReviewer",
    "roles/logging.viewer",
    "roles/browser",
)
"""What the function that reads settings asks about the organization."""


class Federation(Construct):
    """A pool with one provider, whose members may list logs, or read settings, and nothing else.

    `subjects` are AWS roles by what they do: `reconcile` lists the audit logs of `projects`,
    `coverage` reads settings of the organization. `canaries` are projects with a harmless service
    account, and the AWS role that may impersonate it.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        deployment: str,
        project: str,
        organization: str,
        projects: Sequence[str],
        issuer: str,
        subjects: Mapping[str, Sequence[str]],
        canaries: Mapping[str, str] = {},
        after: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, name)
        services = switched_on(self, project, SERVICES)
        pool = IamWorkloadIdentityPool(
            self,
            "pool",
            project=project,
            workload_identity_pool_id=POOL,
            display_name="nhi-evidence",
            description="Functions of the evidence account in AWS",
            depends_on=[*after, *services],
        )
        trusted = {arn for arns in subjects.values() for arn in arns}
        provider = IamWorkloadIdentityPoolProvider(
            self,
            "provider",
            project=project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id=PROVIDER,
            display_name="AWS",
            attribute_mapping={"google.subject": "assertion.sub"},
            attribute_condition=federated.condition(trusted | set(canaries.values())),
            oidc=IamWorkloadIdentityPoolProviderOidc(issuer_uri=issuer),
        )
        for number, arn in enumerate(sorted(subjects.get("reconcile", ()))):
            for listed in sorted(projects):
                ProjectIamMember(
                    self,
                    f"lists-{number}-{listed}",
                    project=listed,
                    role=LISTS,
                    member=_member(pool, arn),
                )
        for number, arn in enumerate(sorted(subjects.get("coverage", ()))):
            for role in READS:
                OrganizationIamMember(
                    self,
                    f"reads-{number}-{role.rpartition('.')[2]}-{role.partition('/')[2]}",
                    org_id=organization,
                    role=role,
                    member=_member(pool, arn),
                )
        for probed, arn in sorted(canaries.items()):
            Canary(
                self,
                f"canary-{probed}",
                deployment=deployment,
                project=probed,
                member=_member(pool, arn),
            )
        TerraformOutput(
            self,
            "name",
            static_id=True,
            value=f"//iam.googleapis.com/{provider.name}",
            description="gcp.reconcile_provider, coverage.gcp_provider and provider of "
            "canaries.google in nhi-evidence.toml",
        ).override_logical_id("federation_provider")


def _member(pool: IamWorkloadIdentityPool, arn: str) -> str:
    return f"principal://iam.googleapis.com/{pool.name}/subject/{arn}"
