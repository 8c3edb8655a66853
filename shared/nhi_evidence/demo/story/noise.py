"""The benign noise the attack hides in: many identities, many record shapes, many outcomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nhi_evidence.demo.story import records
from nhi_evidence.demo.story.records import Recorder

Shape = Callable[[Recorder, timedelta, str, str, int], dict[str, Any]]

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"


def sso_console(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A person in the console through Identity Center."""
    person = f"person{n % 7}@example.com"
    who = records.role_session(
        account,
        "AWSReservedSSO_ReadOnly_0123456789abcdef",
        person,
        path="/aws-reserved/sso.amazonaws.com/",
    )
    operations = (("ec2", "DescribeVolumes"), ("s3", "ListBuckets"), ("logs", "DescribeLogGroups"))
    source, name = operations[n % 3]
    return r.record(
        at, who, source, name, account=account, region=region, ip="198.51.100.23", agent=_BROWSER
    )


def instance(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """An instance profile using the instance metadata service."""
    who = records.role_session(
        account, "web-fleet", f"i-0{n % 40:015x}", context={"ec2RoleDelivery": "2.0"}
    )
    request = {"path": "/fleet/config/", "withDecryption": False, "maxResults": 10}
    return r.record(
        at, who, "ssm", "GetParametersByPath", account=account, region=region, request=request
    )


def function(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A Lambda function, vouched for by AWS."""
    name = f"orders-{n % 9}"
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    who = records.role_session(
        account,
        "orders-function",
        name,
        inScopeOf={"issuerType": "AWS::Lambda::Function", "credentialsIssuedTo": arn},
    )
    request = {"tableName": "orders", "key": {"id": str(n)}, "consistentRead": n % 2 == 0}
    resources = [
        {
            "accountId": account,
            "type": "AWS::DynamoDB::Table",
            "ARN": f"arn:aws:dynamodb:{region}:{account}:table/orders",
        }
    ]
    return r.record(
        at,
        who,
        "dynamodb",
        "GetItem",
        account=account,
        region=region,
        category="Data",
        request=request,
        resources=resources,
    )


def pod(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A pod exchanging its service account token."""
    issuer = f"oidc.eks.{region}.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    subject = f"system:serviceaccount:shop:worker-{n % 5}"
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer}"
    who = {
        "type": "WebIdentityUser",
        "principalId": f"{provider}:sts.amazonaws.com:{subject}",
        "userName": subject,
        "identityProvider": provider,
    }
    role = f"arn:aws:iam::{account}:role/shop-worker"
    return r.record(
        at,
        who,
        "sts",
        "AssumeRoleWithWebIdentity",
        account=account,
        region=region,
        request={"roleArn": role, "roleSessionName": f"worker-{n}"},
        response={
            "credentials": {
                "accessKeyId": f"ASIA{records.letters(f'pod{n}')}",
                "sessionToken": "EXAMPLE-NOT-A-TOKEN",
                "expiration": "Mar 2, 2026, 9:30:00 AM",
            },
            "subjectFromWebIdentityToken": subject,
        },
        resources=[{"accountId": account, "type": "AWS::IAM::Role", "ARN": role}],
    )


def pipeline(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A role session federated from a CI provider."""
    provider = f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
    who = records.role_session(
        account,
        "pipeline",
        "GitHubActions",
        context={"webIdFederationData": {"federatedProvider": provider, "attributes": {}}},
    )
    request = {"repositoryName": f"service-{n % 6}", "imageIds": [{"imageTag": f"build-{n}"}]}
    return r.record(
        at, who, "ecr", "BatchGetImage", account=account, region=region, request=request
    )


def forwarded(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A service acting on behalf of a role."""
    service = "cloudformation.amazonaws.com"
    who = records.role_session(account, "stack-deployer", "deploy", invokedBy=service)
    return r.record(
        at,
        who,
        "lambda",
        "GetFunction20150331v2",
        account=account,
        region=region,
        ip=service,
        agent=service,
        request={"functionName": f"orders-{n % 9}"},
    )


def provider(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """An AWS service assuming its role."""
    return r.record(
        at,
        records.service("ec2"),
        "sts",
        "AssumeRole",
        account=account,
        region=region,
        ip="ec2.amazonaws.com",
        agent="ec2.amazonaws.com",
        request={
            "roleArn": f"arn:aws:iam::{account}:role/web-fleet",
            "roleSessionName": f"i-0{n % 40:015x}",
        },
    )


def rotation(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A service event: no call, no caller."""
    identity = {"accountId": account, "invokedBy": "kms.amazonaws.com"}
    return r.record(
        at,
        identity,
        "kms",
        "RotateKey",
        account=account,
        region=region,
        ip="kms.amazonaws.com",
        agent="kms.amazonaws.com",
        eventType="AwsServiceEvent",
        serviceEventDetails={"keyId": f"1234abcd-12ab-34cd-56ef-{n:012d}"},
    )


def sign_in(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A console sign-in; every fourth fails, which only `responseElements` says."""
    failed = n % 4 == 0
    who = {
        "type": "IAMUser",
        "principalId": f"AIDA{records.letters('analyst', 17)}",
        "accountId": account,
        "userName": "analyst",
    }
    record = r.record(
        at,
        who,
        "signin",
        "ConsoleLogin",
        account=account,
        region=region,
        ip="2001:db8::17",
        agent=_BROWSER,
        response={"ConsoleLogin": "Failure" if failed else "Success"},
        additionalEventData={"MFAUsed": "Yes", "MobileVersion": "No"},
        eventType="AwsConsoleSignIn",
    )
    return record | ({"errorMessage": "Failed authentication"} if failed else {})


def odd(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """Text that a terminal must not interpret, and shapes that must not break a reader."""
    who = records.role_session(account, "tagger", "nightly")
    return r.record(
        at,
        who,
        "ec2",
        "CreateTags",
        account=account,
        region=region,
        ip="AWS Internal" if n % 2 else "192.0.2.9",
        agent="\x1b[31m[bold]not a color[/bold]\x1b[0m",
        request={
            "resourcesSet": {"items": [{"resourceId": "i-0123456789abcdef0"}]},
            "tagSet": {"items": [{"key": "größe", "value": "📦 übergroß"}]},
        },
        response={"_return": True},
        read_only=False,
    )


def throttled(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A call that was throttled, or named something that does not exist."""
    who = records.role_session(account, "inventory", "sweep")
    error = (
        ("ThrottlingException", "Rate exceeded")
        if n % 2
        else ("NoSuchBucket", "The specified bucket does not exist")
    )
    return r.record(
        at,
        who,
        "s3",
        "GetBucketPolicy",
        account=account,
        region=region,
        error=error,
        request={"bucketName": f"reports-{n % 11}", "policy": ""},
    )


def root(r: Recorder, at: timedelta, account: str, region: str, _: int) -> dict[str, Any]:
    """The root user, signed in with MFA."""
    who = {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "sessionContext": {
            "attributes": {"creationDate": "2026-03-02T07:50:00Z", "mfaAuthenticated": "true"}
        },
    }
    return r.record(
        at, who, "account", "GetContactInformation", account=account, region=region, agent=_BROWSER
    )


def anonymous(r: Recorder, at: timedelta, account: str, region: str, n: int) -> dict[str, Any]:
    """A public object read by nobody in particular."""
    who = {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
    return r.record(
        at,
        who,
        "s3",
        "GetObject",
        account=account,
        region=region,
        ip="203.0.113.200",
        category="Data",
        request={"bucketName": "public-site", "key": f"img/{n}.png"},
    )


SHAPES: tuple[tuple[Shape, int], ...] = (
    (sso_console, 14),
    (instance, 20),
    (function, 24),
    (pod, 8),
    (pipeline, 8),
    (forwarded, 8),
    (provider, 8),
    (sign_in, 3),
    (throttled, 3),
    (rotation, 1),
    (odd, 1),
    (root, 1),
    (anonymous, 1),
)
"""Record shapes and how often each occurs."""
