"""What CloudTrail's selectors record, by hand from AWS's documentation.

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

from nhi_evidence.coverage.answers import Answer
from nhi_evidence.coverage.aws import event_kind, recorded, selectors
from nhi_evidence.coverage.aws.event_kind import EventKind
from nhi_evidence.coverage.verdict import Judgment, Verdict
from nhi_evidence.demo import estate
from nhi_evidence.demo.estate import amazon
from nhi_evidence.demo.estate.amazon import field, selector
from nhi_evidence.demo.estate.edits import added, edited, put, refused

READ = EventKind(source="sts.amazonaws.com", names=("GetCallerIdentity",), read_only=True)
WRITE = EventKind(source="iam.amazonaws.com", names=("CreateUser",), read_only=False)
DECRYPT = EventKind(source="kms.amazonaws.com", names=("Decrypt",), read_only=True)
ALL = EventKind()
OBJECTS = EventKind(category="Data", type="AWS::S3::Object")
GET_OBJECT = EventKind(category="Data", type="AWS::S3::Object", names=("GetObject",))
ONE_BUCKET = EventKind(category="Data", type="AWS::S3::Object", arn="arn:aws:s3:::shop/*")
FUNCTION = EventKind(category="Data", type="AWS::Lambda::Function")
NETWORK = EventKind(category="NetworkActivity", source="sts.amazonaws.com")
NETWORK_DENIED = EventKind(
    category="NetworkActivity", source="sts.amazonaws.com", error="VpceAccessDenied"
)
MANAGEMENT = selector(field("eventCategory", "Management"))
DATA_S3 = (field("eventCategory", "Data"), field("resources.type", "AWS::S3::Object"))


def basic(**members: Any) -> dict[str, Any]:
    return {"EventSelectors": [members]}


def advanced(*chosen: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": list(chosen)}


def read_only(value: str) -> dict[str, Any]:
    return field("readOnly", value)


TABLE: list[tuple[str, dict[str, Any], EventKind, bool]] = [
    # A trail without selectors: all management events, reads and writes, and no data events.
    ("no selector, a read", {}, READ, True),
    ("no selector, a write", {}, WRITE, True),
    ("no selector, data", {}, OBJECTS, False),
    # Basic.
    ("all", basic(ReadWriteType="All"), ALL, True),
    ("left out is All", basic(IncludeManagementEvents=True), READ, True),
    ("write only loses a read", basic(ReadWriteType="WriteOnly"), READ, False),
    ("write only has a write", basic(ReadWriteType="WriteOnly"), WRITE, True),
    ("read only has a read", basic(ReadWriteType="ReadOnly"), READ, True),
    ("read only loses a write", basic(ReadWriteType="ReadOnly"), WRITE, False),
    ("management left out", basic(IncludeManagementEvents=False), WRITE, False),
    (
        "a read-only and a write-only selector add up",
        {"EventSelectors": [{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}]},
        ALL,
        True,
    ),
    (
        "kms excluded, a Decrypt",
        basic(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        DECRYPT,
        False,
    ),
    (
        "kms excluded, another read",
        basic(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        READ,
        True,
    ),
    (
        "kms excluded, all",
        basic(ReadWriteType="All", ExcludeManagementEventSources=["kms.amazonaws.com"]),
        ALL,
        False,
    ),
    (
        "all of S3",
        basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]),
        OBJECTS,
        True,
    ),
    (
        "all of S3, the older spelling",
        basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]}]),
        OBJECTS,
        True,
    ),
    (
        "one bucket is not all",
        basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::shop/"]}]),
        OBJECTS,
        False,
    ),
    (
        "one bucket, its objects",
        basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::shop/"]}]),
        ONE_BUCKET,
        True,
    ),
    (
        "a prefix in the bucket is not the bucket",
        basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::shop/in/"]}]),
        ONE_BUCKET,
        False,
    ),
    (
        "all functions",
        basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]),
        FUNCTION,
        True,
    ),
    (
        "the type of another service",
        basic(DataResources=[{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]),
        OBJECTS,
        False,
    ),
    (
        "the flag of a basic selector holds of its data, too",
        basic(
            ReadWriteType="WriteOnly",
            DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        ),
        GET_OBJECT,
        False,
    ),
    # Advanced replaces basic, so selectors of data alone drop management events.
    ("management", advanced(MANAGEMENT), ALL, True),
    ("data alone", advanced(selector(*DATA_S3)), WRITE, False),
    ("data alone, data", advanced(selector(*DATA_S3)), OBJECTS, True),
    (
        "readOnly is the usual hidden hole",
        advanced(selector(field("eventCategory", "Management"), read_only("false"))),
        READ,
        False,
    ),
    (
        "readOnly false and readOnly true add up",
        advanced(
            selector(field("eventCategory", "Management"), read_only("false")),
            selector(field("eventCategory", "Management"), read_only("true")),
        ),
        ALL,
        True,
    ),
    (
        "kms taken away",
        advanced(
            selector(
                field("eventCategory", "Management"),
                field("eventSource", "kms.amazonaws.com", operator="NotEquals"),
            )
        ),
        DECRYPT,
        False,
    ),
    (
        "kms taken away here, selected there",
        advanced(
            selector(
                field("eventCategory", "Management"),
                field("eventSource", "kms.amazonaws.com", operator="NotEquals"),
            ),
            selector(
                field("eventCategory", "Management"), field("eventSource", "kms.amazonaws.com")
            ),
        ),
        ALL,
        True,
    ),
    (
        "every name but one",
        advanced(selector(*DATA_S3, field("eventName", "GetObject", operator="NotEquals"))),
        OBJECTS,
        False,
    ),
    (
        "every name but one, and that one",
        advanced(
            selector(*DATA_S3, field("eventName", "GetObject", operator="NotEquals")),
            selector(*DATA_S3, field("eventName", "GetObject")),
        ),
        OBJECTS,
        True,
    ),
    (
        "names that begin so and names that do not",
        advanced(
            selector(*DATA_S3, field("eventName", "Get", operator="StartsWith")),
            selector(*DATA_S3, field("eventName", "Get", operator="NotStartsWith")),
        ),
        OBJECTS,
        True,
    ),
    (
        "names that end so and names that begin otherwise leave some out",
        advanced(
            selector(*DATA_S3, field("eventName", "Object", operator="EndsWith")),
            selector(*DATA_S3, field("eventName", "Get", operator="NotStartsWith")),
        ),
        OBJECTS,
        False,
    ),
    (
        "selecting operators of one field add up, taking ones then take away",
        advanced(
            selector(
                *DATA_S3,
                {
                    "Field": "resources.ARN",
                    "StartsWith": ["arn:aws:s3:::shop/", "arn:aws:s3:::other/"],
                    "NotStartsWith": ["arn:aws:s3:::shop/tmp/"],
                },
            )
        ),
        ONE_BUCKET,
        False,
    ),
    (
        "an exclusion of another bucket costs this one nothing",
        advanced(
            selector(
                *DATA_S3,
                field("resources.ARN", "arn:aws:s3:::logs/", operator="NotStartsWith"),
            )
        ),
        ONE_BUCKET,
        True,
    ),
    (
        "several data types in one selector select none",
        advanced(
            selector(
                field("eventCategory", "Data"),
                field("resources.type", "AWS::S3::Object"),
                field("resources.type", "AWS::Lambda::Function"),
            )
        ),
        OBJECTS,
        False,
    ),
    # Network activity.
    (
        "VpceAccessDenied loses the successes",
        advanced(
            selector(
                field("eventCategory", "NetworkActivity"),
                field("eventSource", "sts.amazonaws.com"),
                field("errorCode", "VpceAccessDenied"),
            )
        ),
        NETWORK,
        False,
    ),
    (
        "VpceAccessDenied has the refused",
        advanced(
            selector(
                field("eventCategory", "NetworkActivity"),
                field("eventSource", "sts.amazonaws.com"),
                field("errorCode", "VpceAccessDenied"),
            )
        ),
        NETWORK_DENIED,
        True,
    ),
    ("management is no network activity", advanced(MANAGEMENT), NETWORK, False),
    (
        "session credentials of the console taken away",
        advanced(
            selector(
                field("eventCategory", "Management"),
                field("sessionCredentialFromConsole", "true", operator="NotEquals"),
            )
        ),
        READ,
        False,
    ),
]


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
    """A trail of reads and a trail of writes record everything together, and neither alone."""
    reads = _trail("reads", basic(ReadWriteType="ReadOnly"))
    writes = _trail("writes", basic(ReadWriteType="WriteOnly"))
    assert judged(ALL, reads, writes).verdict is Verdict.CONFIGURED
    assert judged(ALL, reads).verdict is Verdict.GAP
    assert judged(ALL, writes).missing == ("reads (Management events)",)


def test_no_trail_passes_for_another() -> None:
    """One trail of all events in one account decides nothing for another account."""
    own = _trail("own", {}, IsOrganizationTrail=False)
    judgment = judged(READ, own)
    assert judgment.verdict is Verdict.GAP
    assert amazon.WORKLOAD in judgment.reason
    assert amazon.MANAGEMENT not in judgment.reason
    assert judged(READ, own, accounts=(amazon.MANAGEMENT,)).verdict is Verdict.CONFIGURED


def test_regions_add_up() -> None:
    """A trail of one region leaves out the others, named."""
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
    """IAM writes in us-east-1: a trail there is enough, one elsewhere is none."""
    there = _trail("there", {}, IsMultiRegionTrail=False, HomeRegion="us-east-1")
    assert judged(WRITE, there).verdict is Verdict.CONFIGURED
    assert judged(WRITE, _trail("local", {}, IsMultiRegionTrail=False)).verdict is Verdict.GAP


def test_a_shadow_trail_is_the_trail() -> None:
    """A trail that is described in two regions is one trail."""
    trail = _trail("one", basic(ReadWriteType="WriteOnly"))
    assert judged(ALL, trail, [trail[0]]).verdict is Verdict.GAP


def test_recorded_elsewhere_is_not_here() -> None:
    """A trail into another bucket records, and not for us; what both have together counts."""
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
def test_what_cannot_be_read_is_no_gap_and_no_proof(call: str) -> None:
    reading = estate.reading("aws", 0)
    kept = tuple(a for a in reading.answers if "elemetry" not in a.call)
    reading = refused(call)(msgspec.structs.replace(reading, answers=kept))
    assert recorded.by_trails(reading, READ).verdict is Verdict.UNKNOWN


def test_unread_regions_are_not_taken_as_covered() -> None:
    """Without the list of regions a trail of one region leaves the rest unknown, not a gap."""
    reading = refused("account:ListRegions")(estate.reading("aws", 0))
    assert recorded.by_trails(reading, READ).verdict is Verdict.CONFIGURED
    kept = tuple(a for a in reading.answers if "elemetry" not in a.call)
    reading = msgspec.structs.replace(reading, answers=kept)
    local = edited(
        "cloudtrail:DescribeTrails",
        lambda body: {"trailList": [{**body["trailList"][0], "IsMultiRegionTrail": False}]},
    )(reading)
    assert recorded.by_trails(local, READ).verdict is Verdict.UNKNOWN


def test_a_bucket_that_tells_another_queue_is_not_ours() -> None:
    reading = edited(
        "s3:GetBucketNotificationConfiguration",
        lambda _: {
            "QueueConfigurations": [{"QueueArn": "other", "Events": ["s3:ObjectCreated:*"]}]
        },
    )(estate.reading("aws", 0))
    assert recorded.by_trails(reading, READ).verdict is Verdict.ELSEWHERE


def test_a_telemetry_rule_is_no_trail() -> None:
    """Events that CloudWatch takes in without a trail are recorded, and not here."""
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
def test_representatives_stand_for_every_event(conditions: list[dict[str, Any]], name: str) -> None:
    """If every representative of a kind is recorded, every event of it is; and some are if any."""
    chosen = selectors.of_answer(advanced(*(selector(*DATA_S3, one) for one in conditions)))
    listed = selectors.listed(chosen)
    events = list(event_kind.representatives(OBJECTS, listed))
    verdicts = [any(one.records(event) for one in chosen) for event in events]
    event = {**events[0], "eventName": name}
    is_recorded = any(one.records(event) for one in chosen)
    assert is_recorded or not all(verdicts)
    assert any(verdicts) or not is_recorded
