"""From a bucket to its exporter: whose notifications are trusted, and what happens to each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra import declaration
from infra.aws.environment import variables
from infra.aws.redelivery import RETENTION_SECONDS, redelivery, table
from infra.declaration import DeclarationError, Sqs
from nhi_evidence.adapters import environ
from nhi_evidence.adapters.aws import exporter, sealer
from nhi_evidence.adapters.aws.s3_notification import ObjectRef
from nhi_evidence.adapters.aws.s3_source import S3Source
from nhi_evidence.errors import DeliveryRefusedError
from nhi_evidence.sources import load
from tests.infra.aws.conftest import ROOT
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT, ORGANIZATION, Estate
from tests.infra.aws.iam import Request, allows

TRAILS = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail"
NAME = "nhi-evidence-main-170b2e-aws_cloudtrail-organization"
TRAIL = "arn:aws:s3:::organization-trail-111122223333"
QUEUE = f"arn:aws:sqs:eu-central-1:{ARCHIVE}:{NAME}"
ADMINISTRATOR = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
GENUINE = {
    "aws:SourceArn": TRAIL,
    "aws:SourceAccount": ARCHIVE,
    "aws:SecureTransport": "true",
}
FORGED: dict[str, dict[str, str | None]] = {
    "another bucket": {"aws:SourceArn": "arn:aws:s3:::attacker"},
    "a bucket of that name in another account": {"aws:SourceAccount": "666677778888"},
    "no bucket": {"aws:SourceArn": None},
    "no account": {"aws:SourceAccount": None},
    "plain HTTP": {"aws:SecureTransport": "false"},
}


def queue(estate: Estate, name: str) -> dict[str, Any]:
    (queue,) = [
        one.properties
        for one in estate.of("AWS::SQS::Queue")
        if one.properties["QueueName"] == name
    ]
    return queue


def may_send(estate: Estate, principal: str, **changed: str | None) -> bool:
    context = {key: one for key, one in {**GENUINE, **changed}.items() if one is not None}
    policies = [
        one.properties["PolicyDocument"]
        for one in estate.of("AWS::SQS::QueuePolicy")
        if one.properties["Queues"] == [NAME]
    ]
    request = Request(principal, "sqs:SendMessage", QUEUE, context)
    outsider = ADMINISTRATOR if principal.startswith("arn:") else []
    return allows(request, identity=outsider, resource=policies, owner=ARCHIVE)


def test_a_notification_from_the_bucket_is_accepted(estate: Estate) -> None:
    """From S3 itself, for this bucket of this account."""
    assert may_send(estate, "service:s3.amazonaws.com")


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_notification_is_refused(estate: Estate, what: str) -> None:
    """The queue checks its origin, whatever it looks like."""
    assert not may_send(estate, "service:s3.amazonaws.com", **FORGED[what])


def test_nobody_else_can_send(estate: Estate) -> None:
    """Neither another service, nor another account with any permissions of its own."""
    assert not may_send(estate, "service:sns.amazonaws.com")
    assert not may_send(estate, "arn:aws:iam::666677778888:role/administrator")


@pytest.mark.parametrize(
    "ref",
    [
        ObjectRef("attacker", f"AWSLogs/{ORGANIZATION}/333344445555/CloudTrail/f.json.gz"),
        ObjectRef("organization-trail-111122223333", "elsewhere/f.json.gz"),
        ObjectRef("organization-trail-111122223333", "AWSLogs/o-elsewhere1/333344445555/f.json.gz"),
        ObjectRef("fresh-trail-111122223333", f"AWSLogs/{ORGANIZATION}/333344445555/f.json.gz"),
    ],
)
def test_messages_from_permitted_senders_are_checked_again(estate: Estate, ref: ObjectRef) -> None:
    """The deployed exporter refuses any other bucket, organization or prefix.

    It refuses before any read: the test has no client to read with.
    """
    settings = environ.read_settings(exporter.Settings, environment(estate, NAME))
    reader = S3Source(None, settings.source_buckets, load(settings.source))  # type: ignore[arg-type]
    with pytest.raises(DeliveryRefusedError):
        reader.announce(ref)


def test_a_message_is_retried_and_then_dead_lettered(estate: Estate) -> None:
    """Redrive, visibility, concurrency and partial answers follow from deploy.toml."""
    declared = declaration.declaration("aws_export")
    trigger = declared.trigger
    assert isinstance(trigger, Sqs)
    numbers = redelivery(declared)
    main, dead = queue(estate, NAME), queue(estate, f"{NAME}-dead")
    assert main["RedrivePolicy"]["maxReceiveCount"] == numbers.max_receive_count
    assert main["RedrivePolicy"]["deadLetterTargetArn"] == f"arn:{NAME}-dead"
    assert main["VisibilityTimeout"] >= 6 * 300 + 120
    assert {14 * 86_400} == {main["MessageRetentionPeriod"], dead["MessageRetentionPeriod"]}
    assert dead["RedriveAllowPolicy"]["sourceQueueArns"] == [QUEUE]
    mapping = event_source(estate, NAME)
    assert (500, 120) == (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"])
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": trigger.maximum_concurrency}
    assert mapping["EventSourceArn"] == f"arn:{NAME}"


def event_source(estate: Estate, function: str) -> dict[str, Any]:
    (mapping,) = [
        one.properties
        for one in estate.of("AWS::Lambda::EventSourceMapping")
        if one.properties["FunctionName"] == function
    ]
    return mapping


def test_the_window_is_configured_and_visibility_follows(estate: Estate) -> None:
    """A source with another window has the same number of hours until dead-lettering."""
    name = "nhi-evidence-main-170b2e-aws_cloudtrail-fresh"
    assert 300 == event_source(estate, name)["MaximumBatchingWindowInSeconds"]
    fresh = queue(estate, name)
    assert 6 * 300 + 300 == fresh["VisibilityTimeout"]
    assert 168 * 3600 <= fresh["VisibilityTimeout"] * fresh["RedrivePolicy"]["maxReceiveCount"]


def test_messages_survive_an_outage_of_days() -> None:
    """A week of failures causes no dead letter, and dead letters then wait for most of another
    week.
    """
    numbers = redelivery(declaration.declaration("aws_export"))
    assert 7 * 86_400 <= numbers.gives_up_after
    assert 6 * 86_400 <= numbers.left_for_redrive
    assert numbers.gives_up_after + numbers.left_for_redrive == RETENTION_SECONDS


@pytest.mark.parametrize(
    ("change", "message"),
    [({"give_up_after_hours": 336}, "is not before SQS deletes"), ({"timeout": 1}, "receives")],
)
def test_numbers_that_do_not_fit_are_refused(change: dict[str, int], message: str) -> None:
    """Giving up after SQS's retention, or after more receives than it counts, is not deployable."""
    declared = declaration.declaration("aws_export")
    function, trigger = declared.function, declared.trigger
    if "timeout" in change:
        function = msgspec.structs.replace(function, timeout_seconds=change["timeout"])
        trigger = msgspec.structs.replace(trigger, maximum_batching_window_seconds=1)
    else:
        trigger = msgspec.structs.replace(trigger, **change)
    with pytest.raises(DeclarationError, match=message):
        redelivery(msgspec.structs.replace(declared, function=function, trigger=trigger))


def test_the_page_shows_the_numbers() -> None:
    """docs/operations.md is what `python -m tests.infra.aws` writes."""
    page = (ROOT / "docs" / "operations.md").read_text()
    assert table(declaration.declaration("aws_export")) in page


def environment(estate: Estate, function: str) -> dict[str, str]:
    (variables,) = [
        one.properties["Environment"]["Variables"]
        for one in estate.of("AWS::Lambda::Function")
        if one.properties.get("FunctionName") == function
    ]
    return {key: str(value) for key, value in variables.items()}


@pytest.mark.parametrize(
    ("function", "name", "shape"),
    [
        (NAME, "aws_export", exporter.Settings),
        ("nhi-evidence-main-170b2e-aws_cloudtrail-fresh", "aws_export", exporter.Settings),
        ("nhi-evidence-main-170b2e-sealer", "seal", sealer.Settings),
    ],
)
def test_the_function_reads_what_the_template_sets(
    estate: Estate, function: str, name: str, shape: Any
) -> None:
    """Every variable is declared in deploy.toml, and the function's own reader accepts them all."""
    of_template = environment(estate, function)
    assert set(of_template) <= set(declaration.declaration(name).environment)
    settings = environ.read_settings(shape, of_template)
    assert environ.read_settings(shape, variables(settings)) == settings


def test_settings_are_those_of_the_configuration(estate: Estate) -> None:
    """Scope and source copies are the entry's; bucket and role the evidence account's."""
    settings = environ.read_settings(
        exporter.Settings, environment(estate, "nhi-evidence-main-170b2e-aws_cloudtrail-fresh")
    )
    assert (settings.scope, settings.keep_out_of_scope_raw) == ("all", False)
    assert settings.bucket_owner == EVIDENCE
    assert settings.writer_role_arn.endswith(":role/nhi-evidence-main-170b2e-writer-aws_cloudtrail")


def test_an_existing_bucket_keeps_its_notifications(estate: Estate) -> None:
    """The handler that adds ours may change only that setting of that bucket."""
    added = estate.only("Custom::S3BucketNotifications").properties
    assert (added["BucketName"], added["Managed"]) == ("organization-trail-111122223333", False)
    (handler,) = [
        one.properties["PolicyDocument"]["Statement"]
        for one in estate.of("AWS::IAM::Policy")
        if "BucketNotificationsHandler" in json.dumps(one.properties)
    ]
    assert {(one["Action"], one["Resource"]) for one in handler} == {
        ("s3:PutBucketNotification", TRAIL),
        ("s3:GetBucketNotification", TRAIL),
    }


def test_a_new_trail_records_everything_it_is_asked_for(estate: Estate) -> None:
    """All accounts, all regions, reads and writes, validated files, no loop through evidence."""
    trail = estate.only("AWS::CloudTrail::Trail").properties
    for switch in (
        "IsLogging",
        "IsMultiRegionTrail",
        "IsOrganizationTrail",
        "EnableLogFileValidation",
    ):
        assert trail[switch] is True
    chosen = {
        one["Name"]: {field["Field"]: field for field in one["FieldSelectors"]}
        for one in trail["AdvancedEventSelectors"]
    }
    management = chosen["Management events, reads and writes"]
    assert {"eventCategory"} == set(management)
    objects = chosen["Data events of AWS::S3::Object"]["resources.ARN"]["NotStartsWith"]
    assert objects == [
        "arn:aws:s3:::fresh-trail-111122223333/",
        "arn:aws:s3:::nhi-evidence-222233334444/",
        # What follows from each evidence object: its replica, and its lines for the subscriber.
        "arn:aws:s3:::nhi-evidence-replica-555566667777/",
        "arn:aws:s3:::nhi-evidence-siem-222233334444/",
    ]
    assert chosen["Reads of evidence"]["resources.ARN"]["StartsWith"] == objects[1:]
    assert chosen["Reads of evidence"]["readOnly"]["Equals"] == ["true"]
    assert set(chosen["Data events of AWS::Lambda::Function"]) == {
        "eventCategory",
        "resources.type",
    }


def test_no_stack_is_deleted_by_one_call(assembly: Path) -> None:
    """Not the one with all the alarms either: nobody would be told."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {
        name: each.get("properties", {}).get("terminationProtection", False)
        for name, each in artifacts.items()
        if each["type"] == "aws:cloudformation:stack"
    }
    assert any(name.endswith("-monitoring") for name in stacks)
    assert [] == [name for name, is_protected in stacks.items() if not is_protected]


def test_a_new_trail_is_created_in_the_management_account(estate: Estate, assembly: Path) -> None:
    """It follows its bucket; a delegated administrator could not start it by name."""
    assert "nhi-evidence-main-170b2e-trail-fresh" == estate.only("AWS::CloudTrail::Trail").stack
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    trail = artifacts["nhi-evidence-main-170b2e-trail-fresh"]
    assert f"aws://{MANAGEMENT}/us-east-1" == trail["environment"]
    assert "nhi-evidence-main-170b2e-export-us-east-1" in trail["dependencies"]


def test_a_new_trail_s_bucket_accepts_only_that_trail_s_files(estate: Estate) -> None:
    """Only from CloudTrail, for the management account's trail, under the organization's prefix."""
    stack = "nhi-evidence-main-170b2e-export-us-east-1"
    policy = estate.only("AWS::S3::BucketPolicy", stack).properties["PolicyDocument"]
    right = {
        "aws:SourceArn": f"{TRAILS}/nhi-evidence-main-170b2e-fresh",
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:SecureTransport": "true",
        "s3:TlsVersion": "1.3",
    }
    here = "arn:aws:s3:::fresh-trail-111122223333/AWSLogs"

    def may_put(key: str, **changed: str) -> bool:
        request = Request(
            "service:cloudtrail.amazonaws.com", "s3:PutObject", key, {**right, **changed}
        )
        return allows(request, resource=[policy], owner=ARCHIVE)

    assert may_put(f"{here}/{ORGANIZATION}/333344445555/f")
    assert may_put(f"{here}/{MANAGEMENT}/f")
    assert not may_put(f"{here}/666677778888/f")
    other = "arn:aws:cloudtrail:us-east-1:666677778888:trail/nhi-evidence-main-170b2e-fresh"
    assert not may_put(f"{here}/{MANAGEMENT}/f", **{"aws:SourceArn": other})
