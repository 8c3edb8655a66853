"""The end-to-end tests rely on this: the emulator enforces policies on principals."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conform import __main__ as conform
from tests.conform.facts import LOCK, Bucket
from tests.e2e.emulator import Emulator

pytestmark = pytest.mark.e2e

OWNER, OTHER = "777788889999", "666677778888"
WRITER = f"arn:aws:iam::{OWNER}:role/probe-writer"


def allow(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(act: Any) -> str:
    with pytest.raises(ClientError) as caught:
        act()
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def user(aws: Emulator) -> tuple[str, str]:
    """A principal of the other account without any permission yet."""
    iam = aws.client("iam", OTHER)
    iam.create_user(UserName="probe")
    key = iam.create_access_key(UserName="probe")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def sts(aws: Emulator, key: tuple[str, str]) -> Any:
    return boto3.session.Session(*key, region_name=aws.region).client(
        "sts", endpoint_url=aws.endpoint, verify=str(aws.certificate)
    )


def test_roles_are_held_to_their_policies(aws: Emulator, user: tuple[str, str]) -> None:
    """Assuming a role needs both sides and the external id; the session may do what is allowed."""
    s3, iam = aws.client("s3", OWNER), aws.client("iam", OWNER)
    s3.create_bucket(Bucket="probe", CreateBucketConfiguration={"LocationConstraint": aws.region})
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:user/probe"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "probe-external-id"}},
    }
    iam.create_role(
        RoleName="probe-writer",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam.put_role_policy(
        RoleName="probe-writer",
        PolicyName="put",
        PolicyDocument=allow("s3:PutObject", "arn:aws:s3:::probe/ev/*"),
    )
    request = {"RoleArn": WRITER, "RoleSessionName": "probe"}
    as_user = sts(aws, user)
    assert "AccessDenied" == refused(
        lambda: as_user.assume_role(**request, ExternalId="probe-external-id")
    )
    aws.client("iam", OTHER).put_user_policy(
        UserName="probe", PolicyName="assume", PolicyDocument=allow("sts:AssumeRole", WRITER)
    )
    assert "AccessDenied" == refused(lambda: as_user.assume_role(**request, ExternalId="another"))
    credentials = as_user.assume_role(**request, ExternalId="probe-external-id")["Credentials"]
    writer = boto3.session.Session(
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
        aws.region,
    ).client(
        "s3",
        endpoint_url=aws.endpoint,
        verify=str(aws.certificate),
        config=Config(s3={"addressing_style": "path"}),
    )
    writer.put_object(Bucket="probe", Key="ev/1", Body=b"x", IfNoneMatch="*")
    for act in (
        lambda: writer.put_object(Bucket="probe", Key="src/1", Body=b"x"),
        lambda: writer.get_object(Bucket="probe", Key="ev/1"),
        lambda: writer.list_objects_v2(Bucket="probe"),
        lambda: writer.delete_object(Bucket="probe", Key="ev/1"),
    ):
        assert "AccessDenied" == refused(act)
    assert "PreconditionFailed" == refused(
        lambda: writer.put_object(Bucket="probe", Key="ev/1", Body=b"y", IfNoneMatch="*")
    )


def test_accounts_are_apart(aws: Emulator) -> None:
    """The root user of one account has no access in another."""
    other = aws.client("s3", OTHER)
    assert [] == other.list_buckets()["Buckets"]
    assert "AccessDenied" == refused(
        lambda: other.put_object(Bucket="probe", Key="ev/2", Body=b"x", IfNoneMatch="*")
    )


def test_the_facts_of_the_design_hold_here(aws: Emulator) -> None:
    """Those that docs/conform.md lists as tested on the emulated AWS."""
    s3 = aws.client("s3", OWNER)
    s3.create_bucket(
        Bucket="conform",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": aws.region},
    )
    s3.put_object_lock_configuration(
        Bucket="conform",
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    answers = list(conform.ask(LOCK, Bucket(s3, "conform", "conform/")))
    kms = aws.client("kms", OWNER)
    for spec in ("ECC_NIST_P256", "ECC_NIST_EDWARDS25519"):
        created = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        answers.append(conform.asked_of_kms(kms, created["KeyMetadata"]["KeyId"]))
    assert [] == [one for one in answers if not one.holds]
