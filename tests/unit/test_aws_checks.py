"""The doctor's judgment: well, wrong and not seen are three things."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nhi_evidence.adapters.aws import delivery_account_checks, evidence_account_checks
from nhi_evidence.adapters.aws.aws_checks import AwsChecks
from nhi_evidence.checks import State


def answered(answer: Any) -> State:
    def ask() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    (check,) = AwsChecks("account").look(
        "thing", ask, lambda reply: (reply == "well", reply), "mend it"
    )
    assert (check.remediation == "mend it") == (check.state is State.FAILED)
    return check.state


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Get")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("well", State.OK),
        ("bad", State.FAILED),
        (refused("NoSuchBucket"), State.FAILED),
        (refused("ObjectLockConfigurationNotFoundError"), State.FAILED),
        (refused("AccessDenied"), State.UNKNOWN),
        (refused("Throttling"), State.UNKNOWN),
        (EndpointConnectionError(endpoint_url="https://example.com"), State.UNKNOWN),
    ],
)
def test_what_cannot_be_asked_is_not_well(answer: Any, state: State) -> None:
    """Only an answer can be well; a refusal is not seen, an absence is wrong."""
    assert state == answered(answer)


DENIES: list[dict[str, Any]] = [
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention"],
    },
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    },
]


def test_a_policy_is_well_with_every_deny_alone() -> None:
    """A deny with an exception, or of one principal, denies nothing to everybody."""
    assert evidence_account_checks._denies({"Statement": DENIES})[0]
    for hole in (
        [DENIES[0]],
        [DENIES[1]],
        [DENIES[0] | {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}, DENIES[1]],
        [DENIES[0] | {"Condition": {"Bool": {"x": "true"}}}, DENIES[1]],
        [DENIES[0] | {"Effect": "Allow"}, DENIES[1]],
    ):
        assert not evidence_account_checks._denies({"Statement": hole})[0]


@pytest.mark.parametrize(
    ("rule", "well"),
    [
        ({"Mode": "COMPLIANCE", "Days": 400}, True),
        ({"Mode": "COMPLIANCE", "Years": 2}, True),
        ({"Mode": "COMPLIANCE", "Days": 399}, False),
        ({"Mode": "GOVERNANCE", "Days": 400}, False),
        ({}, False),
    ],
)
def test_a_lock_is_well_if_nobody_can_open_it(rule: dict[str, Any], well: bool) -> None:
    """COMPLIANCE, and as long as was configured."""
    answer = {"ObjectLockConfiguration": {"Rule": {"DefaultRetention": rule}}}
    assert well == evidence_account_checks._locked(answer, 400)[0]


def selector(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": list(fields)}]}


MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        ({"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]}, True),
        (
            {"EventSelectors": [{"IncludeManagementEvents": True, "ReadWriteType": "WriteOnly"}]},
            False,
        ),
        ({"EventSelectors": [{"IncludeManagementEvents": False, "ReadWriteType": "All"}]}, False),
        (selector(MANAGEMENT), True),
        (selector(MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}), False),
        (selector({"Field": "eventCategory", "Equals": ["Data"]}), False),
        ({}, False),
    ],
)
def test_reads_must_be_recorded(answer: dict[str, Any], well: bool) -> None:
    """A trail of writes alone, or of data events alone, loses how an attack begins."""
    assert well == delivery_account_checks._everything(answer)[0]


def test_a_trail_that_cannot_deliver_is_wrong() -> None:
    """Logging and refused by the bucket is not logging."""
    assert delivery_account_checks._logging({"IsLogging": True})[0]
    assert not delivery_account_checks._logging(
        {"IsLogging": True, "LatestDeliveryError": "AccessDenied"}
    )[0]
    assert not delivery_account_checks._logging({"IsLogging": False})[0]
