"""The bucket in which batched files wait until they are locked."""

from __future__ import annotations

import json

from cdktn_provider_google.storage_bucket import (
    StorageBucket,
    StorageBucketLifecycleRule,
    StorageBucketLifecycleRuleAction,
    StorageBucketLifecycleRuleCondition,
    StorageBucketRetentionPolicy,
    StorageBucketSoftDeletePolicy,
)
from cdktn_provider_google.storage_bucket_iam_policy import StorageBucketIamPolicy
from constructs import Construct

from infra.accepted import accept
from infra.gcp.names import staging_bucket
from nhi_evidence.config.gcp_delivery import KEPT_DAYS

USAGE_LOGS = (
    "Usage logs are the older mechanism, with files in one more bucket. Who reads and writes is "
    "in the Data Access logs of Cloud Storage, which `data_access` enables and the export locks."
)
"""Why a bucket has no usage logs."""


class StagingBucket(Construct):
    """Files that can be neither replaced nor deleted while they wait, and are gone afterwards.

    There is a retention policy instead of versioning: between its writer and the exporter a file
    has only one generation, so what is locked is what was delivered. The policy itself is not
    locked, since the evidence is elsewhere and these are transit copies that must be removable.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        project: str,
        region: str,
        writer: str,
        reader: str,
    ) -> None:
        super().__init__(scope, name)
        self.bucket = StorageBucket(
            self,
            "bucket",
            project=project,
            name=staging_bucket(project),
            location=region.upper(),
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            force_destroy=False,
            retention_policy=StorageBucketRetentionPolicy(retention_period=str(KEPT_DAYS * 86_400)),
            # Retention already protects files; soft delete would keep, and bill, each for another
            # week.
            soft_delete_policy=StorageBucketSoftDeletePolicy(retention_duration_seconds=0),
            lifecycle_rule=[
                StorageBucketLifecycleRule(
                    action=StorageBucketLifecycleRuleAction(type="Delete"),
                    condition=StorageBucketLifecycleRuleCondition(age=KEPT_DAYS + 1),
                )
            ],
        )
        accept(
            self.bucket,
            {
                "CKV_GCP_62": USAGE_LOGS,
                "CKV_GCP_78": "A retention policy, which excludes versioning: no file can be"
                " replaced or deleted while it waits, so there is one generation of each.",
            },
        )
        # The whole policy, not bindings: that of a new bucket lets the viewers and editors of the
        # project read every object (docs/decisions/0310-the-staging-bucket-s-whole-policy.md).
        # https://docs.cloud.google.com/storage/docs/access-control/iam-roles#basic-roles-modifiable
        members = {
            "roles/storage.objectCreator": [writer],
            "roles/storage.legacyObjectReader": [reader],
            # Pub/Sub reads the bucket's metadata before it writes; the exporter reads from it
            # whose bucket this is, since somebody else may take a name that was given up.
            # https://docs.cloud.google.com/pubsub/docs/create-cloudstorage-subscription
            "roles/storage.legacyBucketReader": [writer, reader],
            # Whoever deploys as owner manages the bucket, and reads none of its files.
            "roles/storage.legacyBucketOwner": [f"projectOwner:{project}"],
        }
        self.policy = StorageBucketIamPolicy(
            self,
            "access",
            bucket=self.bucket.name,
            policy_data=json.dumps(
                {"bindings": [{"role": role, "members": who} for role, who in members.items()]}
            ),
        )
