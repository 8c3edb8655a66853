"""Selectors of a trail, and whether they record a kind of event, as AWS documents it."""

from __future__ import annotations

from typing import Any

from nhi_evidence.coverage.aws.event_kind import EventKind
from nhi_evidence.demo.estate.amazon import field, selector

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
