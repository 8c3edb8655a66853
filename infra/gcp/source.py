"""The function's source archive, and the identity that builds it into a container."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cdktn import AssetType, ITerraformDependable, TerraformAsset
from cdktn_provider_google.artifact_registry_repository import ArtifactRegistryRepository
from cdktn_provider_google.artifact_registry_repository_iam_member import (
    ArtifactRegistryRepositoryIamMember,
)
from cdktn_provider_google.project_iam_member import (
    ProjectIamMember,
    ProjectIamMemberCondition,
)
from cdktn_provider_google.service_account import ServiceAccount
from cdktn_provider_google.storage_bucket import (
    StorageBucket,
    StorageBucketLifecycleRule,
    StorageBucketLifecycleRuleAction,
    StorageBucketLifecycleRuleCondition,
    StorageBucketVersioning,
)
from cdktn_provider_google.storage_bucket_iam_member import StorageBucketIamMember
from cdktn_provider_google.storage_bucket_object import StorageBucketObject
from constructs import Construct

from infra.accepted import accept
from infra.gcp.names import NAME, build_bucket
from infra.gcp.staging import USAGE_LOGS
from nhi_evidence.config.gcp_names import source_bucket, source_object


class SourceArchive(Construct):
    """The staged bundle in a bucket, in an object named after its content."""

    def __init__(
        self, scope: Construct, name: str, *, project: str, region: str, package: Path
    ) -> None:
        super().__init__(scope, name)
        digest = sha256(package.read_bytes()).hexdigest()
        asset = TerraformAsset(
            self, "package", path=str(package), type=AssetType.FILE, asset_hash=digest
        )
        self.bucket = StorageBucket(
            self,
            "bucket",
            project=project,
            name=source_bucket(project),
            location=region.upper(),
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=True,
            versioning=StorageBucketVersioning(enabled=True),
            lifecycle_rule=[
                StorageBucketLifecycleRule(
                    action=StorageBucketLifecycleRuleAction(type="Delete"),
                    condition=StorageBucketLifecycleRuleCondition(days_since_noncurrent_time=90),
                )
            ],
        )
        accept(self.bucket, {"CKV_GCP_62": USAGE_LOGS})
        self.object = StorageBucketObject(
            self,
            "object",
            bucket=self.bucket.name,
            name=source_object(digest),
            source=asset.path,
        )


class Builder(Construct):
    """The identity Cloud Build runs as: the project's default one may do too much.

    It reads the source it builds and nothing else: above all, no batched audit logs. Roles:
    https://docs.cloud.google.com/run/docs/configuring/services/build-service-account
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        number: str,
        region: str,
        source: SourceArchive,
    ) -> None:
        super().__init__(scope, name)
        self.repository = ArtifactRegistryRepository(
            self,
            "repository",
            project=project,
            location=region,
            repository_id=NAME,
            format="DOCKER",
            description="Containers built from the source of the exporter",
        )
        accept(
            self.repository,
            {
                "CKV_GCP_84": "Containers are built from public source and hold no secret; a "
                "disabled customer-managed key would keep the function from "
                "starting."
            },
        )
        self.account = ServiceAccount(
            self,
            "account",
            project=project,
            account_id=f"{NAME}-build",
            display_name="nhi-evidence build",
            description="Cloud Build builds the exporter as this account",
        )
        self.grants: list[ITerraformDependable] = [
            ProjectIamMember(
                self,
                "logWriter",
                project=project,
                role="roles/logging.logWriter",
                member=self.account.member,
            ),
            StorageBucketIamMember(
                self,
                "source",
                bucket=source.bucket.name,
                role="roles/storage.objectViewer",
                member=self.account.member,
            ),
            # The platform creates its bucket with the first build, so access can only be granted
            # beforehand, on the project, narrowed to that name.
            ProjectIamMember(
                self,
                "copies",
                project=project,
                role="roles/storage.objectViewer",
                member=self.account.member,
                condition=ProjectIamMemberCondition(
                    title="Source of builds alone",
                    expression=_within(build_bucket(number, region)),
                ),
            ),
            ArtifactRegistryRepositoryIamMember(
                self,
                "writer",
                project=project,
                location=region,
                repository=self.repository.name,
                role="roles/artifactregistry.writer",
                member=self.account.member,
            ),
        ]


def _within(bucket: str) -> str:
    """Return the condition that holds for a bucket and its objects.

    https://docs.cloud.google.com/iam/docs/conditions-resource-attributes
    """
    name = f"projects/_/buckets/{bucket}"
    return f'resource.name == "{name}" || resource.name.startsWith("{name}/objects/")'
