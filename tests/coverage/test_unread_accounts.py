"""What was not read in an account is not known there, whatever was read in another."""

from __future__ import annotations

import pytest

from nhi_evidence.coverage import judges
from nhi_evidence.coverage.answers import Answer, Reading
from nhi_evidence.coverage.cells import cells
from nhi_evidence.coverage.matrix import matrix
from nhi_evidence.coverage.verdict import Judgment, Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon
from nhi_evidence.demo.estate.edits import Change, added, edited, put, refused, without_source
from nhi_evidence.demo.story import records
from nhi_evidence.investigate import visibility
from nhi_evidence.investigate.index import MemoryIndex, Selection
from nhi_evidence.investigate.lineage import follow
from tests.investigating import used

KEY = "AKIAIOSFODNN7EXAMPLE"
EXEC, REQUESTS = "eks.execution.exec", "aws_gateway.data_access.requests"
LISTING = [
    (EXEC, "eks:ListClusters"),
    (REQUESTS, "apigateway:GetRestApis"),
    (REQUESTS, "apigatewayv2:GetApis"),
]
PLACE = f"{amazon.WORKLOAD}/{amazon.REGION}"


def judged(cell: str, *changes: Change) -> Judgment:
    reading: Reading = estate.reading("aws", 0)
    for change in changes:
        reading = change(reading)
    (stated,) = (each for each in cells() if each.id == cell)
    return judges.judge(stated, reading)


def of(judgment: Judgment, account: str) -> Verdict:
    return judgment.extent.of(account, (judgment.verdict, judgment.reason))[0]


def never_asked(call: str, account: str) -> Change:
    """Leave out what was answered to a call in an account, as where its role was refused."""

    def change(reading: Reading) -> Reading:
        for answer in list(reading.all(call)):
            if answer.account == account:
                reading = reading.replaced(answer, None)
        return reading

    return change


@pytest.mark.parametrize("cell", [EXEC, REQUESTS])
def test_an_account_that_was_listed_and_has_none_is_no_doubt(cell: str) -> None:
    assert judged(cell).verdict is Verdict.CONFIGURED


@pytest.mark.parametrize(("cell", "call"), LISTING)
def test_an_account_that_was_not_listed_is_unknown_and_another_keeps_its_verdict(
    cell: str, call: str
) -> None:
    judgment = judged(cell, never_asked(call, amazon.EVIDENCE))
    assert judgment.verdict is Verdict.UNKNOWN
    assert f"of account {amazon.EVIDENCE} were not listed" in judgment.reason
    assert of(judgment, amazon.WORKLOAD) is Verdict.CONFIGURED
    assert of(judgment, amazon.EVIDENCE) is Verdict.UNKNOWN


@pytest.mark.parametrize(("cell", "call"), LISTING)
def test_a_region_that_was_refused_is_unknown_in_its_account_alone(cell: str, call: str) -> None:
    place = f"{amazon.EVIDENCE}/us-east-1"
    judgment = judged(cell, refused(call, place))
    assert judgment.verdict is Verdict.UNKNOWN
    assert judgment.reason.endswith(f"account {amazon.EVIDENCE} were not listed in us-east-1")
    assert of(judgment, amazon.WORKLOAD) is Verdict.CONFIGURED


@pytest.mark.parametrize("cell", [EXEC, REQUESTS])
def test_without_its_regions_an_account_may_have_more(cell: str) -> None:
    judgment = judged(cell, never_asked("account:ListRegions", amazon.WORKLOAD))
    assert judgment.verdict is Verdict.UNKNOWN
    assert "its regions were not listed" in judgment.reason


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (
            {"DestinationArn": "arn:aws:logs:eu-central-1:111122223333:log-group:api"},
            Verdict.CONFIGURED,
        ),
        ({}, Verdict.GAP),
    ],
)
def test_a_stage_of_an_http_api_counts_like_one_of_a_rest_api(
    logs: dict[str, str], expected: Verdict
) -> None:
    """It is listed by calls of its own, which name the same things in other ways."""
    answer = {"Items": [{"StageName": "$default", "AccessLogSettings": logs}]}
    stages = Answer(
        call="apigatewayv2:GetStages", scope=PLACE, request={"ApiId": "d4e5f6"}, answer=answer
    )
    judgment = judged(REQUESTS, added(stages))
    assert of(judgment, amazon.WORKLOAD) is expected
    assert ("stage $default of d4e5f6" in judgment.missing) is (expected is Verdict.GAP)
    assert of(judgment, records.SHARED_SERVICES) is Verdict.CONFIGURED


def test_stages_of_http_apis_that_were_refused_leave_the_cell_unknown() -> None:
    denied = Answer(
        call="apigatewayv2:GetStages", scope=PLACE, request={"ApiId": "d4e5f6"}, status="denied"
    )
    assert judged(REQUESTS, added(denied)).verdict is Verdict.UNKNOWN


def test_an_account_whose_role_was_refused_was_not_listed() -> None:
    """Even where the organization's own list of accounts does not name it."""
    taking = Answer(call="sts:AssumeRole", scope="777788889999", status="denied", error="no")
    assert of(judged(EXEC, added(taking)), "777788889999") is Verdict.UNKNOWN


def test_a_record_that_names_no_account_may_be_of_one_that_was_not_listed() -> None:
    rows = [used(0, KEY, account=None, source="k8s_audit", provider="Kubernetes")]
    path = follow(MemoryIndex(rows), Selection(credentials=frozenset({KEY})))
    for change, expected in (
        (None, Verdict.CONFIGURED),
        (never_asked("eks:ListClusters", amazon.EVIDENCE), Verdict.UNKNOWN),
    ):
        readings = [estate.reading("aws", at) for at in (rows[0].time, rows[0].time + 3_600_000)]
        report = matrix([change(reading) if change else reading for reading in readings])
        entries = visibility.judged(path, report).visibility
        (entry,) = (each for each in entries if each.cell == EXEC)
        assert entry.verdict is expected


def test_what_no_source_takes_in_is_configured_of_no_account() -> None:
    """Nor of one whose cluster writes it, where another's does not."""
    silent: dict[str, object] = {"cluster": {"logging": {"clusterLogging": []}}}
    judgment = judged(
        EXEC,
        edited("eks:DescribeCluster", lambda _: silent, PLACE),
        without_source("k8s_audit"),
    )
    assert judgment.verdict is Verdict.GAP
    assert of(judgment, records.SHARED_SERVICES) is Verdict.ELSEWHERE


def test_without_a_reading_of_its_trails_an_account_has_no_gap() -> None:
    """An account that could not be entered may have a trail of its own."""
    cell = next(each.id for each in cells() if judges.evaluator_of(each) == "aws_trail")
    alone = edited("cloudtrail:DescribeTrails", put(trailList=[]), amazon.SCOPE)
    judgment = judged(cell, alone, never_asked("cloudtrail:DescribeTrails", amazon.WORKLOAD))
    assert of(judgment, amazon.WORKLOAD) is Verdict.UNKNOWN
    assert of(judgment, amazon.EVIDENCE) is Verdict.GAP


def of_one_region(answer: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    return {"trailList": [{**one, "IsMultiRegionTrail": False} for one in answer["trailList"]]}


@pytest.mark.parametrize(
    ("call", "places"),
    [
        (
            "cloudtrail:DescribeTrails",
            [f"{amazon.EVIDENCE}/eu-west-1", f"{amazon.EVIDENCE}/us-east-1"],
        ),
        ("account:ListRegions", [amazon.EVIDENCE]),
        ("nhi-evidence:Collector", ["aws"]),
    ],
)
def test_a_region_whose_trails_could_not_be_listed_has_no_gap(call: str, places: list[str]) -> None:
    """Throttled or never made, a call says nothing: the region may have a trail of its own."""
    cell = next(each.id for each in cells() if judges.evaluator_of(each) == "aws_trail")
    narrow = edited("cloudtrail:DescribeTrails", of_one_region, amazon.SCOPE)
    throttled = [
        Answer(call=call, scope=place, status="failed", error="ThrottlingException")
        for place in places
    ]
    without = never_asked("account:ListRegions", amazon.EVIDENCE)
    assert of(judged(cell, narrow), amazon.EVIDENCE) is Verdict.GAP
    judgment = judged(cell, narrow, without, *map(added, throttled))
    assert of(judgment, amazon.EVIDENCE) is Verdict.UNKNOWN
    is_of_one = call != "nhi-evidence:Collector"
    assert (of(judgment, amazon.MANAGEMENT) is Verdict.GAP) == is_of_one
