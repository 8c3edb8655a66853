"""Reading AWS settings from an emulated AWS in this process, and judging them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from nhi_evidence.adapters.aws import settings_reader
from nhi_evidence.adapters.aws.settings_reader import Reader, read_settings
from nhi_evidence.coverage import answers, reading_file
from nhi_evidence.coverage.answers import Deployment, Reading, Source
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Verdict

REGION = "eu-central-1"
AT = 1_772_438_400_000
DEPLOYMENT = Deployment((Source(source="aws_cloudtrail", buckets=("trail",)),))


def _answering(pages: Any) -> Any:
    """Answer calls the emulator lacks as its server does: with an error."""

    def answer(*results: Any) -> Any:
        try:
            return pages(*results)
        except (NotImplementedError, ImportError) as lacking:
            error: Any = {"Error": {"Code": "NotImplemented", "Message": str(lacking)}}
            raise ClientError(error, "x") from lacking

    return answer


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.session.Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(Reader, "_pages", _answering(Reader._pages))
    with mock_aws():
        boto_session = boto3.session.Session()
        s3 = boto_session.client("s3", region_name=REGION)
        where: Any = {"LocationConstraint": REGION}
        for bucket in ("trail", "evidence"):
            s3.create_bucket(
                Bucket=bucket,
                CreateBucketConfiguration=where,
                ObjectLockEnabledForBucket=bucket == "evidence",
            )
        trails = boto_session.client("cloudtrail", region_name=REGION)
        trails.create_trail(Name="all", S3BucketName="trail", IsMultiRegionTrail=True)
        trails.start_logging(Name="all")
        yield boto_session


def read(session: boto3.session.Session) -> Reading:
    return read_settings(
        session, region=REGION, at=AT, deployment=DEPLOYMENT, evidence_buckets=["evidence"]
    )


def verdicts(reading: Reading) -> dict[str, Verdict]:
    return {one.cell: one.verdict for one in matrix([reading]).cells}


def test_settings_that_are_read_are_judged(session: boto3.session.Session) -> None:
    reading = read(session)
    judged = verdicts(reading)
    assert judged["aws.credential_validation.valid_key"] is Verdict.CONFIGURED
    assert judged["aws.data_access.services"] is Verdict.GAP
    assert answers.read(answers.write(reading), "x") == reading
    assert reading_file.read(reading_file.write(reading).body, "x") == reading


def test_selectors_and_status_are_those_of_the_trail(session: boto3.session.Session) -> None:
    trails = session.client("cloudtrail", region_name=REGION)
    selectors: Any = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    trails.put_event_selectors(TrailName="all", EventSelectors=selectors)
    judged = verdicts(read(session))
    assert judged["aws.credential_validation.valid_key"] is Verdict.GAP
    assert judged["aws.log_tampering.trail"] is Verdict.CONFIGURED
    trails.stop_logging(Name="all")
    assert verdicts(read(session))["aws.log_tampering.trail"] is Verdict.GAP


def test_an_unsupported_call_is_an_answer_too(session: boto3.session.Session) -> None:
    """For a service that returns an error there is an answer, and its cells are unknown."""
    reading = read(session)
    unread = [one for one in reading.answers if one.status in {"denied", "failed"}]
    assert all(one.error for one in unread)
    assert verdicts(reading)["aws.enumeration.telemetry"] in {Verdict.UNKNOWN, Verdict.GAP}


def test_a_refusal_is_kept(session: boto3.session.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        error: Any = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        raise ClientError(error, "DescribeTrails")

    monkeypatch.setattr(settings_reader.Reader, "_pages", refuse)
    reading = read(session)
    assert {one.status for one in reading.answers[1:]} == {"denied"}
    assert set(verdicts(reading).values()) <= {Verdict.UNKNOWN, Verdict.IMPOSSIBLE}


def test_only_reading_calls_are_made(session: boto3.session.Session) -> None:
    """Every call is a Describe, Get or List."""
    calls = [one.call for one in read(session).answers[1:]]
    verbs = ("Describe", "Get", "List")
    assert len(calls) > 10
    assert [call for call in calls if not call.partition(":")[2].startswith(verbs)] == []


def test_pages_are_one_answer(session: boto3.session.Session) -> None:
    events = session.client("events", region_name=REGION)
    for number in range(120):
        events.put_rule(Name=f"rule-{number}", ScheduleExpression="rate(1 hour)")
    reader = Reader(session, REGION, "123456789012")
    assert len(reader.ask("events", "ListRules", REGION)["Rules"]) == 120
    assert len(reader.answers) == 1


def test_a_list_that_does_not_end_is_a_failed_answer(
    session: boto3.session.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that there were more pages; none of what was read is taken for the whole list."""
    monkeypatch.setattr(settings_reader, "_MOST_PAGES", 1)
    events = session.client("events", region_name=REGION)
    for number in range(120):
        events.put_rule(Name=f"rule-{number}", ScheduleExpression="rate(1 hour)")
    reader = Reader(session, REGION, "123456789012")
    assert {} == reader.ask("events", "ListRules", REGION)
    (answer,) = reader.answers
    assert ("failed", "more than 1 pages", None) == (answer.status, answer.error, answer.answer)


def test_stages_of_http_apis_are_read(session: boto3.session.Session) -> None:
    """They are listed, and their stages read, by calls of their own."""
    reader = Reader(session, REGION, "123456789012")
    stage = {"StageName": "prod", "AccessLogSettings": {"DestinationArn": "arn:aws:logs:::x"}}
    api = {
        "ApiId": "d4e5f6",
        "Name": "orders",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method",
    }
    with Stubber(reader._client("apigatewayv2", REGION)) as stubbed:
        stubbed.add_response("get_apis", {"Items": [api]}, {})
        stubbed.add_response("get_stages", {"Items": [stage]}, {"ApiId": "d4e5f6"})
        settings_reader._of_region(reader, REGION)
    (answer,) = (each for each in reader.answers if each.call == "apigatewayv2:GetStages")
    assert ({"ApiId": "d4e5f6"}, {"Items": [stage]}) == (answer.request, answer.answer)
