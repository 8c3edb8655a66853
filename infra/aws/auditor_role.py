"""Who may read the evidence: every version of it, its locks, and the bucket's own settings."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws import acknowledged
from infra.aws.signing_key import PUBLIC
from nhi_evidence.config import documents
from nhi_evidence.config.documents import allow, role_trust

READS = (
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:GetObjectRetention",
    "s3:GetObjectLegalHold",
)
LISTS = ("s3:ListBucket", "s3:ListBucketVersions")
SETTINGS = (
    "s3:GetBucketLocation",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
)


class AuditorRole(Construct):
    """A role to read one evidence bucket with, for exactly these principals.

    They may belong to another organization; `external_id` keeps their provider from being talked
    into using its access for somebody else. Of the keys under `keys_arn` they may fetch the public
    half, where the key's own policy names the role. `mfa` asks for a session begun with MFA, which
    federated principals never have.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        role_name: str,
        bucket_arn: str,
        keys_arn: str,
        principals: Sequence[str],
        external_id: str,
        mfa: bool,
    ) -> None:
        super().__init__(scope, name)
        condition: dict[str, dict[str, str]] = {"StringEquals": {"sts:ExternalId": external_id}}
        if mfa:
            condition["Bool"] = {"aws:MultiFactorAuthPresent": "true"}
        self.resource = iam.CfnRole(
            self,
            "Role",
            role_name=role_name,
            assume_role_policy_document=documents.document(
                [role_trust("Auditor", principals, condition)]
            ),
            max_session_duration=Duration.hours(1).to_seconds(),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="read",
                    policy_document=documents.document(
                        [
                            allow("Objects", READS, f"{bucket_arn}/*"),
                            allow("Bucket", [*LISTS, *SETTINGS], bucket_arn),
                            allow("Keys", PUBLIC, keys_arn),
                        ]
                    ),
                )
            ],
        )
        acknowledged.prefixes(
            self,
            [f"{bucket_arn}/*", keys_arn],
            "An auditor reads every version of everything, and the public half of every key.",
        )
