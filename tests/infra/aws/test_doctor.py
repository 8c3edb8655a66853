"""The doctor over the synthesized stacks: as deployed all is well, and every change is seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nhi_evidence.adapters.aws import (
    covered_account_checks,
    delivery_account_checks,
    evidence_account_checks,
    management_account_checks,
)
from nhi_evidence.checks import Check, State
from nhi_evidence.config import Config, read
from tests.infra.aws.conftest import production
from tests.infra.aws.deployed import Deployed
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT, REPLICA

CONFIG = read(production())
NOW = datetime(2026, 1, 31, tzinfo=UTC)
MAIN = "nhi-evidence-222233334444"
EXPORTER = "nhi-evidence-main-aws_cloudtrail-organization"
REPLICATION = "arn:aws:iam::222233334444:role/nhi-evidence-main-replication"
NOT_IN_TEMPLATES = ("newest checkpoint", "evidence of", "trail into")
"""What comes of running, not of deploying."""


@pytest.fixture(scope="module")
def pristine(assembly: Path) -> Deployed:
    return Deployed(assembly)


@pytest.fixture
def aws(pristine: Deployed) -> Deployed:
    """The estate as deployed, to be changed by one test."""
    mine = deepcopy(pristine)
    # CDK's custom resource notifies from a bucket that is there already.
    assert "Custom::S3BucketNotifications organization-trail-111122223333" in mine.things
    return mine


def looked(aws: Deployed, config: Config = CONFIG) -> Iterator[Check]:
    """Look at the parts of the estate, as the command does with credentials of all accounts."""
    yield from evidence_account_checks.checks(config, aws.account(EVIDENCE), NOW)
    yield from evidence_account_checks.replica_checks(config, aws.account(REPLICA), REPLICA)
    yield from delivery_account_checks.checks(config, aws.account(ARCHIVE))
    yield from management_account_checks.checks(config, aws.account(MANAGEMENT))
    for account in () if config.coverage is None else config.coverage.accounts:
        yield from covered_account_checks.checks(config, aws.account(account), account)


def deviations(aws: Deployed, config: Config = CONFIG) -> dict[str, tuple[State, str]]:
    """Return every check of a deployment that is not well, by scope and name."""
    return {
        f"{one.scope.split()[0]} {one.what}": (one.state, one.observed)
        for one in looked(aws, config)
        if one.state is not State.OK and not one.what.startswith(NOT_IN_TEMPLATES)
    }


def test_what_the_stacks_write_is_well(aws: Deployed) -> None:
    """Every policy, trust, lock, rule and notification: there is one text of each."""
    assert {} == deviations(aws)


def test_nothing_deployed_is_told_from_changed(aws: Deployed) -> None:
    """Where nothing is, nothing was changed."""
    aws.things.clear()
    states = {state for state, _ in deviations(aws).values()}
    assert State.NOT_DEPLOYED in states
    assert State.CHANGED not in states, deviations(aws)


def of(aws: Deployed, kind: str, name: str) -> dict[str, Any]:
    return aws.things[f"{kind} {name}"]


def statements_of(aws: Deployed) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
    """Yield name, statements and check of every policy the doctor compares."""
    for key, resource in aws.things.items():
        kind, _, name = key.partition(" ")
        if kind == "AWS::S3::BucketPolicy":
            yield key, resource["PolicyDocument"]["Statement"], " policy"
        elif kind == "AWS::KMS::Key":
            yield key, resource["KeyPolicy"]["Statement"], " policy of alias/nhi-evidence-main"
        elif kind == "AWS::IAM::Role" and name.startswith("nhi-evidence-"):
            yield (
                f"{key} trust",
                resource["AssumeRolePolicyDocument"]["Statement"],
                f" role {name.partition('@')[0]}",
            )
            (policy,) = resource["Policies"]
            yield (
                f"{key} policy",
                policy["PolicyDocument"]["Statement"],
                f" role {name.partition('@')[0]}",
            )
        elif kind == "AWS::SQS::QueuePolicy":
            yield key, resource["PolicyDocument"]["Statement"], f" queue {resource['Queues'][0]}"
        elif kind == "AWS::SNS::TopicPolicy":
            yield key, resource["PolicyDocument"]["Statement"], " topic nhi-evidence-alarms"
        elif kind == "AWS::Organizations::Policy":
            yield key, resource["Content"]["Statement"], f" organization policy {name}"


def test_every_statement_that_is_taken_away_or_made_hollow_is_seen(aws: Deployed) -> None:
    """Statement by statement, of every policy of every kind, in every account."""
    seen = 0
    for name, statements, check in list(statements_of(aws)):
        for at, statement in enumerate(list(statements)):
            hollow = {
                **statement,
                "Condition": {"StringEquals": {"aws:PrincipalTag/nobody": "x"}},
            }
            for change in ([hollow], []):
                statements[at : at + 1] = change
                changed = deviations(aws)
                expected = "changed" if change else "missing"
                assert any(
                    state is State.CHANGED and check in what and expected in said
                    for what, (state, said) in changed.items()
                ), (name, statement["Sid"], changed)
                statements[at : at + len(change)] = [statement]
                seen += 1
    assert seen > 200, "of all kinds"
    assert {} == deviations(aws)


def test_a_second_statement_of_the_same_sid_hides_nothing(aws: Deployed) -> None:
    """An Allow beside a Deny of its name is seen."""
    statements = of(aws, "AWS::S3::BucketPolicy", MAIN)["PolicyDocument"]["Statement"]
    statements.append({**statements[0], "Effect": "Allow"})
    assert {"evidence policy": (State.CHANGED, "changed: PlainHttp")} == deviations(aws)


CHANGES: dict[str, tuple[Callable[[Deployed], Any], str, str]] = {
    "a policy more for a writer": (
        lambda aws: of(aws, "AWS::IAM::Role", "nhi-evidence-main-writer-gcp_audit")[
            "Policies"
        ].append({"PolicyName": "mine", "PolicyDocument": {"Statement": []}}),
        "evidence role nhi-evidence-main-writer-gcp_audit",
        "more policies: mine",
    ),
    "a managed policy for the sealer": (
        lambda aws: of(aws, "AWS::IAM::Role", "nhi-evidence-main-sealer").update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]
        ),
        "evidence role nhi-evidence-main-sealer",
        "more policies: AdministratorAccess",
    ),
    "a grant": (
        lambda aws: next(iter(aws.of("AWS::KMS::Key"))).update(
            _grants=[{"GranteePrincipal": "arn:aws:iam::222233334444:role/me"}]
        ),
        "evidence grants of alias/nhi-evidence-main",
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
        f"{REPLICATION} Enabled arn:aws:s3:::mine  Disabled",
    ),
    "somebody told of each object": (
        lambda aws: of(aws, "AWS::S3::Bucket", MAIN).update(
            NotificationConfiguration={
                "QueueConfigurations": [{"Queue": "q", "Event": "s3:ObjectCreated:*"}]
            }
        ),
        "evidence notifications",
        "QueueConfigurations",
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
            deadLetterTargetArn="arn:aws:sqs:eu-central-1:111122223333:mine"
        ),
        f"log-archive queue {EXPORTER}, who may send",
        "gives up to arn:aws:sqs:eu-central-1:111122223333:mine",
    ),
    "another audience": (
        lambda aws: next(iter(aws.of("AWS::IAM::OIDCProvider")))["ClientIdList"].append("mine"),
        "evidence identity provider of tenant 11111111-2222-3333-4444-555555555555",
        "audiences api://11111111-2222-3333-4444-555555555555/nhi-evidence, mine",
    ),
    "a guardrail detached": (
        lambda aws: of(aws, "AWS::Organizations::Policy", "nhi-evidence-data").update(TargetIds=[]),
        "management organization policy nhi-evidence-data",
        "not attached to ou-abcd-11111111",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_and_nothing_else(aws: Deployed, change: str) -> None:
    """One setting is another: one check says so, and what it is now."""
    act, what, observed = CHANGES[change]
    act(aws)
    assert {what: (State.CHANGED, observed)} == deviations(aws)


FAILURES: dict[str, tuple[Callable[[Deployed], Any], str, str]] = {
    "alarms that are off": (
        lambda aws: of(aws, "AWS::CloudWatch::Alarm", "nhi-evidence-main-sealer-flagged").update(
            ActionsEnabled=False
        ),
        "evidence alarms of eu-central-1",
        "off: nhi-evidence-main-sealer-flagged",
    ),
    "a mail that nobody confirmed": (
        lambda aws: [
            one.update(_state="PendingConfirmation")
            for one in aws.of("AWS::SNS::Subscription")
            if f":us-east-1:{ARCHIVE}:" in one["TopicArn"]
        ],
        "log-archive subscriptions of nhi-evidence-alarms of us-east-1",
        "0 confirmed, 1 not confirmed",
    ),
    "a clock that was stopped": (
        lambda aws: of(aws, "AWS::Events::Rule", "nhi-evidence-main-sealer-clock").update(
            State="DISABLED"
        ),
        "evidence rule nhi-evidence-main-sealer-clock",
        "DISABLED",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_is_there_and_does_not_work_is_seen(aws: Deployed, failure: str) -> None:
    """It is as it was deployed, and tells or starts nobody."""
    act, what, observed = FAILURES[failure]
    act(aws)
    assert {what: (State.FAILED, observed)} == deviations(aws)


def test_a_role_that_was_removed_is_not_deployed(aws: Deployed) -> None:
    """It is told from one that was changed."""
    del aws.things["AWS::IAM::Role nhi-evidence-main-writer-aws_cloudtrail"]
    what = "evidence role nhi-evidence-main-writer-aws_cloudtrail"
    assert {what: (State.NOT_DEPLOYED, "NoSuchEntity")} == deviations(aws)


def test_every_answer_is_json(aws: Deployed) -> None:
    """What is compared has been through a service: no value of Python's own is left in it."""
    json.dumps(aws.things)
