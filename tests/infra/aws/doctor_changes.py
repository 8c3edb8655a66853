"""Changes of a deployed estate, and what the doctor says of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.infra.aws.deployed import Deployed
from tests.infra.aws.estate import ARCHIVE

LINES = "nhi-evidence-siem-222233334444"


MAIN = "nhi-evidence-222233334444"


EXPORTER = "nhi-evidence-main-170b2e-aws_cloudtrail-organization"


SEALER = "nhi-evidence-main-170b2e-sealer"


QUEUES = "arn:aws:sqs:eu-central-1:111122223333"


FUNCTIONS = "arn:aws:lambda:eu-central-1:222233334444:function"


REPLICATION = "arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-replication"


def of(aws: Deployed, kind: str, name: str) -> dict[str, Any]:
    return aws.things[f"{kind} {name}"]


def of_tenant(aws: Deployed, tenant: str) -> dict[str, Any]:
    """Return the provider of identities for a tenant whose id begins so."""
    return next(one for one in aws.of("AWS::IAM::OIDCProvider") if tenant in one["Url"])


def mapping(aws: Deployed) -> dict[str, Any]:
    """Return what hands the exporter its messages."""
    return next(
        one for one in aws.of("AWS::Lambda::EventSourceMapping") if one["FunctionName"] == EXPORTER
    )


def variables_of(aws: Deployed, function: str) -> dict[str, Any]:
    """Return the environment of a function."""
    variables: dict[str, Any] = of(aws, "AWS::Lambda::Function", function)["Environment"][
        "Variables"
    ]
    return variables


CHANGES: dict[str, tuple[Callable[[Deployed], Any], str, str]] = {
    "a policy more for a writer": (
        lambda aws: of(aws, "AWS::IAM::Role", "nhi-evidence-main-170b2e-writer-gcp_audit")[
            "Policies"
        ].append({"PolicyName": "mine", "PolicyDocument": {"Statement": []}}),
        "evidence role nhi-evidence-main-170b2e-writer-gcp_audit",
        "more policies: mine",
    ),
    "a managed policy for the sealer": (
        lambda aws: of(aws, "AWS::IAM::Role", "nhi-evidence-main-170b2e-sealer").update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]
        ),
        "evidence role nhi-evidence-main-170b2e-sealer",
        "more policies: AdministratorAccess",
    ),
    "a grant": (
        lambda aws: next(iter(aws.of("AWS::KMS::Key"))).update(
            _grants=[{"GranteePrincipal": "arn:aws:iam::222233334444:role/me"}]
        ),
        "evidence grants of alias/nhi-evidence-main-170b2e",
        "arn:aws:iam::222233334444:role/me",
    ),
    "a shorter lock": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN)["ObjectLockConfiguration"]["Rule"][
            "DefaultRetention"
        ].update(Days=1),
        "evidence lock",
        "COMPLIANCE, 1 days",
    ),
    "an earlier expiry": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN)["LifecycleConfiguration"]["Rules"][0].update(
            ExpirationInDays=1
        ),
        "evidence lifecycle",
        "changed: expire-ev",
    ),
    "a rule that expires the log": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN)["LifecycleConfiguration"]["Rules"].append(
            {"Id": "mine", "Status": "Enabled", "Prefix": "log/", "ExpirationInDays": 1}
        ),
        "evidence lifecycle",
        "added: mine",
    ),
    "copies to another bucket": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN)["ReplicationConfiguration"]["Rules"][0][
            "Destination"
        ].update(Bucket="arn:aws:s3:::mine"),
        "evidence replication",
        (
            f"everything Enabled to arn:aws:s3:::mine by {REPLICATION}, all objects, "
            "delete markers Disabled, metrics Enabled"
        ),
    ),
    "a table that reads elsewhere": (
        lambda aws: next(iter(aws.of("AWS::Glue::Table")))["TableInput"]["Parameters"].update(
            {"storage.location.template": "s3://mine/${hour}/"}
        ),
        "evidence table nhi_evidence_main_170b2e.evidence",
        "changed: projection",
    ),
    "a table that leaves out the first line": (
        lambda aws: next(iter(aws.of("AWS::Glue::Table")))["TableInput"]["Parameters"].update(
            {"skip.header.line.count": "1"}
        ),
        "evidence table nhi_evidence_main_170b2e.evidence",
        "changed: projection",
    ),
    "queries without a limit": (
        lambda aws: of(aws, "AWS::Athena::WorkGroup", "nhi-evidence-main-170b2e-external")[
            "WorkGroupConfiguration"
        ].pop("BytesScannedCutoffPerQuery"),
        "evidence workgroup nhi-evidence-main-170b2e-external",
        "bytes a query None",
    ),
    "a saved question that asks something else": (
        lambda aws: of(aws, "AWS::Athena::NamedQuery", "units").update(QueryString="SELECT 1"),
        "evidence saved questions of nhi-evidence-main-170b2e-external",
        "missing or changed: units",
    ),
    "somebody told of each object": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN).update(
            NotificationConfiguration={
                "QueueConfigurations": [{"Queue": "q", "Event": "s3:ObjectCreated:*"}]
            }
        ),
        "evidence notifications of nhi-evidence-222233334444",
        "q",
    ),
    "a subscriber told of half": (
        lambda aws: of(aws, "AWS::S3::Bucket", LINES)["NotificationConfiguration"][
            "QueueConfigurations"
        ][0]["Filter"]["S3Key"]["Rules"][0].update(Value="ocsf/v1/aws_cloudtrail/"),
        f"evidence notifications of {LINES}",
        "s3:ObjectCreated:* of {'prefix': 'ocsf/v1/aws_cloudtrail/'}",
    ),
    "lines kept for longer": (
        lambda aws: of(aws, "AWS::S3::Bucket", LINES)["LifecycleConfiguration"]["Rules"][0].update(
            ExpirationInDays=300
        ),
        "evidence lifecycle",
        "changed: expire",
    ),
    "notifications of one prefix alone": (
        lambda aws: of(aws, "Custom::S3BucketNotifications", "organization-trail-111122223333")[
            "NotificationConfiguration"
        ]["QueueConfigurations"][0]["Filter"]["Key"]["FilterRules"][0].update(
            Value="AWSLogs/o-exampleorg1/333344445555/"
        ),
        "log-archive notifications of organization-trail-111122223333",
        "s3:ObjectCreated:* of {'prefix': 'AWSLogs/o-exampleorg1/333344445555/'}",
    ),
    "dead letters elsewhere": (
        lambda aws: of(aws, "AWS::SQS::Queue", EXPORTER)["RedrivePolicy"].update(
            deadLetterTargetArn=f"{QUEUES}:mine"
        ),
        f"log-archive queue {EXPORTER}, settings",
        f"gives up to {QUEUES}:mine, not {QUEUES}:{EXPORTER}-dead",
    ),
    "given up after one receive": (
        lambda aws: of(aws, "AWS::SQS::Queue", EXPORTER)["RedrivePolicy"].update(maxReceiveCount=1),
        f"log-archive queue {EXPORTER}, settings",
        "receives before that 1, not 315",
    ),
    "a delivery forgotten after a minute": (
        lambda aws: of(aws, "AWS::SQS::Queue", EXPORTER).update(MessageRetentionPeriod=60),
        f"log-archive queue {EXPORTER}, settings",
        "retention 60 s, not 1209600 s",
    ),
    "dead letters of anybody": (
        lambda aws: of(aws, "AWS::SQS::Queue", f"{EXPORTER}-dead").pop("RedriveAllowPolicy"),
        f"log-archive queue {EXPORTER}-dead, settings",
        f"dead letters of any, not {QUEUES}:{EXPORTER}",
    ),
    "a filter that discards messages": (
        lambda aws: mapping(aws).update(FilterCriteria={"Filters": [{"Pattern": "{}"}]}),
        f"log-archive function {EXPORTER}, batches",
        "filters {}, not none",
    ),
    "one failure for a whole batch": (
        lambda aws: mapping(aws).update(FunctionResponseTypes=[]),
        f"log-archive function {EXPORTER}, batches",
        "failures by item no, not yes",
    ),
    "a second queue for the exporter": (
        lambda aws: aws.things.update(
            {"AWS::Lambda::EventSourceMapping 2": {**mapping(aws), "EventSourceArn": "mine"}}
        ),
        f"log-archive function {EXPORTER}, batches",
        f"2 mappings, not 1: {QUEUES}:{EXPORTER}, mine",
    ),
    "another bucket to export into": (
        lambda aws: variables_of(aws, EXPORTER).update(NHI_EVIDENCE_BUCKET="mine"),
        f"log-archive function {EXPORTER}, environment",
        "changed: NHI_EVIDENCE_BUCKET",
    ),
    "a wrapper around the exporter": (
        lambda aws: variables_of(aws, EXPORTER).update(AWS_LAMBDA_EXEC_WRAPPER="/opt/mine"),
        f"log-archive function {EXPORTER}, environment",
        "added: AWS_LAMBDA_EXEC_WRAPPER",
    ),
    "a layer under the sealer": (
        lambda aws: of(aws, "AWS::Lambda::Function", SEALER).update(
            Layers=[{"Arn": "arn:aws:lambda:eu-central-1:1:layer:mine:1"}]
        ),
        f"evidence function {SEALER}, configuration",
        "layers arn:aws:lambda:eu-central-1:1:layer:mine:1, not none",
    ),
    "another runtime and less memory": (
        lambda aws: of(aws, "AWS::Lambda::Function", SEALER).update(
            Runtime="python3.12", MemorySize=128
        ),
        f"evidence function {SEALER}, configuration",
        "runtime python3.12, not python3.13; memory 128 MB, not 1024 MB",
    ),
    "logs where no alarm reads them": (
        lambda aws: of(aws, "AWS::Lambda::Function", SEALER).update(
            LoggingConfig={"LogGroup": "mine"}
        ),
        f"evidence function {SEALER}, configuration",
        f"log group mine, not /aws/lambda/{SEALER}",
    ),
    "code of somebody's own": (
        lambda aws: of(aws, "AWS::Lambda::Function", SEALER).update(_code="bWluZQ=="),
        f"evidence function {SEALER}, code",
        "SHA-256 bWluZQ==",
    ),
    "a reservation of none": (
        lambda aws: of(aws, "AWS::Lambda::Function", EXPORTER).update(
            ReservedConcurrentExecutions=0
        ),
        f"log-archive function {EXPORTER}, concurrency",
        "0 reserved",
    ),
    "a clock that strikes once a day": (
        lambda aws: of(aws, "AWS::Events::Rule", f"{SEALER}-clock").update(
            ScheduleExpression="rate(1 day)"
        ),
        f"evidence rule {SEALER}-clock, what it starts",
        "every 1 day, not 5 minutes",
    ),
    "a clock that starts another function": (
        lambda aws: of(aws, "AWS::Events::Rule", f"{SEALER}-clock").update(
            Targets=[{"Arn": "arn:aws:lambda:mine"}]
        ),
        f"evidence rule {SEALER}-clock, what it starts",
        f"starts arn:aws:lambda:mine, not {FUNCTIONS}:{SEALER}",
    ),
    "another audience": (
        lambda aws: of_tenant(aws, "11111111")["ClientIdList"].append("mine"),
        "evidence identity provider of tenant 11111111-2222-3333-4444-555555555555",
        "audiences api://11111111-2222-3333-4444-555555555555/nhi-evidence, mine",
    ),
    "Sentinel's audience gone": (
        lambda aws: of_tenant(aws, "33e01921").update(ClientIdList=["api://other"]),
        "evidence identity provider of tenant 33e01921-4d64-4f8c-a055-5bdaffd5e33d",
        "audiences api://other",
    ),
    "a guardrail detached": (
        lambda aws: of(aws, "AWS::Organizations::Policy", "nhi-evidence-main-170b2e-data").update(
            TargetIds=[]
        ),
        "management organization policy nhi-evidence-main-170b2e-data",
        "not attached to ou-abcd-11111111",
    ),
}


FAILURES: dict[str, tuple[Callable[[Deployed], Any], str, str]] = {
    "alarms that are off": (
        lambda aws: of(
            aws, "AWS::CloudWatch::Alarm", "nhi-evidence-main-170b2e-sealer-flagged"
        ).update(ActionsEnabled=False),
        "evidence alarms of eu-central-1",
        "off: nhi-evidence-main-170b2e-sealer-flagged",
    ),
    "one alarm that was deleted": (
        lambda aws: aws.things.pop(
            "AWS::CloudWatch::Alarm nhi-evidence-main-170b2e-sealer-foreign-signature"
        ),
        "evidence alarms of eu-central-1",
        "missing: nhi-evidence-main-170b2e-sealer-foreign-signature",
    ),
    "half of an alarm that was deleted, and another turned off": (
        lambda aws: [
            aws.things.pop(f"AWS::CloudWatch::Alarm {EXPORTER}-silence-absent"),
            of(aws, "AWS::CloudWatch::Alarm", f"{EXPORTER}-lag").update(ActionsEnabled=False),
        ],
        "log-archive alarms of eu-central-1",
        f"missing: {EXPORTER}-silence-absent; off: {EXPORTER}-lag",
    ),
    "an alarm that another one suppresses": (
        lambda aws: of(aws, "AWS::CloudWatch::CompositeAlarm", f"{SEALER}-stalled").update(
            ActionsSuppressor="mine"
        ),
        "evidence alarms of eu-central-1",
        f"suppressed: {SEALER}-stalled",
    ),
    "alarms that notify nobody, or somebody else": (
        lambda aws: [
            of(aws, "AWS::CloudWatch::Alarm", f"{SEALER}-flagged").pop("AlarmActions"),
            of(aws, "AWS::CloudWatch::Alarm", f"{SEALER}-failing").update(
                AlarmActions=["arn:aws:sns:eu-central-1:222233334444:mine"]
            ),
        ],
        "evidence alarms of eu-central-1",
        f"notifying another: {SEALER}-failing, {SEALER}-flagged",
    ),
    "a mail that nobody confirmed": (
        lambda aws: [
            one.update(_state="PendingConfirmation")
            for one in aws.of("AWS::SNS::Subscription")
            if f":us-east-1:{ARCHIVE}:" in one["TopicArn"]
        ],
        "log-archive subscriptions of nhi-evidence-main-170b2e-alarms of us-east-1",
        "0 confirmed, 1 not confirmed",
    ),
    "a clock that was stopped": (
        lambda aws: of(aws, "AWS::Events::Rule", "nhi-evidence-main-170b2e-sealer-clock").update(
            State="DISABLED"
        ),
        "evidence rule nhi-evidence-main-170b2e-sealer-clock",
        "DISABLED",
    ),
}
