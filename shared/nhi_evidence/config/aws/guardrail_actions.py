"""Calls that would change what is deployed, by subject, which the guardrails deny."""

from __future__ import annotations

from nhi_evidence.config.bucket_policy import ANNOTATIONS

BUCKET_CHANGES = ("s3:DeleteBucket*", "s3:PutBucket*", "s3:Put*Configuration", "s3:UpdateBucket*")
OBJECT_CHANGES = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject*",
    "s3:UpdateObjectEncryption",
    *ANNOTATIONS,
)
KEY_CHANGES = (
    "kms:CreateGrant",
    "kms:DeleteAlias",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:UpdateAlias",
)
ROLE_CHANGES = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole*",
    "iam:DetachRolePolicy",
    "iam:PutRole*",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole*",
)
PROVIDER_CHANGES = (
    "iam:AddClientIDToOpenIDConnectProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:DeleteOpenIDConnectProvider",
    "iam:RemoveClientIDFromOpenIDConnectProvider",
    "iam:UpdateOpenIDConnectProviderThumbprint",
)
STACK_CHANGES = (
    "cloudformation:Cancel*",
    "cloudformation:Continue*",
    "cloudformation:Create*",
    "cloudformation:Delete*",
    "cloudformation:Execute*",
    "cloudformation:Rollback*",
    "cloudformation:Set*",
    "cloudformation:Signal*",
    "cloudformation:Update*",
)
FUNCTION_CHANGES = (
    "lambda:Add*",
    "lambda:Create*",
    "lambda:Delete*",
    # Run by hand, a function would count what it is given as its own work, and so hide a stop.
    "lambda:Invoke*",
    "lambda:Publish*",
    "lambda:Put*",
    "lambda:Remove*",
    "lambda:Update*",
)
QUEUE_CHANGES = ("sqs:Add*", "sqs:C*", "sqs:Delete*", "sqs:Purge*", "sqs:Re*", "sqs:S*")
"""Everything but looking at a queue and tagging it: a message that somebody else receives is hidden
for up to twelve hours, and one that is deleted forever."""
RULE_CHANGES = (
    "events:Delete*",
    "events:Disable*",
    "events:PutRule",
    "events:PutTargets",
    "events:Remove*",
)
ALARM_CHANGES = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DisableAlarmActions",
    "cloudwatch:Put*Alarm",
    "cloudwatch:PutAlarmMuteRule",
    "cloudwatch:SetAlarmState",
)
CATALOG_CHANGES = ("glue:BatchDelete*", "glue:Create*", "glue:Delete*", "glue:Update*")
"""Changes to where evidence is and how it is read: a false table gives false answers."""
WORKGROUP_CHANGES = ("athena:Create*", "athena:Delete*", "athena:Update*")
BUS_CHANGES = ("events:UpdateEventBus",)
"""A bus encrypted with a key that is then disabled delivers nothing, so no schedule would run."""

TOPIC_CHANGES = (
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:PutDataProtectionPolicy",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
)
UNBOUND_CHANGES = (
    "iam:DisableOutboundWebIdentityFederation",
    "lambda:CreateEventSourceMapping",
    "logs:DeleteAccountPolicy",
    "logs:DeleteResourcePolicy",
    "logs:PutAccountPolicy",
    "logs:PutResourcePolicy",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
)
"""Changes that AWS cannot bind to a resource: a statement that names one never matches them.
Without tokens for other clouds, nothing there is listed, read or probed.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html"""
LOG_CHANGES = (
    "logs:AssociateKmsKey",
    "logs:Delete*",
    "logs:PutDataProtectionPolicy",
    "logs:PutMetricFilter",
    "logs:PutRetentionPolicy",
    "logs:PutSubscriptionFilter",
    "logs:PutTransformer",
)
LOG_WRITES = ("logs:CreateLogStream", "logs:PutLogEvents")
ACCOUNT_CHANGES = (
    "account:CloseAccount",
    "account:DisableRegion",
    "organizations:LeaveOrganization",
    # A request through an access point names that instead of the bucket.
    "s3:CreateAccessPoint*",
    "s3:CreateMultiRegionAccessPoint",
)
ASSET_CHANGES = (*BUCKET_CHANGES, "s3:DeleteObject*", "s3:PutObject*")
"""Changes to a bucket without locks, and to its objects. The next deployment runs the objects of
the CDK's own bucket as the functions' code; a subscriber takes lines, and an auditor answers, as
they are."""
