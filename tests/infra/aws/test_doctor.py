"""The doctor over the synthesized stacks: a fresh deployment passes, and every change is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from infra.bundle import packed
from infra.declaration import names
from nhi_evidence.adapters.aws import (
    covered_account_checks,
    delivery_account_checks,
    evidence_account_checks,
    management_account_checks,
    queue_checks,
)
from nhi_evidence.adapters.aws.aws_checks import AwsChecks
from nhi_evidence.checks import Check, State
from nhi_evidence.config import Config, read
from nhi_evidence.config.aws import alarms
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.config.built_code import BuiltCode, package
from tests.infra.aws.alarm_table import KINDS
from tests.infra.aws.conftest import production
from tests.infra.aws.deployed import Deployed
from tests.infra.aws.deployed_services import Paged
from tests.infra.aws.doctor_changes import CHANGES, EXPORTER, FAILURES, MAIN, of
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT, REPLICA
from tests.infra.aws.stream_estate import CONFIG as STREAMED
from tests.infra.unstaged import unstaged

CONFIG = read(production())


MAIN_ID = "nhi-evidence-main-170b2e"
NOW = datetime(2026, 1, 31, tzinfo=UTC)


NOT_IN_TEMPLATES = ("newest checkpoint", "evidence of", "trail into")
"""What results from running, not from deploying."""


@pytest.fixture(scope="module")
def pristine(assembly: Path) -> Deployed:
    return Deployed(assembly)


@pytest.fixture
def aws(pristine: Deployed) -> Deployed:
    """The estate as deployed, for one test to change."""
    mine = deepcopy(pristine)
    # CDK's custom resource notifies from a bucket that is there already.
    assert "Custom::S3BucketNotifications organization-trail-111122223333" in mine.things
    return mine


@cache
def built() -> BuiltCode:
    """Return what `make synth` writes beside the stacks."""
    with TemporaryDirectory() as folder:
        # Of the bundles the assembly is made of, which are the functions' own files alone.
        bundle = unstaged(Path(folder))
        return BuiltCode(
            functions={name: package(packed(bundle(name)).read_bytes()) for name in names()}
        )


def looked(aws: Deployed, config: Config = CONFIG) -> Iterator[Check]:
    """Check all parts of the estate, as the command does with credentials of all accounts."""
    yield from evidence_account_checks.checks(config, aws.account(EVIDENCE), NOW, built())
    yield from evidence_account_checks.replica_checks(config, aws.account(REPLICA), REPLICA)
    yield from delivery_account_checks.checks(config, aws.account(ARCHIVE), built())
    yield from management_account_checks.checks(config, aws.account(MANAGEMENT))
    for account in () if config.coverage is None else config.coverage.accounts:
        yield from covered_account_checks.checks(config, aws.account(account), account)
    for account in [each for one in config.canaries for each in one.accounts]:
        yield from covered_account_checks.canary_checks(config, aws.account(account), account)


def deviations(aws: Deployed, config: Config = CONFIG) -> dict[str, tuple[State, str]]:
    """Return every check of a deployment that is not ok, by scope and name."""
    return {
        f"{one.scope.split()[0]} {one.what}": (one.state, one.observed)
        for one in looked(aws, config)
        if one.state is not State.OK and not one.what.startswith(NOT_IN_TEMPLATES)
    }


def test_a_fresh_deployment_passes_the_doctor(aws: Deployed) -> None:
    """Every policy, trust, lock, rule and notification has a single definition."""
    assert {} == deviations(aws)


def test_not_deployed_is_distinguished_from_changed(aws: Deployed) -> None:
    """Where nothing exists, nothing was changed."""
    aws.things.clear()
    states = {state for state, _ in deviations(aws).values()}
    assert State.NOT_DEPLOYED in states
    assert State.CHANGED not in states, deviations(aws)


Policy = tuple[str, list[dict[str, Any]], str]
"""Name, statements, and the check that compares them."""


def statements_of(aws: Deployed) -> Iterator[Policy]:
    """Yield name, statements and check for every policy the doctor compares."""
    for key, resource in aws.things.items():
        kind, _, name = key.partition(" ")
        if kind == "AWS::S3::BucketPolicy":
            yield key, resource["PolicyDocument"]["Statement"], " policy"
        elif kind == "AWS::KMS::Key":
            yield (
                key,
                resource["KeyPolicy"]["Statement"],
                " policy of alias/nhi-evidence-main-170b2e",
            )
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
            yield (
                key,
                resource["PolicyDocument"]["Statement"],
                " topic nhi-evidence-main-170b2e-alarms",
            )
        elif kind == "AWS::Organizations::Policy":
            yield key, resource["Content"]["Statement"], f" organization policy {name}"


def weakened(aws: Deployed, policies: Iterable[Policy]) -> int:
    """Remove and weaken each statement of policies, assert that it is noticed; return how many."""
    seen = 0
    for name, statements, check in policies:
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
    return seen


def test_a_removed_or_weakened_statement_is_noticed(aws: Deployed) -> None:
    """For the shortest policy of each kind."""
    kinds: dict[tuple[str, bool], Policy] = {}
    for policy in statements_of(aws):
        kind = policy[0].split(" ")[0], policy[0].endswith("trust")
        kinds[kind] = min(kinds.get(kind, policy), policy, key=lambda row: len(row[1]))
    assert len(kinds) == 7
    assert weakened(aws, kinds.values()) < 40
    assert {} == deviations(aws)


@pytest.mark.slow
def test_every_removed_or_weakened_statement_is_noticed(aws: Deployed) -> None:
    """Statement by statement, for every policy of every kind, in every account."""
    assert weakened(aws, list(statements_of(aws))) > 200, "of all kinds"
    assert {} == deviations(aws)


def test_a_second_statement_of_the_same_sid_hides_nothing(aws: Deployed) -> None:
    """An Allow beside a Deny of the same name is noticed."""
    statements = of(aws, "AWS::S3::BucketPolicy", MAIN)["PolicyDocument"]["Statement"]
    statements.append({**statements[0], "Effect": "Allow"})
    assert {"evidence policy": (State.CHANGED, "changed: PlainHttp")} == deviations(aws)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed_and_nothing_else(aws: Deployed, change: str) -> None:
    """With one changed setting, exactly one check reports it, with the new value."""
    act, what, observed = CHANGES[change]
    act(aws)
    assert {what: (State.CHANGED, observed)} == deviations(aws)


@pytest.mark.parametrize("failure", FAILURES)
def test_resources_that_exist_but_do_not_work_are_noticed(aws: Deployed, failure: str) -> None:
    """It is as deployed, but notifies or starts nothing."""
    act, what, observed = FAILURES[failure]
    act(aws)
    assert {what: (State.FAILED, observed)} == deviations(aws)


def test_without_a_subscriber_any_notification_is_foreign(aws: Deployed) -> None:
    """Without a configured subscriber, any destination of new evidence is foreign."""
    config = msgspec.structs.replace(CONFIG, subscribers=())
    observed = deviations(aws, config)["evidence notifications"]
    assert (State.CHANGED, "QueueConfigurations") == observed


def test_another_deployment_s_alarms_are_not_counted(aws: Deployed) -> None:
    """Beside them, its own could all be off, or missing, and pass for on."""
    theirs = deepcopy(of(aws, "AWS::CloudWatch::Alarm", f"{MAIN_ID}-sealer-flagged"))
    name = theirs["AlarmName"].replace(MAIN_ID, "nhi-evidence-main-292691")
    aws.things[f"AWS::CloudWatch::Alarm {name}"] = {
        **theirs,
        "AlarmName": name,
        "ActionsEnabled": False,
    }
    assert {} == deviations(aws)


REPLICATED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "without metrics, which all alarms read": (
        lambda rule: rule["Destination"].pop("Metrics"),
        "metrics Disabled",
    ),
    "another id, which the metrics carry": (lambda rule: rule.update(Id="mine"), "mine Enabled"),
    "only what has a tag": (
        lambda rule: rule.update(Filter={"Tag": {"Key": "copy", "Value": "yes"}}),
        "filtered by Tag",
    ),
}


@pytest.mark.parametrize("change", REPLICATED)
def test_a_weakened_replication_rule_is_noticed(aws: Deployed, change: str) -> None:
    """It is there, enabled, and copies to the replica: less than everything, or unwatched."""
    act, observed = REPLICATED[change]
    act(of(aws, "AWS::S3::Bucket", MAIN)["ReplicationConfiguration"]["Rules"][0])
    ((what, (state, text)),) = deviations(aws).items()
    assert ("evidence replication", State.CHANGED) == (what, state)
    assert observed in text


def test_a_removed_replication_rule_is_noticed(aws: Deployed) -> None:
    """Nothing is copied any more."""
    of(aws, "AWS::S3::Bucket", MAIN).pop("ReplicationConfiguration")
    assert {"evidence replication": (State.CHANGED, "none")} == deviations(aws)


def test_a_rule_that_mutes_an_alarm_is_noticed(aws: Deployed) -> None:
    """The alarm is on, and notifies nobody; a rule for other alarms is no concern of ours."""
    aws.mutes = {"theirs": ["another"], "night": ["another", f"{MAIN_ID}-sealer-flagged"]}
    what = "evidence mute rules of eu-central-1"
    observed = f"night mutes {MAIN_ID}-sealer-flagged"
    assert {what: (State.FAILED, observed)} == deviations(aws)


@pytest.mark.parametrize("name", ["estate", "streamed"])
def test_the_alarms_looked_for_are_those_of_the_stacks(
    name: str, request: pytest.FixtureRequest
) -> None:
    """One table names them for the doctor; a new alarm that it lacks would be deleted unseen."""
    config = CONFIG if name == "estate" else read(STREAMED)
    named = [
        one
        for region in {feed.region for feed, _ in feeds(config)}
        for one in alarms.of_exports(config, region)
    ] + [
        one
        for region in alarms.evidence_regions(config)
        for one in alarms.of_evidence(config, region)
    ]
    deployed = {
        one.properties["AlarmName"]: bool(one.properties.get("AlarmActions"))
        for kind in KINDS
        for one in request.getfixturevalue(name).of(kind)
    }
    assert deployed == {one.name: one.notifies for one in named}
    assert len(deployed) == len(named)


def test_a_role_that_was_removed_is_not_deployed(aws: Deployed) -> None:
    """It is distinguished from a changed one."""
    del aws.things["AWS::IAM::Role nhi-evidence-main-170b2e-writer-aws_cloudtrail"]
    what = "evidence role nhi-evidence-main-170b2e-writer-aws_cloudtrail"
    assert {what: (State.NOT_DEPLOYED, "NoSuchEntity")} == deviations(aws)


def test_code_not_built_here_is_not_reported_ok(aws: Deployed) -> None:
    """Without the build output, a function's code is not seen; nothing else changes."""
    archive = delivery_account_checks.checks(CONFIG, aws.account(ARCHIVE))
    unseen = {one.what for one in archive if one.state is State.UNKNOWN and "code" in one.what}
    assert {f"function {EXPORTER}, code"} <= unseen


def test_a_queue_without_its_subscription_is_not_deployed() -> None:
    """The topic's owner may unsubscribe the exporter, filter its messages, or send them raw."""
    topic = "arn:aws:sns:eu-central-1:111122223333:files"
    feed = msgspec.structs.replace(feeds(CONFIG)[0][0], topic=topic)
    mine = {"SubscriptionArn": f"{topic}:1", "Endpoint": feed.queue_arn}

    def seen(subscriptions: list[dict[str, str]], **attributes: str) -> tuple[State, str]:
        sns = SimpleNamespace(
            get_paginator=lambda _: Paged(lambda **_: {"Subscriptions": subscriptions}),
            get_subscription_attributes=lambda **_: {"Attributes": attributes},
        )
        (check,) = queue_checks.topic_subscription(AwsChecks("account"), sns, feed)
        return check.state, check.observed

    assert (State.OK, "3 settings, as deployed") == seen([mine])
    elsewhere = {**mine, "Endpoint": "mine"}
    assert (State.NOT_DEPLOYED, "the queue is not subscribed") == seen([elsewhere])
    assert (State.CHANGED, "filter {}, not none") == seen([mine], FilterPolicy="{}")
    assert (State.CHANGED, "raw true, not false") == seen([mine], RawMessageDelivery="true")
    assert (State.CHANGED, "confirmed no, not yes") == seen([mine], PendingConfirmation="true")


def test_every_answer_is_json(aws: Deployed) -> None:
    """Compared values have been through a service: no Python-only value is left."""
    json.dumps(aws.things)
