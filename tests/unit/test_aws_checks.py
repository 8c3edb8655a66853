"""The doctor's verdicts: ok, wrong and not seen are three different things."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nhi_evidence.adapters.aws import bucket_checks, delivery_account_checks, policy_differences
from nhi_evidence.adapters.aws.aws_checks import AwsChecks
from nhi_evidence.checks import WRONG, State
from nhi_evidence.config.aws.buckets import BucketPlan
from nhi_evidence.config.bucket_policy import evidence_policy


def answered(answer: Any) -> State:
    def ask() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    (check,) = AwsChecks("account").look(
        "thing", ask, lambda reply: (reply == "well", reply), "mend it"
    )
    assert (check.remediation == "mend it") == (check.state in WRONG)
    return check.state


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Get")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("well", State.OK),
        ("bad", State.FAILED),
        (refused("NoSuchBucket"), State.NOT_DEPLOYED),
        (refused("ObjectLockConfigurationNotFoundError"), State.NOT_DEPLOYED),
        (refused("AccessDenied"), State.UNKNOWN),
        (refused("Throttling"), State.UNKNOWN),
        (EndpointConnectionError(endpoint_url="https://example.com"), State.UNKNOWN),
    ],
)
def test_what_cannot_be_checked_is_not_ok(answer: Any, state: State) -> None:
    """Only an answer can be ok; a refusal is not seen, an absence is not deployed."""
    assert state == answered(answer)


@pytest.mark.parametrize("lock_days", [None, 365])
def test_a_missing_bucket_is_one_finding(lock_days: int | None) -> None:
    """Its settings are missing, too: one line for each would hide what is wrong."""

    def gone(**_: str) -> Any:
        raise refused("NoSuchBucket")

    s3 = SimpleNamespace(get_object_lock_configuration=gone, get_bucket_versioning=gone)
    clients: Any = SimpleNamespace(client=lambda _service, _region: s3)
    plan = BucketPlan(
        name="trail", account="111122223333", region="eu-central-1",
        statements=[], lifecycle=[], lock_days=lock_days,
    )  # fmt: skip
    (check,) = bucket_checks.bucket(AwsChecks("account"), clients, plan)
    assert ("bucket", State.NOT_DEPLOYED) == (check.what, check.state)
    assert "make deploy" in check.remediation


POLICY = evidence_policy(
    "arn:aws:s3:::evidence",
    organization="o-exampleorg1",
    sealer="arn:aws:iam::222233334444:role/nhi-evidence-main-170b2e-sealer",
    retention_days=400,
    grace_days=30,
)


def as_stored(policy: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a policy as S3 may give it back: shuffled, lists of one without their list."""

    def rewritten(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rewritten(part) for key, part in reversed(value.items())}
        if isinstance(value, list | tuple):
            return value[0] if len(value) == 1 else list(reversed(value))
        return value

    return {"Version": "2012-10-17", "Statement": [rewritten(one) for one in reversed(policy)]}


def test_the_deployed_policy_is_ok_however_s3_formats_it() -> None:
    """Order, and a list of one, make no difference."""
    is_ok, observed = policy_differences.judged(as_stored(POLICY), POLICY)
    assert is_ok, observed


@pytest.mark.parametrize("sid", [one["Sid"] for one in POLICY])
def test_every_missing_or_changed_statement_is_noticed(sid: str) -> None:
    """A deny that is removed, weakened by a condition, narrowed, or inverted."""

    def observed(policy: list[dict[str, Any]]) -> tuple[bool, str]:
        return policy_differences.judged(as_stored(policy), POLICY)

    rest = [one for one in POLICY if one["Sid"] != sid]
    (statement,) = [one for one in POLICY if one["Sid"] == sid]
    assert (False, f"missing: {sid}") == observed(rest)
    place = "NotResource" if "NotResource" in statement else "Resource"
    for hollow in (
        {"Condition": {"StringEquals": {"aws:PrincipalTag/nobody": "x"}}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Action": ["s3:GetObjectTorrent"]},
        {place: "arn:aws:s3:::evidence/nothing/*"},
        {"Effect": "Allow"},
    ):
        assert (False, f"changed: {sid}") == observed([*rest, statement | hollow]), hollow


def test_a_foreign_statement_is_noticed() -> None:
    """An Allow for an outsider removes no deny, but is still not what was deployed."""
    added = {
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::666677778888:root"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::evidence/*",
    }
    policy = as_stored([*POLICY, added])
    assert (False, "added: Theirs") == policy_differences.judged(policy, POLICY)


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
def test_a_lock_is_ok_if_nobody_can_open_it(rule: dict[str, Any], well: bool) -> None:
    """It has to be in COMPLIANCE mode, for as long as configured."""
    answer = {"ObjectLockConfiguration": {"Rule": {"DefaultRetention": rule}}}
    assert well == bucket_checks.locked(answer, 400)[0]


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
    """A trail of only writes, or only data events, misses how an attack begins."""
    assert well == delivery_account_checks._everything(answer)[0]


BASIC = {"IncludeManagementEvents": True, "ReadWriteType": "All"}
WITHOUT_KMS = BASIC | {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}
NOT_KMS = {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}
ONE_NAME = {"Field": "eventName", "StartsWith": ["Get"]}


@pytest.mark.parametrize(
    ("answer", "observed"),
    [
        ({"EventSelectors": [WITHOUT_KMS]}, "without kms.amazonaws.com"),
        (selector(MANAGEMENT, NOT_KMS), "without kms.amazonaws.com"),
        (selector(MANAGEMENT, ONE_NAME), "without those of another eventName"),
    ],
)
def test_services_that_a_trail_leaves_out_are_named(answer: dict[str, Any], observed: str) -> None:
    """Whoever decrypts with a key would leave no record; it was called all reads and writes."""
    is_ok, text = delivery_account_checks._everything(answer)
    assert (False, True) == (is_ok, text.endswith(observed))


def test_one_selector_without_exceptions_is_enough() -> None:
    answer = {"EventSelectors": [WITHOUT_KMS, BASIC]}
    assert delivery_account_checks._everything(answer)[0]


def test_a_trail_that_cannot_deliver_is_wrong() -> None:
    """A trail that the bucket refuses is not logging."""
    assert delivery_account_checks._logging({"IsLogging": True})[0]
    assert not delivery_account_checks._logging(
        {"IsLogging": True, "LatestDeliveryError": "AccessDenied"}
    )[0]
    assert not delivery_account_checks._logging({"IsLogging": False})[0]
