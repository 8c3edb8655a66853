"""The layer of operations: one answer, and no guess that improves it."""

from __future__ import annotations

import json

import pytest

from nhi_evidence.coverage import changes, operation
from nhi_evidence.coverage.judges import Subject
from nhi_evidence.coverage.operation import Answered
from nhi_evidence.coverage.verdict import Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon, google
from nhi_evidence.demo.estate.edits import Change, edited, put

ROLE = "arn:aws:iam::333344445555:role/shop"


def answered(
    name: str, *changes: Change, platform: str = "aws", resource: str | None = None
) -> Answered:
    reading = estate.reading(platform, 0)
    for change in changes:
        reading = change(reading)
    answers = operation.operations(name, [reading], subject=Subject(ROLE), resource=resource)
    return answers[0]


@pytest.mark.parametrize(
    ("name", "platform", "verdict", "by"),
    [
        ("s3:GetObject", "aws", "CONFIGURED", "CloudTrail data event of AWS::S3::Object"),
        ("sts:AssumeRole", "aws", "CONFIGURED", "CloudTrail management event"),
        ("iam.projects.serviceAccounts.keys.create", "gcp", "CONFIGURED", "Admin Activity entry"),
        ("storage.objects.get", "gcp", "CONFIGURED", "Data Access entry"),
        ("Microsoft.Compute/virtualMachines/read", "azure", "IMPOSSIBLE", "no log"),
        ("GET /users/{id}", "azure", "CONFIGURED", "Graph activity record"),
        ("acme:MakeIt", "aws", "UNKNOWN", "nothing known"),
        ("s3:GetObject", "gcp", "UNKNOWN", "aws, data log"),
    ],
)
def test_an_operation_is_answered(name: str, platform: str, verdict: str, by: str) -> None:
    answer = answered(name, platform=platform)
    assert (answer.verdict, answer.by) == (verdict, by)


def test_an_undocumented_log_class_claims_nothing() -> None:
    """A service without data events does not imply that the operation is recorded."""
    answer = answered("clouddirectory:GetObjectInformation")
    assert answer.log == "management"
    assert answer.verdict is Verdict.UNKNOWN
    assert "not documented" in answer.reasons[0]


def test_the_answer_is_one_sentence() -> None:
    answer = answered("s3:GetObject")
    assert answer.sentence(ROLE, "2026-03-02T08:00:00Z") == (
        f"s3:GetObject by {ROLE} at 2026-03-02T08:00:00Z: would have been recorded here, as the "
        "settings were read: recorded by trail organization."
    )


def test_a_bucket_that_is_excluded_is_not_another_bucket() -> None:
    conditions = [
        amazon.field("eventCategory", "Data"),
        amazon.field("resources.type", "AWS::S3::Object"),
        amazon.field("resources.ARN", "arn:aws:s3:::logs/", operator="NotStartsWith"),
    ]
    change = edited(
        "cloudtrail:GetEventSelectors",
        put(AdvancedEventSelectors=[amazon.selector(*conditions)]),
    )
    assert answered("s3:GetObject", change).verdict is Verdict.GAP
    shop = answered("s3:GetObject", change, resource="arn:aws:s3:::shop/a")
    assert shop.verdict is Verdict.CONFIGURED
    logs = answered("s3:GetObject", change, resource="arn:aws:s3:::logs/a")
    assert logs.verdict is Verdict.GAP


def test_what_depends_on_a_read_flag_is_unknown() -> None:
    management = amazon.selector(
        amazon.field("eventCategory", "Management"), amazon.field("readOnly", "true")
    )
    change = edited("cloudtrail:GetEventSelectors", put(AdvancedEventSelectors=[management]))
    kept = edited("observabilityadmin:GetTelemetryRule", lambda _: {"TelemetryRule": {}})
    answer = answered("sts:AssumeRole", change, kept)
    assert answer.verdict is Verdict.UNKNOWN
    assert "as a read CONFIGURED, as a write GAP" in answer.reasons[0]


def test_a_type_of_call_that_is_off_is_named() -> None:
    config = google.audit_config("ADMIN_READ", "DATA_READ")
    change = edited(
        "cloudresourcemanager.getIamPolicy", put(auditConfigs=[config]), google.ORGANIZATION
    )
    answer = answered("storage.objects.get", change, platform="gcp")
    assert answer.verdict is Verdict.UNKNOWN
    assert "GAP as DATA_WRITE" in answer.reasons[0]


HOUR = 3_600_000


@pytest.mark.parametrize(
    ("hours", "verdict", "why"),
    [
        ((1, 4), "CONFIGURED", "recorded by"),
        ((1,), "UNKNOWN", "no later reading"),
        ((1, 40), "UNKNOWN", "too far"),
        ((3,), "UNKNOWN", "no reading of aws"),
    ],
)
def test_an_instant_is_known_only_between_readings(
    hours: tuple[int, ...], verdict: str, why: str
) -> None:
    readings = [estate.reading("aws", hour * HOUR) for hour in hours]
    answer = operation.at_time("s3:GetObject", readings, [], 2 * HOUR, subject=Subject(ROLE))[0]
    assert answer.verdict == verdict
    assert why in answer.reasons[0]
    off = edited("cloudtrail:DescribeTrails", put(trailList=[]))(estate.reading("aws", 3 * HOUR))
    readings = [estate.reading("aws", HOUR), off]
    answer = operation.at_time("s3:GetObject", readings, [], 2 * HOUR, subject=Subject(ROLE))[0]
    assert (answer.verdict, "when read next" in answer.reasons[0]) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("event", "hour", "verdict"),
    [
        ("StopLogging", 20, Verdict.CONFIGURED),
        ("StartLogging", 20, Verdict.UNKNOWN),
        ("StopLogging", 40, Verdict.UNKNOWN),
    ],
    ids=["it was stopped later", "it was on already", "nobody had read it for long"],
)
def test_a_later_record_says_so_only_of_what_it_changes(
    event: str, hour: int, verdict: Verdict
) -> None:
    raw = {
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": event,
        "requestParameters": {"name": amazon.TRAIL},
    }
    text = json.dumps(raw).encode()
    change = changes.of_record("aws_cloudtrail", text, at=hour * HOUR, uid="u", outcome="success")
    off = edited("cloudtrail:DescribeTrails", put(trailList=[]))
    readings = [estate.reading("aws", HOUR), off(estate.reading("aws", (hour + 1) * HOUR))]
    answer = operation.at_time(
        "s3:GetObject", readings, list(change), 2 * HOUR, subject=Subject(ROLE)
    )[0]
    assert answer.verdict is verdict
