"""What all our buckets are: versioned, owner-enforced, encrypted by S3, closed to the public."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from nhi_evidence.config import documents
from nhi_evidence.config.aws.buckets import BucketPlan, LifecycleRule


class PrivateBucket(Construct):
    """A bucket and its policy, both retained when their stack is deleted.

    `properties` are CloudFormation properties beyond the plan. A first deployment that fails
    removes what it created, so that the next one can create it again.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        plan: BucketPlan,
        **properties: Any,
    ) -> None:
        super().__init__(scope, name)
        self.resource = s3.CfnBucket(
            self,
            "Bucket",
            bucket_name=plan.name,
            object_lock_enabled=None if plan.lock_days is None else True,
            object_lock_configuration=None if plan.lock_days is None else _lock(plan.lock_days),
            lifecycle_configuration=_lifecycle(plan.lifecycle) if plan.lifecycle else None,
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
            self, "Policy", bucket=plan.name, policy_document=documents.document(plan.statements)
        )
        self.policy.add_resource_dependency(self.resource)
        for resource in (self.resource, self.policy):
            resource.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def _encryption() -> s3.CfnBucket.BucketEncryptionProperty:
    """Return SSE-S3: whoever controls a customer key can destroy locked objects with it."""
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


def _lock(days: int) -> s3.CfnBucket.ObjectLockConfigurationProperty:
    return s3.CfnBucket.ObjectLockConfigurationProperty(
        object_lock_enabled="Enabled",
        rule=s3.CfnBucket.ObjectLockRuleProperty(
            default_retention=s3.CfnBucket.DefaultRetentionProperty(mode="COMPLIANCE", days=days)
        ),
    )


def _lifecycle(rules: list[LifecycleRule]) -> s3.CfnBucket.LifecycleConfigurationProperty:
    return s3.CfnBucket.LifecycleConfigurationProperty(rules=[_rule(one) for one in rules])


def _rule(rule: LifecycleRule) -> s3.CfnBucket.RuleProperty:
    noncurrent, archive = rule.noncurrent_days, rule.archive_days
    return s3.CfnBucket.RuleProperty(
        id=rule.id,
        status="Enabled",
        prefix=rule.prefix or None,
        expiration_in_days=rule.expire_days,
        noncurrent_version_expiration=None
        if noncurrent is None
        else s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=noncurrent),
        transitions=None
        if archive is None
        else [
            s3.CfnBucket.TransitionProperty(storage_class="GLACIER_IR", transition_in_days=archive)
        ],
        expired_object_delete_marker=rule.markers or None,
    )
