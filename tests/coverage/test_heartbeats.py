"""What a trail's settings guarantee: which accounts and regions have hourly heartbeats."""

from __future__ import annotations

from typing import Any

import pytest

from nhi_evidence.completeness.statement import Scope
from nhi_evidence.coverage.answers import Answer, Deployment, Reading, Source
from nhi_evidence.coverage.gathering import gathered
from nhi_evidence.coverage.heartbeats import promises

NOW = 1_772_438_400_000
"""2026-03-02T08:00:00Z."""
ARN = "arn:aws:cloudtrail:eu-central-1:999988887777:trail/all"
LONG_AGO = "2024-01-01 00:00:00+00:00"
TRAIL: dict[str, Any] = {
    "TrailARN": ARN, "Name": "all", "HomeRegion": "eu-central-1", "S3BucketName": "trail",
    "IsMultiRegionTrail": True, "IsOrganizationTrail": True, "LogFileValidationEnabled": True,
}  # fmt: skip


def account(number: str, joined: str = LONG_AGO, **more: str) -> dict[str, str]:
    arn = f"arn:aws:organizations::999988887777:account/o-exampleorg1/{number}"
    return {"Id": number, "Arn": arn, "Status": "ACTIVE", "JoinedTimestamp": joined, **more}


def reading(
    trail: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    accounts: list[dict[str, str]] | None = None,
    bucket: str = "trail",
) -> Reading:
    answers = [
        Answer(
            call="organizations:ListAccounts",
            scope="999988887777",
            answer={"Accounts": accounts or [account("999988887777"), account("333344445555")]},
        ),
        Answer(
            call="account:ListRegions",
            scope="999988887777",
            answer={
                "Regions": [
                    {"RegionName": "eu-central-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
                    {"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"},
                    # Another account need not have opted into it.
                    {"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"},
                ]
            },
        ),
        Answer(
            call="cloudtrail:DescribeTrails",
            scope="999988887777/eu-central-1",
            answer={"trailList": [{**TRAIL, **(trail or {})}]},
        ),
        Answer(
            call="cloudtrail:GetTrailStatus",
            scope="999988887777/eu-central-1",
            request={"Name": ARN},
            answer={"IsLogging": True, "StartLoggingTime": LONG_AGO, **(status or {})},
        ),
    ]
    deployment = Deployment((Source(source="aws_cloudtrail", buckets=(bucket,)),))
    return gathered("aws", lambda: None, answers, at=NOW, deployment=deployment)


def scopes(of: Reading) -> set[Scope]:
    promised = promises(of, NOW)
    assert len({one.scopes for one in promised}) <= 1
    return set(promised[0].scopes) if promised else set()


def test_each_run_promises_the_coming_hours() -> None:
    """Not for the current hour, and each hour by three runs."""
    hours = [one.hour for one in promises(reading(), NOW + 59 * 60_000)]
    assert ["2026030209", "2026030210", "2026030211"] == hours


def test_every_account_in_every_region_it_has_for_certain() -> None:
    stream = "trail/AWSLogs/o-exampleorg1/"
    assert {
        Scope(number, region, stream)
        for number in ("999988887777", "333344445555")
        for region in ("eu-central-1", "us-east-1")
    } == scopes(reading())


def test_a_trail_of_one_account_and_region() -> None:
    own = {"IsOrganizationTrail": False, "IsMultiRegionTrail": False, "S3KeyPrefix": "pre"}
    assert {Scope("999988887777", "eu-central-1", "trail/pre/AWSLogs/")} == scopes(reading(own))


@pytest.mark.parametrize(
    "of",
    [
        reading({"LogFileValidationEnabled": False}),
        reading(status={"IsLogging": False}),
        reading(status={"StartLoggingTime": "2026-03-02 07:00:00+00:00"}),
        reading(status={"StartLoggingTime": None}),
        reading(status={"LatestDeliveryError": "AccessDenied"}),
        reading(bucket="another"),
        reading(accounts=[account("333344445555", "2026-03-01 20:00:00+00:00")]),
        reading(accounts=[account("333344445555", Status="SUSPENDED")]),
        reading(accounts=[account("333344445555", Arn="arn:of:another:shape")]),
    ],
    ids=["no validation", "stopped", "just started", "start unknown", "not delivered",
         "not ours", "just joined", "suspended", "organization unknown"],
)  # fmt: skip
def test_uncertain_heartbeats_are_not_promised(of: Reading) -> None:
    assert set() == scopes(of)
