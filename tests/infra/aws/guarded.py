"""Calls that the guardrails deny, written by hand, and who is denied them."""

from __future__ import annotations

from tests.infra.aws.estate import BUCKET, EVIDENCE, REPLICA, arn

ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
REGION = "eu-central-1"
PIPELINE = arn(EVIDENCE, f"cdk-hnb659fds-cfn-exec-role-{EVIDENCE}-{REGION}")
DEPLOY = arn(EVIDENCE, f"cdk-hnb659fds-deploy-role-{EVIDENCE}-{REGION}")
DEPLOYMENT = arn("123456789012", "deployment")
ROLE = arn(EVIDENCE, "nhi-evidence-main-170b2e-auditor-external")
SEALER = arn(EVIDENCE, "nhi-evidence-main-170b2e-sealer")
REPLICA_BUCKET = f"arn:aws:s3:::nhi-evidence-replica-{REPLICA}"
KEY = f"arn:aws:kms:{REGION}:{EVIDENCE}:key/k"
FUNCTION = f"arn:aws:lambda:{REGION}:{EVIDENCE}:function:nhi-evidence-main-170b2e-sealer"
RULE = f"arn:aws:events:{REGION}:{EVIDENCE}:rule/nhi-evidence-main-170b2e-seal-SealerClock"
ALARM = f"arn:aws:cloudwatch:{REGION}:{EVIDENCE}:alarm:nhi-evidence-main-170b2e-sealer-stalled"
TOPIC = f"arn:aws:sns:{REGION}:{EVIDENCE}:nhi-evidence-main-170b2e-alarms"
SIGNATURES = (
    f"arn:aws:logs:{REGION}:{EVIDENCE}:log-group:/aws/events/nhi-evidence-main-170b2e-signatures"
)
OWN_LOG = f"arn:aws:logs:{REGION}:{EVIDENCE}:log-group:/aws/lambda/nhi-evidence-main-170b2e-sealer"
STACK = f"arn:aws:cloudformation:{REGION}:{EVIDENCE}:stack/nhi-evidence-main-170b2e/id"
POINT = f"arn:aws:s3:{REGION}:{EVIDENCE}:accesspoint/mine"
ASSETS = f"arn:aws:s3:::cdk-hnb659fds-assets-{EVIDENCE}-{REGION}"
PUBLISHER = arn(EVIDENCE, f"cdk-hnb659fds-file-publishing-role-{EVIDENCE}-{REGION}")
QUEUES = [
    f"arn:aws:sqs:{REGION}:{EVIDENCE}:nhi-evidence-main-170b2e-{one}"
    for one in ("forward", "forward-dead", "subscriber", "subscriber-dead")
]
MAPPING = f"arn:aws:lambda:{REGION}:{EVIDENCE}:event-source-mapping:11111111-2222-3333"
LINES = f"arn:aws:s3:::nhi-evidence-siem-{EVIDENCE}"
ANSWERS = f"arn:aws:s3:::nhi-evidence-answers-{EVIDENCE}"
FORWARDER = arn(EVIDENCE, "nhi-evidence-main-170b2e-forward")
SUBSCRIBER = arn(EVIDENCE, "nhi-evidence-main-170b2e-subscriber")
SENTINEL = arn(EVIDENCE, "OIDC_nhi-evidence-main-170b2e-sentinel")
UNBOUND = {
    "iam:DisableOutboundWebIdentityFederation",
    "lambda:CreateEventSourceMapping",
    "logs:DeleteAccountPolicy",
    "logs:DeleteResourcePolicy",
    "logs:PutAccountPolicy",
    "logs:PutResourcePolicy",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
}
"""Actions without a resource type in the service authorization reference, for the services whose
changes are denied by name. https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
CHANGES = [
    *(
        (action, bucket)
        for bucket in (BUCKET, REPLICA_BUCKET)
        for action in (
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketVersioning",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
            "s3:PutBucketPolicy",
            "s3:DeleteBucketPolicy",
            "s3:PutEncryptionConfiguration",
            "s3:PutMetricsConfiguration",
            "s3:PutBucketNotification",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:DeleteBucket",
        )
    ),
    ("kms:ScheduleKeyDeletion", KEY),
    ("kms:DisableKey", KEY),
    ("kms:PutKeyPolicy", KEY),
    ("kms:CreateGrant", KEY),
    *(
        (action, role)
        for role in (SEALER, PIPELINE, DEPLOY, arn(REPLICA, "cdk-x-cfn-exec-role"))
        for action in (
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePolicy",
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:DeleteRole",
            "iam:CreateRole",
            "iam:UpdateRole",
            "iam:PutRolePermissionsBoundary",
            "iam:PassRole",
        )
    ),
    ("iam:DeleteOpenIDConnectProvider", f"arn:aws:iam::{EVIDENCE}:oidc-provider/x"),
    ("iam:CreateRole", arn(EVIDENCE, "nhi-evidence-main-170b2e-op-recon")),
    ("lambda:UpdateFunctionCode", FUNCTION),
    ("lambda:UpdateFunctionConfiguration", FUNCTION),
    ("lambda:DeleteFunction", FUNCTION),
    ("lambda:AddPermission", FUNCTION),
    ("lambda:PutFunctionConcurrency", FUNCTION),
    *(
        ("lambda:InvokeFunction", f"{FUNCTION.removesuffix('sealer')}{function}")
        for function in ("sealer", "reconcile", "coverage", "canary", "forward")
    ),
    ("lambda:InvokeFunctionUrl", FUNCTION),
    ("lambda:UpdateEventSourceMapping", MAPPING),
    ("lambda:DeleteEventSourceMapping", MAPPING),
    *(
        (action, queue)
        for queue in QUEUES
        for action in (
            "sqs:AddPermission",
            "sqs:ChangeMessageVisibility",
            "sqs:DeleteMessage",
            "sqs:DeleteQueue",
            "sqs:PurgeQueue",
            "sqs:ReceiveMessage",
            "sqs:RemovePermission",
            "sqs:SendMessage",
            "sqs:SetQueueAttributes",
            "sqs:StartMessageMoveTask",
        )
    ),
    *(
        (action, bucket)
        for bucket in (LINES, ANSWERS)
        for action in (
            "s3:DeleteBucket",
            "s3:PutBucketNotification",
            "s3:PutBucketPolicy",
            "s3:PutLifecycleConfiguration",
        )
    ),
    *(
        (action, f"{bucket}/x")
        for bucket in (LINES, ANSWERS)
        for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject")
    ),
    ("events:DisableRule", RULE),
    ("events:RemoveTargets", RULE),
    ("events:PutTargets", RULE),
    ("events:PutRule", RULE),
    ("cloudwatch:DeleteAlarms", ALARM),
    ("cloudwatch:DisableAlarmActions", ALARM),
    ("cloudwatch:PutMetricAlarm", ALARM),
    ("cloudwatch:PutAlarmMuteRule", ALARM),
    ("cloudwatch:SetAlarmState", ALARM),
    ("sns:DeleteTopic", TOPIC),
    ("sns:PutDataProtectionPolicy", TOPIC),
    ("events:UpdateEventBus", f"arn:aws:events:{REGION}:{EVIDENCE}:event-bus/default"),
    # AWS evaluates these against no resource.
    *((action, "*") for action in sorted(UNBOUND)),
    *((action, ASSETS) for action in ("s3:PutBucketPolicy", "s3:PutLifecycleConfiguration")),
    *((action, f"{ASSETS}/x.zip") for action in ("s3:PutObject", "s3:DeleteObject")),
    ("sns:SetTopicAttributes", TOPIC),
    ("logs:DeleteLogGroup", SIGNATURES),
    ("logs:DeleteMetricFilter", SIGNATURES),
    ("logs:PutMetricFilter", SIGNATURES),
    ("logs:PutTransformer", SIGNATURES),
    ("logs:PutRetentionPolicy", OWN_LOG),
    ("logs:PutLogEvents", OWN_LOG),
    ("cloudformation:UpdateStack", STACK),
    ("cloudformation:DeleteStack", STACK),
    ("cloudformation:ExecuteChangeSet", STACK),
    ("cloudformation:UpdateTerminationProtection", STACK),
    ("budgets:ModifyBudget", f"arn:aws:budgets::{EVIDENCE}:budget/nhi-evidence-main-170b2e"),
]
FOR_NOBODY = [
    ("s3:DeleteObjectVersion", f"{BUCKET}/ev/v1/x"),
    ("s3:DeleteObject", f"{REPLICA_BUCKET}/ev/v1/x"),
    ("s3:BypassGovernanceRetention", f"{BUCKET}/ev/v1/x"),
    ("s3:PutObjectRetention", f"{BUCKET}/ev/v1/x"),
    ("s3:PutObjectAnnotation", f"{BUCKET}/ev/v1/x"),
    ("account:CloseAccount", "*"),
    ("account:DisableRegion", "*"),
    ("s3:CreateAccessPoint", POINT),
    ("s3:CreateAccessPointForObjectLambda", POINT),
    ("s3:CreateMultiRegionAccessPoint", f"arn:aws:s3::{EVIDENCE}:accesspoint/mine"),
    ("s3:PutObject", f"{POINT}/object/ev/v1/x"),
    ("s3:DeleteObjectVersion", f"{POINT}/object/ev/v1/x"),
    ("organizations:LeaveOrganization", "*"),
    ("cloudwatch:PutMetricData", "*"),
]
