"""Firehose streams created by the deployment: permissions, files, and alarms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from nhi_evidence.config import read
from nhi_evidence.config.aws.feeds import feeds
from tests.infra.aws.alarm_table import KINDS
from tests.infra.aws.estate import ARCHIVE, Estate, documents
from tests.infra.aws.evaluation import raised_by
from tests.infra.aws.iam import Request, allows
from tests.infra.aws.linting import complaints
from tests.infra.aws.scenarios import Series, always, growing, once, since
from tests.infra.aws.stream_estate import BUS, CONFIG, OKTA, PROD, stream

STACK = "nhi-evidence-main-170b2e-export-eu-central-1"
ROLE = f"arn:aws:iam::{ARCHIVE}:role/"


def test_the_rule_packs_agree(streamed_assembly: Path) -> None:
    """No finding is unacknowledged."""
    validated = json.loads((streamed_assembly / "validation-report.json").read_text())
    packs = validated["pluginReports"]
    assert set() == {one["ruleName"] for pack in packs for one in pack.get("violations", [])}


@pytest.mark.slow
def test_the_linter_agrees(streamed_assembly: Path) -> None:
    """Every property is in its schema."""
    assert [] == complaints(streamed_assembly)


@pytest.mark.parametrize(("name", "folder"), [(PROD, "eks/prod/"), (OKTA, "okta/acme/")])
def test_files_are_stored_by_hour_and_failures_elsewhere(
    streamed: Estate, name: str, folder: str
) -> None:
    """Keys state the hour of a file, and errors are under no prefix with notifications."""
    properties = stream(streamed, name)
    files = properties["ExtendedS3DestinationConfiguration"]
    assert f"{folder}!{{timestamp:yyyy/MM/dd/HH}}/" == files["Prefix"]
    assert files["ErrorOutputPrefix"].startswith(f"undelivered/{folder}")
    assert files["CloudWatchLoggingOptions"]["Enabled"]
    assert {"KeyType": "AWS_OWNED_CMK"} == properties["DeliveryStreamEncryptionConfigurationInput"]
    # Log subscriptions send compressed events; those of an event bus Firehose compresses.
    assert ("GZIP" if name == OKTA else "UNCOMPRESSED") == files["CompressionFormat"]
    feed = next(feed for feed, entry in feeds(read(CONFIG)) if folder.startswith(feed.prefix))
    example = f"{folder}2026/03/02/08/{name}-1-2026-03-02-08-15-30-0a1b2c3d"
    assert feed.prefix == f"{folder.partition('/')[0]}/"
    (bucket,) = [
        one.properties
        for one in streamed.of("AWS::S3::Bucket", STACK)
        if one.properties["BucketName"] == feed.bucket
    ]
    (queued,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    (rule,) = queued["Filter"]["S3Key"]["Rules"]
    assert example.startswith(rule["Value"])
    assert not files["ErrorOutputPrefix"].startswith(rule["Value"])
    assert queued["Queue"] == feed.queue_arn


def test_firehose_writes_only_under_its_prefixes(streamed: Estate) -> None:
    """It reads and deletes no file, and may assume the role only for its own stream."""
    role = streamed.role(PROD)
    for action, key, expected in (
        ("s3:PutObject", "eks/prod/2026/03/02/08/x", True),
        ("s3:PutObject", "undelivered/eks/prod/x", True),
        ("s3:PutObject", "eks/test/2026/03/02/08/x", False),
        ("s3:GetObject", "eks/prod/2026/03/02/08/x", False),
        ("s3:DeleteObject", "eks/prod/2026/03/02/08/x", False),
    ):
        request = Request(ROLE + PROD, action, f"arn:aws:s3:::eks-audit/{key}")
        assert expected is allows(request, identity=documents(role), owner=ARCHIVE), (action, key)
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    arn = f"arn:aws:firehose:eu-central-1:{ARCHIVE}:deliverystream/{PROD}"
    assert {
        "StringEquals": {"aws:SourceAccount": ARCHIVE},
        "ArnEquals": {"aws:SourceArn": arn},
    } == trust["Condition"]


def test_only_named_accounts_subscribe(streamed: Estate) -> None:
    """The destination names them, and its role trusts CloudWatch Logs only for them."""
    (prod,) = [
        one.properties
        for one in streamed.of("AWS::Logs::Destination")
        if one.properties["DestinationName"] == PROD
    ]
    (statement,) = json.loads(prod["DestinationPolicy"])["Statement"]
    assert {"AWS": ["333344445555", "444455556666"]} == statement["Principal"]
    assert "logs:PutSubscriptionFilter" == statement["Action"]
    sender = streamed.role("nhi-evidence-main-170b2e-k8s_audit-sender-prod")
    (trust,) = sender.properties["AssumeRolePolicyDocument"]["Statement"]
    assert [
        f"arn:aws:logs:eu-central-1:{account}:*"
        for account in (ARCHIVE, "333344445555", "444455556666")
    ] == trust["Condition"]["StringLike"]["aws:SourceArn"]
    put = "firehose:PutRecordBatch"
    for name in (PROD, OKTA):
        arn = f"arn:aws:firehose:eu-central-1:{ARCHIVE}:deliverystream/{name}"
        request = Request(ROLE + "nhi-evidence-main-170b2e-k8s_audit-sender-prod", put, arn)
        assert (name == PROD) is allows(request, identity=documents(sender), owner=ARCHIVE)


def test_a_bus_forwards_every_event_unchanged(streamed: Estate) -> None:
    """Nothing is omitted or changed on the way; undeliverable events wait in a queue."""
    bus = streamed.only("AWS::Events::EventBus").properties
    assert (BUS, BUS) == (bus["Name"], bus["EventSourceName"])
    (rule,) = [
        one.properties
        for one in streamed.of("AWS::Events::Rule")
        if one.properties.get("Name") == OKTA
    ]
    (target,) = rule["Targets"]
    assert {"source": [BUS]} == rule["EventPattern"]
    assert {"Arn", "DeadLetterConfig", "Id", "RetryPolicy", "RoleArn"} == set(target)
    assert 86_400 == target["RetryPolicy"]["MaximumEventAgeInSeconds"]
    dead = "nhi-evidence-main-170b2e-okta_system-sender-acme-dead"
    (queue,) = [
        one for one in streamed.of("AWS::SQS::Queue") if one.properties["QueueName"] == dead
    ]
    assert queue.properties["SqsManagedSseEnabled"]
    # They exist nowhere else: neither deleting the stack nor another name of the stream may end it.
    assert "RetainExceptOnCreate" == queue.definition["DeletionPolicy"]
    assert "Retain" == queue.definition["UpdateReplacePolicy"]


SITUATIONS: Mapping[str, tuple[Mapping[str, Series], set[str]]] = {
    "a normal week": ({}, set()),
    "nothing is logged": ({"DeliveryToS3.DataFreshness": always(None)}, set()),
    "the bucket cannot be written": (
        {"DeliveryToS3.DataFreshness": growing(300, 300)},
        {f"{PROD}-late", f"{OKTA}-late"},
    ),
    "more comes than the stream takes": (
        {"ThrottledRecords": once(12)},
        {f"{PROD}-throttled", f"{OKTA}-throttled"},
    ),
    "a rule cannot put": (
        {"sender dead ApproximateNumberOfMessagesVisible": since(3, 0)},
        {f"{OKTA}-dead-letters"},
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_raises_these_alarms_and_no_other(streamed: Estate, situation: str) -> None:
    """They are evaluated from their definitions, like CloudWatch does."""
    changes, expected = SITUATIONS[situation]
    every = {
        one.properties["AlarmName"]: one.properties for kind in KINDS for one in streamed.of(kind)
    }
    alarms = {name: one for name, one in every.items() if name.startswith((PROD, OKTA))}
    assert 5 == len(alarms)
    assert expected == raised_by(alarms, changes)
