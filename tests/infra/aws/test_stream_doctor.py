"""The doctor over streams: every change of what fills a bucket is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.checks import State
from nhi_evidence.config import read
from tests.infra.aws.deployed import Deployed
from tests.infra.aws.stream_estate import BUS, CONFIG, OKTA, PROD
from tests.infra.aws.test_doctor import deviations

SENDER = "nhi-evidence-main-170b2e-k8s_audit-sender-prod"
DEAD = "nhi-evidence-main-170b2e-okta_system-sender-acme-dead"


def stream(aws: Deployed, name: str) -> dict[str, Any]:
    kind = "AWS::KinesisFirehose::DeliveryStream"
    return next(each for each in aws.of(kind) if each["DeliveryStreamName"] == name)


def destination(aws: Deployed) -> dict[str, Any]:
    every = aws.of("AWS::Logs::Destination")
    return next(each for each in every if each["DestinationName"] == PROD)


def rule(aws: Deployed) -> dict[str, Any]:
    return aws.things[f"AWS::Events::Rule {OKTA}"]


def files(aws: Deployed) -> dict[str, Any]:
    configuration: dict[str, Any] = stream(aws, PROD)["ExtendedS3DestinationConfiguration"]
    return configuration


def widen(aws: Deployed) -> None:
    """Let any account subscribe."""
    policy = json.loads(destination(aws)["DestinationPolicy"])
    policy["Statement"][0]["Principal"] = {"AWS": "*"}
    destination(aws)["DestinationPolicy"] = json.dumps(policy)


def gone(aws: Deployed, kind: str, wanted: dict[str, Any]) -> None:
    aws.things = {
        key: each
        for key, each in aws.things.items()
        if not key.startswith(f"{kind} ") or each is not wanted
    }


CHANGES: dict[str, tuple[Callable[[Deployed], Any], str, State]] = {
    "the stream is deleted": (
        lambda aws: gone(aws, "AWS::KinesisFirehose::DeliveryStream", stream(aws, PROD)),
        f"stream {PROD}",
        State.NOT_DEPLOYED,
    ),
    "files go to another bucket": (
        lambda aws: files(aws).update(BucketARN="arn:aws:s3:::elsewhere"),
        f"stream {PROD}",
        State.CHANGED,
    ),
    "files lie where nobody reads": (
        lambda aws: files(aws).update(Prefix="old/!{timestamp:yyyy/MM/dd/HH}/"),
        f"stream {PROD}",
        State.CHANGED,
    ),
    "a function rewrites records": (
        lambda aws: files(aws).update(ProcessingConfiguration={"Enabled": True}),
        f"stream {PROD}",
        State.CHANGED,
    ),
    "the hour is of another zone": (
        lambda aws: files(aws).update(CustomTimeZone="America/New_York"),
        f"stream {PROD}",
        State.CHANGED,
    ),
    "any account may subscribe": (
        widen,
        f"destination {PROD}, who may subscribe",
        State.CHANGED,
    ),
    "the destination fills another stream": (
        lambda aws: destination(aws).update(TargetArn="arn:aws:firehose:eu-central-1:1:x"),
        f"destination {PROD}",
        State.CHANGED,
    ),
    "the sender may do more": (
        lambda aws: aws.things[f"AWS::IAM::Role {SENDER}"]["Policies"].append(
            {"PolicyName": "mine", "PolicyDocument": {"Statement": []}}
        ),
        f"role {SENDER}",
        State.CHANGED,
    ),
    "the rule is disabled": (
        lambda aws: rule(aws).update(State="DISABLED"),
        f"rule {OKTA}",
        State.CHANGED,
    ),
    "the rule takes some events alone": (
        lambda aws: rule(aws)["EventPattern"].update({"detail-type": ["user.session.start"]}),
        f"rule {OKTA}",
        State.CHANGED,
    ),
    "the rule puts a part of the event": (
        lambda aws: rule(aws)["Targets"][0].update(InputPath="$.detail.actor"),
        f"rule {OKTA}, what it puts",
        State.CHANGED,
    ),
    "what cannot be put is dropped": (
        lambda aws: rule(aws)["Targets"][0].pop("DeadLetterConfig"),
        f"rule {OKTA}, what it puts",
        State.CHANGED,
    ),
    "the provider removed its stream": (
        lambda aws: aws.things[f"AWS::Events::EventBus {BUS}"].update(_state="DELETED"),
        f"event source {BUS}",
        State.FAILED,
    ),
    "letters lie unencrypted": (
        lambda aws: aws.things[f"AWS::SQS::Queue {DEAD}"].update(SqsManagedSseEnabled=False),
        f"queue {DEAD}, settings",
        State.CHANGED,
    ),
}


@pytest.fixture(scope="module")
def pristine(streamed_assembly: Path) -> Deployed:
    return Deployed(streamed_assembly)


def test_a_fresh_stream_passes_the_doctor(pristine: Deployed) -> None:
    assert {} == deviations(pristine, read(CONFIG))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed(pristine: Deployed, change: str) -> None:
    """Nothing else is reported."""
    edit, what, state = CHANGES[change]
    aws = deepcopy(pristine)
    edit(aws)
    assert {f"log-archive {what}": state} == {
        name: found for name, (found, _) in deviations(aws, read(CONFIG)).items()
    }
