"""What a deployment requires of the trail, its bucket and its key beforehand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.deploy import source_requirements
from infra.deploy.requirement import Standing
from nhi_evidence.config import Config, read
from nhi_evidence.config.aws.feeds import feeds
from tests.infra.aws.conftest import EXAMPLE
from tests.infra.aws.deploy_answers import Answers, Reached, refused, stack
from tests.infra.aws.estate import ARCHIVE, MANAGEMENT
from tests.infra.aws.iam import Request, allows

TRAIL = "organization-trail-111122223333"


QUEUE = f"arn:aws:sqs:eu-central-1:{ARCHIVE}:nhi-evidence-main-170b2e-aws_cloudtrail-organization"


PREFIX = "AWSLogs/o-exampleorg1/"


KEY = f"arn:aws:kms:eu-central-1:{ARCHIVE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def of_source(config: Config, **answers: Any) -> dict[Standing, list[str]]:
    export = stack("nhi-evidence-main-170b2e-export-eu-central-1", ARCHIVE)
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


def test_a_correct_trail_and_bucket_pass() -> None:
    """It delivers there, and the bucket is where it should be and notifies nothing else."""
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
        ({"S3BucketName": "another"}, "no trail delivers here, as far as this account can see"),
        (
            {"S3KeyPrefix": "o-exampleorg1"},
            'the trail delivers under "o-exampleorg1/": write prefix = "o-exampleorg1/"',
        ),
        ({"KmsKeyId": KEY}, f'the trail encrypts its files: write kms_key = "{KEY}"'),
    ],
)
def test_a_differing_trail_is_reported_with_the_line_to_write(
    trail: dict[str, str], problem: str
) -> None:
    """Each would yield no evidence at all."""
    described = {
        "Name": "organization",
        "S3BucketName": TRAIL,
        "IsOrganizationTrail": True,
        **trail,
    }
    by_standing = of_source(CONFIG, describe_trails={"trailList": [described]})
    (text,) = by_standing[Standing.MISSING]
    assert text.startswith(problem)


def test_a_trail_that_encrypts_with_another_key_than_the_configured_is_reported() -> None:
    """The exporter could not decrypt one file."""
    other = KEY.replace("1234abcd", "9999abcd")
    described = {"S3BucketName": TRAIL, "IsOrganizationTrail": True, "KmsKeyId": other}
    config = changed(("# kms_key = ", "kms_key = "))
    by_standing = of_source(config, describe_trails={"trailList": [described]})
    assert (
        f'the trail encrypts its files: write kms_key = "{other}"'
        in (by_standing[Standing.MISSING])
    )
    same = of_source(config, describe_trails={"trailList": [{**described, "KmsKeyId": KEY}]})
    assert not any("encrypts" in text for text in same.get(Standing.MISSING, ()))


def test_a_second_trail_into_the_same_bucket_hides_nothing() -> None:
    """Whichever AWS names first: one delivers what is configured."""
    first = {"Name": "other", "S3BucketName": TRAIL, "S3KeyPrefix": "elsewhere"}
    second = {"Name": "organization", "S3BucketName": TRAIL, "IsOrganizationTrail": True}
    for trails in ([first, second], [second, first]):
        by_standing = of_source(CONFIG, describe_trails={"trailList": trails})
        assert Standing.MISSING not in by_standing
        assert "organization delivers here" in by_standing[Standing.OK]


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
def test_a_bucket_that_notifies_another_destination_of_the_same_keys_is_a_conflict(
    answer: Any, conflict: bool
) -> None:
    """S3 refuses two destinations whose prefixes overlap; other prefixes and events are free."""
    by_standing = of_source(CONFIG, get_bucket_notification_configuration=answer)
    missing = by_standing.get(Standing.MISSING, [])
    assert conflict == bool(missing)
    assert not missing or "name it with topic = ..." in missing[0]


def test_a_topic_that_is_named_has_to_be_notified() -> None:
    """Otherwise no file is ever announced."""
    topic = "arn:aws:sns:eu-central-1:111122223333:trail"
    config = changed(("# topic = ", "topic = "))
    assert Standing.MISSING not in of_source(
        config, get_bucket_notification_configuration=notification("Topic", topic)
    )
    (text,) = of_source(config)[Standing.MISSING]
    assert f"does not notify {topic}: have it do so, or remove topic = ..." == text


def test_a_bucket_elsewhere_is_reported_with_the_line_to_write() -> None:
    """It is in another region or account."""
    (text,) = of_source(CONFIG, get_bucket_location={"LocationConstraint": "eu-west-1"})[
        Standing.MISSING
    ]
    assert 'is in eu-west-1: write region = "eu-west-1"' == text


def test_a_missing_bucket_is_one_line() -> None:
    """Existence and notifications are asked separately, with the same answer."""
    gone = refused("NoSuchBucket")
    (text,) = of_source(
        CONFIG, get_bucket_location=gone, get_bucket_notification_configuration=gone
    )[Standing.MISSING]
    assert "there is no such bucket in 111122223333" == text


def test_a_bucket_of_control_tower_is_noted() -> None:
    """What its controls allow is not settled, which is noted."""
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


def test_a_key_admits_the_exporter_or_the_missing_statement_is_printed() -> None:
    """The statement is printed as JSON, ready to add, and has the right effect."""
    config = changed(("# kms_key = ", "kms_key = "))

    def with_policy(*statements: Any) -> dict[Standing, list[str]]:
        policy = json.dumps({"Statement": [CLOUDTRAIL_MAY, *statements]})
        return of_source(config, get_key_policy={"Policy": policy})

    assert Standing.MISSING not in with_policy(ROOT_MAY)
    (text,) = with_policy()[Standing.MISSING]
    statement = json.loads(text[text.index("{") :])
    ((feed, _),) = feeds(config)
    through = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
    plain = {"aws:PrincipalArn": feed.role_arn}
    role = {"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}]}
    lets = {"Statement": [{**statement, "Resource": KEY}]}
    for context, is_allowed in ((plain | through, True), (plain, False)):
        request = Request(feed.role_arn, "kms:Decrypt", KEY, context)
        assert is_allowed == allows(
            request, identity=[role], resource=[lets], owner=ARCHIVE, resource_must_allow=True
        ), context
    assert Standing.MISSING not in with_policy(statement)


@pytest.mark.parametrize(
    ("statements", "standing"),
    [
        ([{**ROOT_MAY, "Action": "kms:De*"}], Standing.OK),
        ([{**ROOT_MAY, "Action": "KMS:decrypt"}], Standing.OK),
        ([{**ROOT_MAY, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}],
         Standing.UNSEEN),
        ([ROOT_MAY, {**ROOT_MAY, "Effect": "Deny", "Principal": "*"}], Standing.UNSEEN),
        ([{**ROOT_MAY, "Action": "kms:DescribeKey"}], Standing.MISSING),
        ([{"Effect": "Deny", "NotAction": "kms:*", "Principal": "*", "Resource": "*"}],
         Standing.MISSING),
    ],
)  # fmt: skip
def test_a_key_s_conditions_and_denials_are_not_taken_for_a_yes(
    statements: list[Any], standing: Standing
) -> None:
    """Nor is a pattern of actions taken for a no. One statement need not be a list."""
    config = changed(("# kms_key = ", "kms_key = "))
    document: Any = statements if len(statements) > 1 else statements[0]
    policy = {"Policy": json.dumps({"Statement": document})}
    by_standing = of_source(config, get_key_policy=policy)
    assert 1 == len([one for one in by_standing.get(standing, ()) if "key" in one])


def test_a_foreign_key_is_reported_with_the_statement_its_owner_adds() -> None:
    """It cannot be read from here."""
    theirs = KEY.replace(ARCHIVE, MANAGEMENT)
    config = changed(("# kms_key = ", "kms_key = "), (KEY, theirs))
    (text,) = of_source(config)[Standing.NOTE]
    assert text.startswith(
        f"its key belongs to {MANAGEMENT}, which must let the exporter read: add to the policy"
    )
    assert "kms:Decrypt" in json.loads(text[text.index("{") :])["Action"]
