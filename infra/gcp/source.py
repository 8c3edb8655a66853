"""The function's source archive, and who builds it into a container."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cdktn import AssetType, ITerraformDependable, TerraformAsset
from cdktn_provider_google.artifact_registry_repository import ArtifactRegistryRepository
from cdktn_provider_google.artifact_registry_repository_iam_member import (
    ArtifactRegistryRepositoryIamMember,
)
from cdktn_provider_google.project_iam_member import ProjectIamMember
from cdktn_provider_google.service_account import ServiceAccount
from cdktn_provider_google.storage_bucket import (
    StorageBucket,
    StorageBucketLifecycleRule,
    StorageBucketLifecycleRuleAction,
    StorageBucketLifecycleRuleCondition,
    StorageBucketVersioning,
)
from cdktn_provider_google.storage_bucket_object import StorageBucketObject
from constructs import Construct

from infra.gcp.names import NAME


class SourceArchive(Construct):
    """The staged bundle in a bucket, its object named by its content."""

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
            name=f"{project}-{NAME}-source",
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
        self.object = StorageBucketObject(
            self,
            "object",
            bucket=self.bucket.name,
            name=f"gcp_export-{digest}.zip",
            source=asset.path,
        )


class Builder(Construct):
    """The identity Cloud Build works as: the project's default one may do too much.

    Roles: https://docs.cloud.google.com/run/docs/configuring/services/build-service-account
    """

    def __init__(self, scope: Construct, name: str, *, project: str, region: str) -> None:
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
        self.account = ServiceAccount(
            self,
            "account",
            project=project,
            account_id=f"{NAME}-build",
            display_name="nhi-evidence build",
            description="Cloud Build builds the exporter as this account",
        )
        # Build logs, and the copy of the source that the platform keeps in a bucket of its own.
        self.grants: list[ITerraformDependable] = [
            ProjectIamMember(
                self,
                role.rpartition(".")[2],
                project=project,
                role=role,
                member=self.account.member,
            )
            for role in ("roles/logging.logWriter", "roles/storage.objectViewer")
        ]
        self.grants.append(
            ArtifactRegistryRepositoryIamMember(
                self,
                "writer",
                project=project,
                location=region,
                repository=self.repository.name,
                role="roles/artifactregistry.writer",
                member=self.account.member,
            )
        )
