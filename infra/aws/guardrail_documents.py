"""What the organization forbids even the administrators of the evidence account.

Two documents: a service control policy bounds the principals of the accounts it is attached to,
root included; a resource control policy bounds their resources, whoever asks. Neither binds the
management account.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.aws.web_identity import WEB_IDENTITY
from nhi_evidence.config.documents import NONE, Condition, Statement, document

LONGEST_DOCUMENT = 5_120
"""Characters either kind may have."""

BUCKET_CHANGES = (
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
)
OBJECT_CHANGES = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectRetention",
    "s3:UpdateObjectEncryption",
)
KEY_CHANGES = (
    "kms:CreateGrant",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
)
IDENTITY_CHANGES = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:AttachRolePolicy",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateOpenIDConnectProviderThumbprint",
)
FUNCTION_CHANGES = (
    "events:DeleteRule",
    "events:DisableRule",
    "events:PutRule",
    "lambda:DeleteFunction*",
    "lambda:PutFunctionConcurrency",
    "lambda:UpdateFunction*",
)
ACCOUNT_CHANGES = ("account:CloseAccount", "organizations:LeaveOrganization")


def service_control_policy(
    *, partition: str, account: str, pipeline_role: str, buckets: Sequence[str]
) -> dict[str, Any]:
    """Return what nobody but `pipeline_role` may change, and what nobody may do at all.

    It may be attached to more than the evidence account, so it speaks of that `account` alone;
    `buckets` are the ARNs of its evidence buckets.
    """
    but_the_pipeline: Condition = {"ArnNotEquals": {"aws:PrincipalArn": pipeline_role}}
    iam = f"arn:{partition}:iam::{account}"
    return document(
        [
            _deny("Buckets", BUCKET_CHANGES, buckets, but_the_pipeline),
            _deny("Objects", OBJECT_CHANGES, [f"{one}/*" for one in buckets]),
            _deny(
                "Keys", KEY_CHANGES, [f"arn:{partition}:kms:*:{account}:key/*"], but_the_pipeline
            ),
            _deny(
                "Identities",
                IDENTITY_CHANGES,
                [f"{iam}:role/nhi-evidence-*", f"{iam}:oidc-provider/*"],
                but_the_pipeline,
            ),
            _deny(
                "Functions",
                FUNCTION_CHANGES,
                [
                    f"arn:{partition}:lambda:*:{account}:function:nhi-evidence-*",
                    f"arn:{partition}:events:*:{account}:rule/*",
                ],
                but_the_pipeline,
            ),
            _deny(
                "Account",
                ACCOUNT_CHANGES,
                "*",
                {"StringEquals": {"aws:PrincipalAccount": account}},
            ),
        ]
    )


def resource_control_policy(
    *,
    partition: str,
    account: str,
    organization: str,
    buckets: Sequence[str],
    auditors: Sequence[str],
    web_identities: Mapping[str, str],
) -> dict[str, Any]:
    """Return who may reach the buckets and the roles of the evidence account at all.

    `auditors` are the ARNs outside the organization that may take an auditor's role, whose own
    trust asks for their external id. `web_identities` are subject keys, such as
    `accounts.google.com:sub`, with the one subject each.
    """
    outside = {"aws:PrincipalOrgID": organization}
    not_a_service = {"aws:PrincipalIsAWSService": "false"}
    # A negated operator holds where its key is missing. So a principal without an organization,
    # and a token without a subject, are refused; and a token of one provider lacks the other's
    # subject, so that all of them must differ for a refusal.
    unknown: dict[str, Any] = {"StringNotEquals": dict(web_identities)} if web_identities else {}
    not_an_auditor = {"ArnNotEquals": {"aws:PrincipalArn": list(auditors)}} if auditors else {}
    roles = f"arn:{partition}:iam::{account}:role/*"
    return document(
        [
            {
                **_deny(
                    "Evidence",
                    ["s3:*"],
                    [part for one in buckets for part in (one, f"{one}/*")],
                    {"StringNotEquals": outside, "BoolIfExists": not_a_service},
                ),
                "Principal": "*",
            },
            {
                **_deny(
                    "Roles",
                    ["sts:AssumeRole"],
                    roles,
                    {"StringNotEquals": outside, "BoolIfExists": not_a_service, **not_an_auditor},
                ),
                "Principal": "*",
            },
            {**_deny("WebIdentities", [WEB_IDENTITY], roles, unknown), "Principal": "*"},
        ]
    )


def _deny(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, condition: Condition = NONE
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Action": list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    return {**statement, "Condition": dict(condition)} if condition else statement
