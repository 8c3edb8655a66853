"""What CloudTrail's selectors record, derived by hand from AWS's documentation.

- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html
- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
- https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
- https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.coverage import answers
from nhi_evidence.coverage.answers import Answer
from nhi_evidence.coverage.aws import bucket, event_kind, recorded, selectors
from nhi_evidence.coverage.aws.event_kind import EventKind
from nhi_evidence.coverage.verdict import Judgment, Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon
from nhi_evidence.demo.estate.amazon import field, selector
from nhi_evidence.demo.estate.edits import added, edited, put, refused
from tests.coverage.selector_table import ALL, DATA_S3, OBJECTS, READ, TABLE, WRITE, advanced, basic


@pytest.mark.parametrize(
    ("answer", "kind", "is_recorded"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_selectors_record_what_documentation_says(
    answer: dict[str, Any], kind: EventKind, *, is_recorded: bool
) -> None:
    chosen = selectors.of_answer(answer)
    events = event_kind.representatives(kind, selectors.listed(chosen))
    assert is_recorded == all(any(one.records(event) for one in chosen) for event in events)


def _trail(name: str, answer: dict[str, Any], **members: Any) -> list[Any]:
    arn = f"arn:aws:cloudtrail:{amazon.REGION}:{amazon.MANAGEMENT}:trail/{name}"
    described = {
        "TrailARN": arn,
        "S3BucketName": amazon.TRAIL_BUCKET,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": True,
        "HomeRegion": amazon.REGION,
        **members,
    }
    scope = f"{amazon.MANAGEMENT}/{amazon.REGION}"
    call = "cloudtrail:Get"
    return [
        described,
        Answer(
            call=f"{call}TrailStatus",
            scope=scope,
            request={"Name": arn},
            answer={"IsLogging": True},
        ),
        Answer(
            call=f"{call}EventSelectors", scope=scope, request={"TrailName": arn}, answer=answer
        ),
    ]


def judged(kind: EventKind, *trails: list[Any], accounts: tuple[str, ...] = ()) -> Judgment:
    reading = estate.reading("aws", 0)
    kept = tuple(a for a in reading.answers if "elemetry" not in a.call)
    reading = msgspec.structs.replace(reading, answers=kept)
    described = [trail[0] for trail in trails]
    reading = edited("cloudtrail:DescribeTrails", put(trailList=described))(reading)
    for trail in trails:
        for answer in trail[1:]:
            reading = added(answer)(reading)
    return recorded.by_trails(reading, kind, accounts)


def test_trails_add_up() -> None:
    """A trail of reads and a trail of writes together record everything, and neither alone."""
    reads = _trail("reads", basic(ReadWriteType="ReadOnly"))
    writes = _trail("writes", basic(ReadWriteType="WriteOnly"))
    assert judged(ALL, reads, writes).verdict is Verdict.CONFIGURED
    assert judged(ALL, reads).verdict is Verdict.GAP
    assert judged(ALL, writes).missing == ("reads (Management events)",)


def test_one_trail_does_not_count_for_another() -> None:
    """A trail of all events in one account says nothing about another."""
    own = _trail("own", {}, IsOrganizationTrail=False)
    judgment = judged(READ, own)
    assert judgment.verdict is Verdict.GAP
    assert amazon.WORKLOAD in judgment.reason
    assert amazon.MANAGEMENT not in judgment.reason
    assert judged(READ, own, accounts=(amazon.MANAGEMENT,)).verdict is Verdict.CONFIGURED


def test_regions_add_up() -> None:
    """A single-region trail misses the others, which are named."""
    local = _trail("local", {}, IsMultiRegionTrail=False)
    judgment = judged(READ, local)
    assert judgment.verdict is Verdict.GAP
    assert "eu-west-1, us-east-1" in judgment.reason
    others = [
        _trail(region, {}, IsMultiRegionTrail=False, HomeRegion=region)
        for region in ("eu-west-1", "us-east-1")
    ]
    assert judged(READ, local, *others).verdict is Verdict.CONFIGURED


def test_global_services_record_in_their_region() -> None:
    """IAM records in us-east-1: a trail there is enough, one elsewhere does not count."""
    there = _trail("there", {}, IsMultiRegionTrail=False, HomeRegion="us-east-1")
    assert judged(WRITE, there).verdict is Verdict.CONFIGURED
    assert judged(WRITE, _trail("local", {}, IsMultiRegionTrail=False)).verdict is Verdict.GAP


def test_a_shadow_trail_is_the_trail() -> None:
    """A trail described in two regions is one trail."""
    trail = _trail("one", basic(ReadWriteType="WriteOnly"))
    assert judged(ALL, trail, [trail[0]]).verdict is Verdict.GAP


def test_recorded_elsewhere_is_not_here() -> None:
    """A trail into another bucket records, but not here; what both record together counts."""
    other = _trail("other", {}, S3BucketName="somebody-elses")
    assert judged(READ, other).verdict is Verdict.ELSEWHERE
    ours = _trail("ours", basic(ReadWriteType="WriteOnly"))
    assert judged(ALL, other, ours).verdict is Verdict.ELSEWHERE
    assert judged(EventKind(read_only=False), other, ours).verdict is Verdict.CONFIGURED


def test_a_stopped_or_failing_trail_records_nothing() -> None:
    reading = estate.reading("aws", 0)
    stopped = edited("cloudtrail:GetTrailStatus", put(IsLogging=False))(reading)
    assert recorded.by_trails(stopped, READ).reason.endswith("trail organization is stopped")
    failing = edited("cloudtrail:GetTrailStatus", put(LatestDeliveryError="AccessDenied"))(reading)
    judgment = recorded.by_trails(failing, WRITE)
    assert judgment.verdict is Verdict.GAP
    assert "cannot deliver (AccessDenied)" in judgment.reason


@pytest.mark.parametrize(
    "call",
    ["cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"],
)
def test_an_unreadable_answer_is_neither_gap_nor_proof(call: str) -> None:
    reading = estate.reading("aws", 0)
    kept = tuple(a for a in reading.answers if "elemetry" not in a.call)
    reading = refused(call)(msgspec.structs.replace(reading, answers=kept))
    assert recorded.by_trails(reading, READ).verdict is Verdict.UNKNOWN


def test_unread_regions_do_not_count_as_covered() -> None:
    """Without the list of regions, the rest of a single-region trail is unknown, not a gap."""
    reading = refused("account:ListRegions")(estate.reading("aws", 0))
    assert recorded.by_trails(reading, READ).verdict is Verdict.CONFIGURED
    kept = tuple(a for a in reading.answers if "elemetry" not in a.call)
    reading = msgspec.structs.replace(reading, answers=kept)
    local = edited(
        "cloudtrail:DescribeTrails",
        lambda body: {
            "trailList": [
                {**trail, "IsMultiRegionTrail": False}
                for trail in body["trailList"]
                if trail["IsOrganizationTrail"]
            ]
        },
    )(reading)
    judgment = recorded.by_trails(local, READ, (amazon.MANAGEMENT,))
    assert judgment.verdict is Verdict.UNKNOWN
    # This account's region was listed, and no trail is there.
    own = recorded.by_trails(local, READ, (amazon.CROSSED[0],))
    assert own.verdict is Verdict.GAP
    assert own.reason.endswith(f"no trail in {amazon.OWN_REGION}")


def test_a_bucket_that_notifies_another_queue_is_not_ours() -> None:
    reading = edited(
        "s3:GetBucketNotificationConfiguration",
        lambda _: {
            "QueueConfigurations": [{"QueueArn": "other", "Events": ["s3:ObjectCreated:*"]}]
        },
    )(estate.reading("aws", 0))
    assert recorded.by_trails(reading, READ).verdict is Verdict.ELSEWHERE


def test_a_telemetry_rule_is_not_a_trail() -> None:
    """Events that CloudWatch ingests without a trail are recorded, but not here."""
    reading = edited("cloudtrail:DescribeTrails", put(trailList=[]))(estate.reading("aws", 0))
    judgment = recorded.by_trails(reading, READ, (amazon.WORKLOAD,))
    assert judgment.verdict is Verdict.ELSEWHERE
    assert "telemetry rule all-trails" in judgment.reason


def test_too_many_classes_are_refused_not_sampled() -> None:
    names = [f"Name{index}" for index in range(600)]
    conditions = (field("eventName", *names), field("eventSource", *names))
    chosen = selectors.of_answer(advanced(selector(*DATA_S3, *conditions)))
    with pytest.raises(event_kind.TooManyClassesError):
        list(event_kind.representatives(OBJECTS, selectors.listed(chosen)))


_TEXT = st.text(alphabet="ab", max_size=4)


_CONDITION = st.fixed_dictionaries(
    {"Field": st.just("eventName")},
    optional={
        name: st.lists(_TEXT, min_size=1, max_size=2)
        for name in (
            "Equals",
            "StartsWith",
            "EndsWith",
            "NotEquals",
            "NotStartsWith",
            "NotEndsWith",
        )
    },
)


@given(st.lists(_CONDITION, min_size=1, max_size=3), _TEXT)
def test_representatives_cover_every_event(conditions: list[dict[str, Any]], name: str) -> None:
    """If every representative of a kind is recorded, every event is; if any is, some are."""
    chosen = selectors.of_answer(advanced(*(selector(*DATA_S3, one) for one in conditions)))
    listed = selectors.listed(chosen)
    events = list(event_kind.representatives(OBJECTS, listed))
    verdicts = [any(one.records(event) for one in chosen) for event in events]
    event = {**events[0], "eventName": name}
    is_recorded = any(one.records(event) for one in chosen)
    assert is_recorded or not all(verdicts)
    assert any(verdicts) or not is_recorded


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize(
    ("operator", "verdict"), [("StartsWith", Verdict.CONFIGURED), ("NotStartsWith", Verdict.GAP)]
)
def test_an_evidence_bucket_is_named_as_its_partition_does(
    partition: str, operator: str, verdict: Verdict
) -> None:
    objects = field(
        "resources.ARN", f"arn:{partition}:s3:::{amazon.EVIDENCE_BUCKET}/", operator=operator
    )
    data = selector(
        field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object"), objects
    )
    text = answers.write(estate.reading("aws", 0)).replace(
        b"arn:aws:", f"arn:{partition}:".encode()
    )
    select = edited("cloudtrail:GetEventSelectors", put(AdvancedEventSelectors=[data]))
    judgment = bucket.evidence_bucket(select(answers.read(text, "reading")))
    assert judgment.verdict is verdict
