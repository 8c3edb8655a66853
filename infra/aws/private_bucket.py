"""What every bucket of ours is: versioned, of one owner, encrypted by S3, closed to the public."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.documents import Statement


class PrivateBucket(Construct):
    """A bucket and its policy, both kept when their stack goes.

    `statements` is the policy; `properties` are what else CloudFormation takes of a bucket. A
    first deployment that fails removes what it made, so that the next can make it again.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        bucket: str,
        statements: list[Statement],
        **properties: Any,
    ) -> None:
        super().__init__(scope, name)
        self.resource = s3.CfnBucket(
            self,
            "Bucket",
            bucket_name=bucket,
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            bucket_encryption=_encryption(),
            ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
                rules=[
                    s3.CfnBucket.OwnershipControlsRuleProperty(
                        object_ownership="BucketOwnerEnforced"
                    )
                ]
            ),
            public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            **properties,
        )
        self.policy = s3.CfnBucketPolicy(
            self, "Policy", bucket=bucket, policy_document=documents.document(statements)
        )
        self.policy.add_resource_dependency(self.resource)
        for resource in (self.resource, self.policy):
            resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def _encryption() -> s3.CfnBucket.BucketEncryptionProperty:
    """SSE-S3: whoever has a customer key can destroy what is locked by deleting the key."""
    return s3.CfnBucket.BucketEncryptionProperty(
        server_side_encryption_configuration=[
            s3.CfnBucket.ServerSideEncryptionRuleProperty(
                server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm="AES256"
                ),
                blocked_encryption_types=s3.CfnBucket.BlockedEncryptionTypesProperty(
                    encryption_type=["SSE-C"]
                ),
            )
        ]
    )
