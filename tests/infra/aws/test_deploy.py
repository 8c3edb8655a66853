"""What `make deploy` shows and asks before it deploys anything, by what AWS answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from infra.deploy import organization_requirements, source_requirements, stack_requirements
from infra.deploy.access import Access
from infra.deploy.assembly import Stack, stacks
from infra.deploy.requirement import Requirement, Standing, verdict
from infra.deploy.rolled_back import release
from nhi_evidence.config import Config, read
from nhi_evidence.config.aws.feeds import feeds
from nhi_evidence.errors import EvidenceError
from tests.infra.aws.conftest import EXAMPLE, production
from tests.infra.aws.estate import ARCHIVE, EVIDENCE, MANAGEMENT, REPLICA
from tests.infra.aws.iam import Request, allows

TRAIL = "organization-trail-111122223333"
QUEUE = f"arn:aws:sqs:eu-central-1:{ARCHIVE}:nhi-evidence-main-aws_cloudtrail-organization"
PREFIX = "AWSLogs/o-exampleorg1/"
KEY = f"arn:aws:kms:eu-central-1:{ARCHIVE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Get")


class Answers:
    """A client of every service: what each operation answers, or raises."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        def answer(**asked: Any) -> Any:
            self.asked.append((operation, asked))
            given = self._answers.get(operation, refused("AccessDenied"))
            if isinstance(given, Exception):
                raise given
            return given

        return answer

    def get_paginator(self, operation: str) -> Any:
        """Return a paginator of one page."""

        class Paged:
            def paginate(_, **asked: Any) -> list[Any]:  # noqa: N805
                return [getattr(self, operation)(**asked)]

        return Paged()


class Reached(Access):
    """Access to every account, which answers alike."""

    def __init__(self, answers: Answers | None) -> None:
        self._all = answers

    def client(self, service: str, stack: Stack, region: str | None = None) -> Any:  # noqa: ARG002
        """Return the one client."""
        return self._all


def stack(name: str = "nhi-evidence-main", account: str = EVIDENCE, **given: Any) -> Stack:
    return Stack(
        name=name,
        account=account,
        region=given.pop("region", "eu-central-1"),
        meaning="",
        bootstrap_version=6,
        retained=given.pop("retained", ()),
    )


def test_every_stack_says_where_it_goes_after_those_it_needs(assembly: Path) -> None:
    """Account and region of each; a bucket's replica before it, a trail after its bucket."""
    every = stacks(assembly)
    places = {one.name: (one.account, one.region) for one in every}
    assert {
        "nhi-evidence-main": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-replica": (REPLICA, "eu-west-1"),
        "nhi-evidence-main-seal": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-reconcile": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-main-coverage": (EVIDENCE, "eu-central-1"),
        f"nhi-evidence-settings-{MANAGEMENT}": (MANAGEMENT, "eu-central-1"),
        "nhi-evidence-settings-333344445555": ("333344445555", "eu-central-1"),
        "nhi-evidence-eu-central-1-monitoring": (EVIDENCE, "eu-central-1"),
        "nhi-evidence-export-eu-central-1": (ARCHIVE, "eu-central-1"),
        "nhi-evidence-export-eu-central-1-monitoring": (ARCHIVE, "eu-central-1"),
        "nhi-evidence-export-us-east-1": (ARCHIVE, "us-east-1"),
        "nhi-evidence-export-us-east-1-monitoring": (ARCHIVE, "us-east-1"),
        "nhi-evidence-trail-fresh": (MANAGEMENT, "us-east-1"),
        "nhi-evidence-guardrails": (MANAGEMENT, "us-east-1"),
    } == places
    order = [one.name for one in every]
    for first, then in (
        ("nhi-evidence-main-replica", "nhi-evidence-main"),
        ("nhi-evidence-main", "nhi-evidence-main-seal"),
        ("nhi-evidence-export-us-east-1", "nhi-evidence-trail-fresh"),
    ):
        assert order.index(first) < order.index(then)
    assert all(one.meaning for one in every)
    (main,) = [one for one in every if one.name == "nhi-evidence-main"]
    assert (("AWS::S3::Bucket", "nhi-evidence-222233334444"),) == main.retained


def of_stacks(answers: Answers, *given: Stack) -> list[tuple[Standing, str]]:
    requirements = stack_requirements.requirements(Reached(answers), given or (stack(),))
    return [(one.standing, one.text) for one in requirements]


def test_an_account_that_is_not_bootstrapped_is_named_with_what_to_do() -> None:
    """Once for each account and region, however many stacks go there."""
    answers = Answers(get_parameter=refused("ParameterNotFound"))
    ((standing, text),) = of_stacks(answers, stack(), stack("nhi-evidence-main-seal"))
    assert Standing.MISSING is standing
    wanted = "make bootstrap, or cdk bootstrap aws://222233334444/eu-central-1"
    assert f"not bootstrapped: {wanted}" == text
    old = Answers(get_parameter={"Parameter": {"Value": "5"}})
    assert [(Standing.MISSING, f"bootstrapped with version 5, not 6: {wanted}")] == of_stacks(old)
    new = Answers(get_parameter={"Parameter": {"Value": "30"}})
    assert [(Standing.OK, "bootstrapped, version 30")] == of_stacks(new)


@pytest.mark.parametrize(
    "answer", [refused("AccessDenied"), EndpointConnectionError(endpoint_url="x")]
)
def test_what_cannot_be_asked_is_said_and_stops_nothing(answer: Exception) -> None:
    """Not checked is neither well nor missing."""
    ((standing, text),) = of_stacks(Answers(get_parameter=answer))
    assert Standing.UNSEEN is standing
    assert text.startswith("whether it is bootstrapped (")
    closed = stack_requirements.requirements(Reached(None), [stack()])
    assert [Standing.UNSEEN] == [one.standing for one in closed]


BUCKET = stack(retained=(("AWS::S3::Bucket", "nhi-evidence-222233334444"),))
GONE = refused("ValidationError")
LEFT = (
    "nhi-evidence-222233334444 is left from a stack that is gone: "
    "cdk import nhi-evidence-main, or another name"
)
TAKEN = "the bucket name nhi-evidence-222233334444 is taken by somebody else: choose another"


@pytest.mark.parametrize(
    ("stack_answer", "bucket_answer", "missing"),
    [
        (GONE, refused("404"), []),
        (
            GONE,
            {},
            [LEFT],
        ),
        (
            GONE,
            refused("403"),
            ["the bucket name nhi-evidence-222233334444 is taken by somebody else: choose another"],
        ),
        ({"Stacks": [{"StackStatus": "CREATE_COMPLETE"}]}, {}, []),
        ({"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE"}]}, refused("404"), []),
    ],
)
def test_a_name_that_is_taken_is_found_before_it_fails(
    stack_answer: Any, bucket_answer: Any, missing: list[str]
) -> None:
    """What an earlier stack retained is imported; what somebody else has is named otherwise."""
    answers = Answers(
        get_parameter={"Parameter": {"Value": "30"}},
        describe_stacks=stack_answer,
        head_bucket=bucket_answer,
    )
    requirements = of_stacks(answers, BUCKET)
    assert missing == [text for standing, text in requirements if standing is Standing.MISSING]


def test_a_log_group_and_a_trail_that_are_left_are_found() -> None:
    """The other two kinds that outlive a stack under one name."""
    group, trail = "/aws/lambda/nhi-evidence-main-sealer", "nhi-evidence-fresh"
    left = stack(retained=(("AWS::Logs::LogGroup", group), ("AWS::CloudTrail::Trail", trail)))
    answers = Answers(
        get_parameter={"Parameter": {"Value": "30"}},
        describe_stacks=GONE,
        describe_log_groups={"logGroups": [{"logGroupName": group}]},
        get_trail={},
    )
    missing = [text for standing, text in of_stacks(answers, left) if standing is Standing.MISSING]
    assert [group, trail] == [text.split()[0] for text in missing]


def of_source(config: Config, **answers: Any) -> dict[Standing, list[str]]:
    export = stack("nhi-evidence-export-eu-central-1", ARCHIVE)
    known = {
        "describe_trails": {
            "trailList": [
                {"Name": "organization", "S3BucketName": TRAIL, "IsOrganizationTrail": True}
            ]
        },
        "get_bucket_location": {"LocationConstraint": "eu-central-1"},
        "get_bucket_notification_configuration": {},
    }
    reached = Reached(Answers(**{**known, **answers}))
    by_standing: dict[Standing, list[str]] = {}
    for requirement in source_requirements.requirements(reached, config, export):
        by_standing.setdefault(requirement.standing, []).append(requirement.text)
    return by_standing


def changed(*changes: tuple[str, str]) -> Config:
    text = EXAMPLE
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return read(text)


CONFIG = read(EXAMPLE)


def test_a_trail_and_its_bucket_as_they_should_be() -> None:
    """It delivers there, the bucket is where it should be, and tells nobody else."""
    assert {
        Standing.OK: [
            "organization delivers here",
            "is in 111122223333, eu-central-1",
            "is free to notify",
        ]
    } == of_source(CONFIG)


@pytest.mark.parametrize(
    ("trail", "problem"),
    [
        ({"S3BucketName": "another"}, "no trail delivers here, as far as this account sees"),
        (
            {"S3KeyPrefix": "o-exampleorg1"},
            'the trail delivers under "o-exampleorg1/": write prefix = "o-exampleorg1/"',
        ),
        ({"KmsKeyId": KEY}, f'the trail encrypts its files: write kms_key = "{KEY}"'),
    ],
)
def test_a_trail_that_is_otherwise_is_told_with_the_line_to_write(
    trail: dict[str, str], problem: str
) -> None:
    """Each would bring no evidence at all."""
    described = {
        "Name": "organization",
        "S3BucketName": TRAIL,
        "IsOrganizationTrail": True,
        **trail,
    }
    by_standing = of_source(CONFIG, describe_trails={"trailList": [described]})
    (text,) = by_standing[Standing.MISSING]
    assert text.startswith(problem)


def notification(kind: str, arn: str, prefix: str = "", event: str = "s3:ObjectCreated:*") -> Any:
    rules = [{"Name": "Prefix", "Value": prefix}] if prefix else []
    key = {"Queue": "QueueArn", "Topic": "TopicArn", "LambdaFunction": "LambdaFunctionArn"}[kind]
    configuration = {key: arn, "Events": [event], "Filter": {"Key": {"FilterRules": rules}}}
    return {f"{kind}Configurations": [configuration]}


@pytest.mark.parametrize(
    ("answer", "conflict"),
    [
        (notification("Queue", QUEUE, PREFIX), False),  # ours, of an earlier deployment
        (notification("Queue", "arn:aws:sqs:::siem", PREFIX), True),
        (notification("Queue", "arn:aws:sqs:::siem"), True),
        (notification("Queue", "arn:aws:sqs:::siem", "AWSLogs/o-exampleorg1/333344445555/"), True),
        (notification("Topic", "arn:aws:sns:::all", "AWSLogs/"), True),
        (notification("LambdaFunction", "arn:aws:lambda:::f", "AWSLogs/"), True),
        (notification("Queue", "arn:aws:sqs:::siem", "config/"), False),
        (notification("Queue", "arn:aws:sqs:::siem", PREFIX, "s3:ObjectRemoved:*"), False),
    ],
)
def test_a_bucket_that_tells_somebody_else_of_the_same_keys_is_a_conflict(
    answer: Any, conflict: bool
) -> None:
    """S3 refuses two destinations whose prefixes overlap; other prefixes and events are free."""
    by_standing = of_source(CONFIG, get_bucket_notification_configuration=answer)
    missing = by_standing.get(Standing.MISSING, [])
    assert conflict == bool(missing)
    assert not missing or "name it with topic = ..." in missing[0]


def test_a_topic_that_is_named_has_to_be_notified() -> None:
    """Else no file is ever told of."""
    topic = "arn:aws:sns:eu-central-1:111122223333:trail"
    config = changed(("# topic = ", "topic = "))
    assert Standing.MISSING not in of_source(
        config, get_bucket_notification_configuration=notification("Topic", topic)
    )
    (text,) = of_source(config)[Standing.MISSING]
    assert f"does not notify {topic}: let it, or remove topic = ..." == text


def test_a_bucket_elsewhere_is_told_with_the_line_to_write() -> None:
    """Another region, or another account."""
    (text,) = of_source(CONFIG, get_bucket_location={"LocationConstraint": "eu-west-1"})[
        Standing.MISSING
    ]
    assert 'lies in eu-west-1: write region = "eu-west-1"' == text
    (text,) = of_source(CONFIG, get_bucket_location=refused("NoSuchBucket"))[Standing.MISSING]
    assert "there is no such bucket in 111122223333" == text


def test_a_bucket_of_control_tower_is_noted() -> None:
    """What its controls let through is not settled, and is noted."""
    bucket = "aws-controltower-logs-111122223333-eu-central-1"
    config = changed((TRAIL, bucket))
    trail = {"Name": "x", "S3BucketName": bucket, "IsOrganizationTrail": True}
    by_standing = of_source(config, describe_trails={"trailList": [trail]})
    assert by_standing[Standing.NOTE][0].startswith("made by Control Tower")
    assert Standing.MISSING not in by_standing


ROOT_MAY = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ARCHIVE}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
CLOUDTRAIL_MAY = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "kms:GenerateDataKey*",
    "Resource": "*",
}


def test_a_key_that_lets_the_exporter_read_or_the_statement_it_lacks() -> None:
    """The statement is printed as JSON, ready to be added, and does what it should."""
    config = changed(("# kms_key = ", "kms_key = "))

    def with_policy(*statements: Any) -> dict[Standing, list[str]]:
        policy = json.dumps({"Statement": [CLOUDTRAIL_MAY, *statements]})
        return of_source(config, get_key_policy={"Policy": policy})

    assert Standing.MISSING not in with_policy(ROOT_MAY)
    (text,) = with_policy()[Standing.MISSING]
    statement = json.loads(text[text.index("{") :])
    ((feed, _),) = feeds(config)
    request = Request(feed.role_arn, "kms:Decrypt", KEY, {"aws:PrincipalArn": feed.role_arn})
    role = {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}]}
    lets = {"Statement": [{**statement, "Resource": KEY}]}
    assert allows(
        request, identity=[role], resource=[lets], owner=ARCHIVE, resource_must_allow=True
    )
    assert Standing.MISSING not in with_policy(statement)


def test_a_key_of_another_account_is_told_with_the_statement_its_owner_adds() -> None:
    """It cannot be looked at from here."""
    theirs = KEY.replace(ARCHIVE, MANAGEMENT)
    config = changed(("# kms_key = ", "kms_key = "), (KEY, theirs))
    (text,) = of_source(config)[Standing.NOTE]
    assert text.startswith(f"its key is of {MANAGEMENT}, which must let it read: add to the policy")
    assert "kms:Decrypt" in json.loads(text[text.index("{") :])["Action"]


class Deployer(Reached):
    """Access that may change stacks as well."""

    def deployer(self, service: str, stack: Stack) -> Any:
        """Return the one client."""
        return self.client(service, stack)


@pytest.mark.parametrize(
    ("status", "protected", "released"),
    [
        ("ROLLBACK_COMPLETE", True, True),
        ("ROLLBACK_FAILED", True, True),
        ("ROLLBACK_COMPLETE", False, False),
        ("CREATE_COMPLETE", True, False),
        ("UPDATE_ROLLBACK_COMPLETE", True, False),
    ],
)
def test_only_a_stack_that_was_never_made_loses_its_protection(
    status: str, protected: bool, released: bool
) -> None:
    """One that was made keeps it, whatever became of its last change."""
    described = {"StackStatus": status, "EnableTerminationProtection": protected}
    answers = Answers(describe_stacks={"Stacks": [described]}, update_termination_protection={})
    release(Deployer(answers), [stack()])
    changes = [asked for name, asked in answers.asked if name != "describe_stacks"]
    wanted = {"StackName": "nhi-evidence-main", "EnableTerminationProtection": False}
    assert ([wanted] if released else []) == changes


def test_a_stack_that_is_not_there_is_made_without_more() -> None:
    """And what cannot be looked at is an error that names the stack."""
    release(Deployer(Answers(describe_stacks=GONE)), [stack()])
    with pytest.raises(EvidenceError, match="nhi-evidence-main"):
        release(Deployer(Answers(describe_stacks=refused("Throttling"))), [stack()])


MANAGED = stack("nhi-evidence-guardrails", MANAGEMENT, region="us-east-1")


def of_organization(config: Config, **answers: Any) -> dict[str, Standing]:
    known = {
        "describe_organization": {"Organization": {"Id": "o-exampleorg1"}},
        "list_aws_service_access_for_organization": {
            "EnabledServicePrincipals": [{"ServicePrincipal": "cloudtrail.amazonaws.com"}]
        },
        "list_roots": {
            "Roots": [
                {
                    "Id": "r-1",
                    "PolicyTypes": [
                        {"Type": one, "Status": "ENABLED"}
                        for one in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
                    ],
                }
            ]
        },
    }
    reached = Reached(Answers(**{**known, **answers}))
    requirements = organization_requirements.requirements(reached, config, [MANAGED])
    return {one.text: one.standing for one in requirements}


def test_the_organization_as_it_should_be() -> None:
    """It is the one of the configuration, trusts CloudTrail, and has both types of policies."""
    standings = of_organization(read(production()))
    assert {Standing.OK} == set(standings.values())
    assert 3 == len(standings)


def test_another_organization_trust_and_types_are_told_with_the_command() -> None:
    """Each in one line with its mending."""
    standings = of_organization(
        read(production()),
        describe_organization={"Organization": {"Id": "o-another0000"}},
        list_aws_service_access_for_organization={"EnabledServicePrincipals": []},
        list_roots={"Roots": [{"Id": "r-1", "PolicyTypes": []}]},
    )
    assert {Standing.MISSING} == set(standings.values())
    organization, trust, types = standings
    assert 'id = "o-another0000"' in organization
    assert "enable-aws-service-access --service-principal cloudtrail.amazonaws.com" in trust
    assert "--root-id r-1 --policy-type RESOURCE_CONTROL_POLICY" in types
    assert all("\n" not in text for text in standings)


def test_guardrails_before_the_web_identities_are_known_are_noted() -> None:
    """They let none in then, and have to be deployed again."""
    config = read(production().replace("service_account_id", "# service_account_id"))
    (text,) = [text for text, one in of_organization(config).items() if one is Standing.NOTE]
    assert text.startswith("[gcp] has no service_account_id yet")


def test_the_verdict_is_what_all_come_to() -> None:
    """Anything missing is not ready; what was not checked is counted, and never as well."""

    def of(*standings: Standing) -> str:
        return verdict(Requirement("x", one, "y") for one in standings)

    assert "ready: 2 ok, 1 not checked" == of(Standing.OK, Standing.OK, Standing.UNSEEN)
    assert "not ready: 1 ok, 1 missing" == of(Standing.OK, Standing.MISSING)
    assert "ready: nothing to check" == of()
    assert "x: y" in str(Requirement("x", Standing.NOTE, "y"))
    assert msgspec.json.encode(Requirement("x", Standing.NOTE, "y"))
